"""The command ``bindlab``, beside ``python -m bindlab``."""

from bindlab.command.main import main

__all__ = ["main"]
