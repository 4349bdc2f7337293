"""Binding any free port, and quickly where thousands are held already.

Linux looks for port 0 through every second port of its range, one by one from a random one
(inet_csk_find_open_port). With most of these held, that takes hundreds of times longer than
trying ports of the whole range in random order, which is what is done here then.
"""

import errno
import itertools
import os
import socket
from time import perf_counter

from bindlab.opening.port_range import RandomOrder, ephemeral_ports, reserved_ports
from bindlab.sockaddr import SockAddr

__all__ = ["bind_any_port"]

_SLOW = 0.0002  # seconds for one bind(), which takes 2 to 5 microseconds otherwise
_SLOW_ONES = 3  # in a row: one alone may be another program's turn on the processor
_REMEMBERED = 4000  # how many binds later the system's own search is tried again
_TRIES = 256  # with 95 ports of 100 held, all of these fail once in 500,000 binds
_SO_NETNS_COOKIE = 71  # asm-generic/socket.h; since Linux 5.14


class _Crowd:
    """What this process saw of the system's search. Any value is safe, the right one is quick."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.slow_ones = 0
        self.binds_left = 0
        self.network: object = None
        self.order = RandomOrder(range(0))
        self.reserved: frozenset[int] = frozenset()

    def see_slow_one(self, sock: socket.socket) -> None:
        self.slow_ones += 1
        if self.slow_ones >= _SLOW_ONES:
            self.network = _network(sock)
            self.order = RandomOrder(ephemeral_ports())
            self.reserved = reserved_ports()
            self.binds_left = _REMEMBERED
            self.slow_ones = _SLOW_ONES - 1  # when they are used up, one is enough to go on


_crowd = _Crowd()
if hasattr(os, "register_at_fork"):  # or parent and child would try the same ports in step
    os.register_at_fork(after_in_child=_crowd.forget)


def bind_any_port(sock: socket.socket, address: SockAddr) -> None:
    """Bind *sock* to *address*, whose port is 0, as ``sock.bind(address)`` does."""
    if _crowd.binds_left > 0 and _bound_at_random(sock, address):
        return
    started = perf_counter()
    sock.bind(address)
    if perf_counter() - started > _SLOW:
        _crowd.see_slow_one(sock)
    elif _crowd.slow_ones:
        _crowd.slow_ones = 0


def _bound_at_random(sock: socket.socket, address: SockAddr) -> bool:
    if _network(sock) != _crowd.network:
        _crowd.forget()
        return False
    _crowd.binds_left -= 1
    host, _, *scope = address
    for port in itertools.islice(_crowd.order, _TRIES):
        if port in _crowd.reserved:
            continue
        try:
            sock.bind((host, port, *scope))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            raise
        return True
    return False


def _network(sock: socket.socket) -> object:
    """Return what tells the network namespace of *sock* from others; None where there are none."""
    try:
        return sock.getsockopt(socket.SOL_SOCKET, _SO_NETNS_COOKIE, 8)
    except OSError:
        pass
    try:
        return os.stat("/proc/thread-self/ns/net").st_ino
    except OSError:
        return None
