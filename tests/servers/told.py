"""bindlab for the program of a guide's snippet, with a test that is told what it opens.

The test chooses the addresses (``TOLD_ADDRESSES``), the system the port, and the test gets a
copy of each socket through ``TOLD_TO``, a Unix socket of the parent. At the program's end it
is told which IP sockets are still open. All else is bindlab's own.
"""

import atexit
import functools
import gc
import json
import os
import socket
import time
from collections.abc import Iterable
from typing import NamedTuple

import bindlab
from bindlab import *  # noqa: F403 - the snippets import what they need from here

__all__ = bindlab.__all__


class Bound(NamedTuple):
    """A reservation whose sockets are handed over without listening."""

    held: bindlab.Reservation

    def listen(self) -> tuple[socket.socket, ...]:
        return self.held.take()


def listen(port: int) -> socket.socket:
    """Return bindlab's socket on the address of the test; if it so chose, only bound."""
    (address,) = _addresses()
    opener = bindlab.bind if os.environ["TOLD_TO_BIND"] else bindlab.listen
    sock = opener(0, address)
    _show([sock])
    return sock


def allocate(*addresses: str, port: int, lendable: bool = False) -> "bindlab.Reservation | Bound":
    """Return bindlab's reservation on the addresses of the test, of a port that is free."""
    held = bindlab.allocate(*_addresses(), lendable=lendable)
    _show(held.sockets)
    return Bound(held) if os.environ["TOLD_TO_BIND"] else held


def _addresses() -> list[str]:
    return os.environ["TOLD_ADDRESSES"].split()


@functools.cache
def _test() -> socket.socket:
    test = socket.socket(fileno=int(os.environ["TOLD_TO"]))
    test.set_inheritable(False)
    owner = os.getpid()
    atexit.register(lambda: os.getpid() == owner and _tell_what_is_left(test))
    return test


def _show(sockets: Iterable[socket.socket]) -> None:
    socket.send_fds(_test(), [b"opened"], [sock.fileno() for sock in sockets])


def _tell_what_is_left(test: socket.socket) -> None:
    gc.collect()
    until = time.monotonic() + 3
    while (left := _open_sockets()) and time.monotonic() < until:
        time.sleep(0.02)  # threads may be about to close what they answered
    with test:
        test.send(json.dumps(left).encode())


def _open_sockets() -> list[str]:
    found = []
    for name in os.listdir("/dev/fd"):
        try:
            sock = socket.socket(fileno=int(name))
        except OSError:
            continue
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            found.append(repr(sock))
        sock.detach()
    return found
