"""One port number held by several sockets at once, or by none of them."""

import socket
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from bindlab.errors import AddressInUseError, BindPermissionError, bind_error
from bindlab.opening.one_socket import allow_reuse, exclude_others, open_socket
from bindlab.opening.port_range import free_choice
from bindlab.opening.request import Request

__all__ = ["Group", "HeldSocket", "hold", "hold_any", "hold_first"]

Requests: TypeAlias = tuple[Request, ...]


class HeldSocket(NamedTuple):
    """A bound socket, and what was asked for."""

    asked: Request
    sock: socket.socket
    over_connections: bool  # of an earlier server, so that SO_REUSEADDR was needed


class Group(NamedTuple):
    """A port, and the sockets that have it, in the order of the requests."""

    port: int
    sockets: tuple[HeldSocket, ...]


def hold(requests: Requests, port: int, *, insists: bool = False, lends: bool = False) -> Group:
    """Return sockets that all have *port*, or for 0 the one that the first of them is given.

    Only one that *insists* takes the port over an earlier server's connections.
    """
    sockets: list[HeldSocket] = []
    try:
        for asked in requests:
            sock = open_socket(asked, port, insists=insists)
            sockets.append(HeldSocket(asked, sock, False))
            if port == 0:
                port = _port_of(asked, sock)
            elif insists and exclude_others(asked, sock, port):
                sockets[-1] = HeldSocket(asked, sock, True)
            if lends:
                allow_reuse(asked, sock, port)
    except BaseException:  # not an ExitStack, for the reason in open_socket()
        for each in sockets:
            each.sock.close()
        raise
    return Group(port, tuple(sockets))


def hold_any(requests: Requests, *, lends: bool = False) -> Group | None:
    """Return sockets on a port of the system's choice; ``None`` if none is free for all of them.

    Each in its turn asks the system for a port, and if that is full, ``AddressInUseError``
    says so at once. After that each port of the range is tried.
    """
    for turn in range(len(requests)):
        try:
            found = hold(requests[turn:] + requests[:turn], 0, lends=lends)
        except AddressInUseError as error:
            if error.endpoint is not None and error.endpoint.port == 0:
                raise
            continue
        if not turn:
            return found
        back = len(requests) - turn
        return Group(found.port, found.sockets[back:] + found.sockets[:back])
    return hold_first(requests, free_choice(), lends=lends)


def hold_first(requests: Requests, ports: Iterable[int], *, lends: bool = False) -> Group | None:
    """Return sockets on the first of *ports* that they can all have; ``None`` if all are taken."""
    denied: BindPermissionError | None = None
    for port in ports:
        try:
            return hold(requests, port, lends=lends)
        except AddressInUseError:
            continue
        except BindPermissionError as error:  # one of several may be privileged, or excluded
            if error.stage != "bind":
                raise
            denied = error
    if denied is not None:
        raise denied
    return None


def _port_of(asked: Request, sock: socket.socket) -> int:
    try:
        return int(sock.getsockname()[1])
    except OSError as error:
        raise bind_error(error, asked.endpoint(0), "getsockname") from error
