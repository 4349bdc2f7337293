"""Where the command writes: a terminal with colours, a pipe that may close, a disk that is full."""

import contextlib
import errno
import os
import re
import sys
from collections.abc import Mapping
from typing import Final, TextIO

from bindlab.printable import json_text

__all__ = ["PROGRAM", "complain", "write"]

PROGRAM: Final = "bindlab"
# The first word of an answer, which says the same without its colour.
_COLOURS: Final = {
    "Yes": 32,
    "Private": 32,
    "Maybe": 33,
    "Open": 33,
    "No": 31,
    "Nobody": 31,
    "Nothing": 31,
}
_FIRST_WORD: Final = re.compile(rf"({'|'.join(_COLOURS)})\b")


def write(text: str | Mapping[str, object], status: int) -> int:
    """Print *text*, or a document as JSON; return *status*, or another if that cannot be."""
    shown = text if isinstance(text, str) else json_text(text)
    if isinstance(text, str) and _is_coloured(sys.stdout):
        shown = _FIRST_WORD.sub(lambda m: f"\x1b[1;{_COLOURS[m[1]]}m{m[1]}\x1b[0m", text, count=1)
    # An interface may have a name in any script, and the output be for one of them.
    encoding: str = getattr(sys.stdout, "encoding", None) or "ascii"
    try:
        # Written now, and not when Python ends, which would have a status of its own.
        print(shown.encode(encoding, "backslashreplace").decode(encoding), flush=True)
    except BrokenPipeError:  # the reader has seen enough, as in "| head"
        discard_output()
        return 0
    except OSError as error:
        discard_output()
        if sys.platform == "win32" and error.errno == errno.EINVAL:  # its closed pipe
            return 0
        complain(error)
        return 3
    return status


def complain(error: object) -> None:
    """Say on the standard error what went wrong."""
    print(f"{PROGRAM}: {error}", file=sys.stderr)


def discard_output() -> None:
    """Send to nowhere what Python still writes when it ends, which would fail as well."""
    with contextlib.suppress(OSError):
        # Closed first, because there may be no other descriptor to open the null device with.
        os.close(1)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        if nowhere != 1:
            os.dup2(nowhere, 1)
            os.close(nowhere)


def _is_coloured(stream: TextIO) -> bool:
    """Whether colours are wanted there: https://no-color.org, https://force-color.org."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    # From documentation: an old console of Windows shows escape sequences as they are.
    is_old_console = sys.platform == "win32" and "WT_SESSION" not in os.environ
    return stream.isatty() and os.environ.get("TERM") != "dumb" and not is_old_console
