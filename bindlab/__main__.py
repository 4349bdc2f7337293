"""``python -m bindlab`` is the command ``bindlab``."""

import sys

from bindlab.command import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
