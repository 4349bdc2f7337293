"""Holding one port number by several sockets at once, or by none of them.

Knows which numbers to try, and in what order. How one socket takes its port is
one_socket.py's; what callers may ask for is allocation.py's.
"""

import socket
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from bindlab.errors import AddressInUseError, BindPermissionError, refusal
from bindlab.opening.one_socket import RULES, exclude_others, open_socket, set_options
from bindlab.opening.port_range import RandomOrder, ephemeral_ports, reserved_ports
from bindlab.opening.request import Request

__all__ = ["Held", "any_held", "first_held", "held"]

Requests: TypeAlias = tuple[Request, ...]


class Held(NamedTuple):
    """A port, and the sockets that have it, in the order of the requests."""

    port: int
    sockets: tuple[socket.socket, ...]
    over_connections: frozenset[Request] = frozenset()  # whose sockets were bound over some


def held(requests: Requests, port: int, *, insists: bool = False, lends: bool = False) -> Held:
    """Return sockets that all have *port*, or for 0 the one that the first of them is given.

    Only one that *insists* takes the port over an earlier server's connections.
    """
    sockets: list[socket.socket] = []
    over_connections: frozenset[Request] = frozenset()
    try:
        for asked in requests:
            sock = open_socket(asked, port, insists=insists)
            sockets.append(sock)
            if port == 0:
                port = _port_of(asked, sock)
            elif insists and exclude_others(asked, sock, port):
                over_connections |= {asked}
            if lends:
                _lend(asked, sock, port)
    except BaseException:  # not an ExitStack, for the reason in open_socket()
        for sock in sockets:
            sock.close()
        raise
    return Held(port, tuple(sockets), over_connections)


def any_held(requests: Requests, *, lends: bool = False) -> Held | None:
    """Return sockets on a port of the system's choice; ``None`` if none is free for all of them.

    Each in its turn asks the system for a port, and if that is full, ``AddressInUseError``
    says so at once. After that the ports of the range are tried in random order.
    """
    for turn in range(len(requests)):
        turned = requests[turn:] + requests[:turn] if turn else requests
        try:
            found = held(turned, 0, lends=lends)
        except AddressInUseError as error:
            if error.endpoint is not None and error.endpoint.port == 0:
                raise
            continue
        if not turn:
            return found
        back = len(requests) - turn
        return Held(found.port, found.sockets[back:] + found.sockets[:back])
    reserved = reserved_ports()
    candidates = (each for each in RandomOrder(ephemeral_ports()).once() if each not in reserved)
    return first_held(requests, candidates, lends=lends)


def first_held(requests: Requests, ports: Iterable[int], *, lends: bool = False) -> Held | None:
    """Return sockets on the first of *ports* that they can all have; ``None`` if all are taken."""
    denied: BindPermissionError | None = None
    for port in ports:
        try:
            return held(requests, port, lends=lends)
        except AddressInUseError:
            continue
        except BindPermissionError as error:  # one of several may be privileged, or excluded
            if error.stage != "bind":
                raise
            denied = error
    if denied is not None:
        raise denied
    return None


def _lend(asked: Request, sock: socket.socket, port: int) -> None:
    try:
        set_options(sock, RULES.lent)
    except OSError as error:
        raise refusal(error, asked.endpoint(port), "setsockopt") from error


def _port_of(asked: Request, sock: socket.socket) -> int:
    try:
        return int(sock.getsockname()[1])
    except OSError as error:
        raise refusal(error, asked.endpoint(0), "getsockname") from error
