"""``python -m tests.benchmarks [--quick] [PART ...]``: the README's table, as Markdown."""

import argparse
import os
import platform
import sys
import time

from .figures import HEAD, row
from .parts import PARTS
from .scale import FULL, QUICK


def main() -> int:
    """Print a row for everything that was measured; return 1 if a part could not be."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller sizes")
    options = parser.parse_args()
    unknown = [name for name in options.parts if name not in PARTS]
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    scale = QUICK if options.quick else FULL
    print(
        f"{platform.system()} {platform.release().partition('-')[0]}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}\n\n{HEAD}",
        flush=True,
    )
    failed = False
    for name in options.parts or PARTS:
        started = time.monotonic()
        try:
            for line in PARTS[name](scale):
                print(row(line), flush=True)
        except OSError as error:
            failed = True
            print(f"{name}: {error}", file=sys.stderr)
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
