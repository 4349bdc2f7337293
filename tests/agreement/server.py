"""The side that is dialled, on a host of the lab: it opens sockets, and answers on them."""

import errno
import select
import socket
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Spec", "open_all", "serve"]

_LISTEN_BACKLOG = 4096
_RECEIVE_BUFFER = 1 << 20


class Spec(NamedTuple):
    """A socket to open: its address (with its zone), and the options that narrow it."""

    address: str
    transport: str
    v6only: bool | None = None
    device: str | None = None

    def __str__(self) -> str:
        only = {True: " V6ONLY", False: " dual-stack", None: ""}[self.v6only]
        return f"{self.transport} {self.address}{only}{f' @{self.device}' if self.device else ''}"


def open_all(specs: Sequence[Spec], first_port: int) -> list[socket.socket | str]:
    """Return an open socket for each of *specs*, or the name of the errno that refused it.

    Each has a port of its own, counted from *first_port*, so that none shadows another.
    """
    opened: list[socket.socket | str] = []
    for port, spec in enumerate(specs, start=first_port):
        try:
            opened.append(_open(spec, port))
        except OSError as error:
            opened.append(errno.errorcode[error.errno or errno.EIO])
    return opened


def _open(spec: Spec, port: int) -> socket.socket:
    udp = spec.transport == "udp"
    v6 = ":" in spec.address
    sock = socket.socket(
        socket.AF_INET6 if v6 else socket.AF_INET,
        socket.SOCK_DGRAM if udp else socket.SOCK_STREAM,
    )
    try:
        if spec.v6only is not None:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, spec.v6only)
        if spec.device is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, spec.device.encode())
        ip, _, zone = spec.address.partition("%")
        scope = socket.if_nametoindex(zone) if zone else 0
        sock.bind((ip, port, 0, scope) if v6 else (ip, port))
        if udp:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        else:
            sock.listen(_LISTEN_BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def serve(sockets: Sequence[tuple[int, socket.socket]], stop: socket.socket) -> list[int]:
    """Answer everybody with the token of the socket that they reached, until *stop* closes.

    Return the numbers of the attempts whose datagrams arrived, answered or not.
    """
    arrived: list[int] = []
    by_descriptor = {sock.fileno(): (token.to_bytes(4, "big"), sock) for token, sock in sockets}
    with select.epoll() as poll:
        poll.register(stop, select.EPOLLIN)
        for _, sock in sockets:
            sock.setblocking(False)
            poll.register(sock, select.EPOLLIN)
        stopping = False
        while True:
            ready = poll.poll(0 if stopping else None)
            for descriptor, _ in ready:
                if descriptor == stop.fileno():
                    poll.unregister(stop)
                    stopping = True
                else:
                    _answer(*by_descriptor[descriptor], arrived)
            if stopping and not ready:
                return arrived


def _answer(token: bytes, sock: socket.socket, arrived: list[int]) -> None:
    """Answer one client; one that is gone, or that there is no way back to, is not."""
    try:
        if sock.type == socket.SOCK_STREAM:
            connection, _ = sock.accept()
            with connection:
                connection.send(token)
        else:
            data, sender = sock.recvfrom(64)
            arrived.append(int.from_bytes(data, "big"))
            sock.sendto(token, sender)
    except OSError:
        pass
