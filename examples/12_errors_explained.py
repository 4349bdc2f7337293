"""What goes wrong when a server starts, and what bindlab says: where, what, why, and what helps.

A refusing system is a BindError, which is an OSError with the errno of the system, so that code
that knows only the built-in classes goes on working. What can never be right is a ValueError,
raised before the system is asked.
"""

import errno
import textwrap
from collections.abc import Callable
from socket import socket

from bindlab import BindError, bind, listen

ATTEMPTS: dict[str, Callable[[], socket]] = {
    "a port below 1024": lambda: listen(80),
    "the public address, behind a NAT": lambda: listen(8000, "203.0.113.7"),
    "link-local without its zone": lambda: listen(8000, "fe80::1"),
    "a device that this machine has not": lambda: listen(8000, "0.0.0.0", device="wlan9"),
    "no address": lambda: listen(8000, ""),
    "a name for an address": lambda: listen(8000, "localhost"),
    "a URL for an address": lambda: listen(8000, "http://127.0.0.1"),
    "a port beyond 65535": lambda: listen(80000),
}


def start_or_say(port: int) -> None:
    # Copy this:
    try:
        server = listen(port)
    except BindError as error:
        print("cannot start:", *textwrap.wrap(str(error), 78), sep="\n  ")  # with a hint
    else:
        server.close()


def show(attempt: str, start: Callable[[], socket]) -> None:
    """Print what comes of *attempt*; a server that does start is stopped at once."""
    print(f"\n{attempt}")
    try:
        start().close()
        print("  this system lets it start")
    except (BindError, ValueError) as error:
        name = type(error).__name__
        if isinstance(error, BindError):
            name += f", at the step {error.stage!r}, {errno.errorcode.get(error.errno or 0)}"
        print(f"  {name}")
        print(textwrap.fill(str(error), 78, initial_indent="  ", subsequent_indent="  "))


def main() -> None:
    with listen() as server:
        port = server.getsockname()[1]
        start_or_say(port)
    with bind() as held:
        port = held.getsockname()[1]
        show("a port that is held", lambda: listen(port))
    for attempt, start in ATTEMPTS.items():
        show(attempt, start)


if __name__ == "__main__":
    main()
