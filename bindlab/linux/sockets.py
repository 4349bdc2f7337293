"""The sockets that have a port, as Linux lists them to anybody: sock_diag(7)."""

import socket
import struct
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from bindlab.binding import Binding
from bindlab.endpoint import Endpoint, IPAddress, Transport
from bindlab.linux.netlink import NETLINK_SOCK_DIAG, Netlink, attributes
from bindlab.sockaddr import KINDS, zone_of

# <net/tcp_states.h>. A UDP socket is CLOSE where it is not connected.
TCP_LISTEN: Final = 10
_CLOSE, _BOUND_INACTIVE = 7, 13
_UNCONNECTED = 1 << TCP_LISTEN | 1 << _CLOSE | 1 << _BOUND_INACTIVE
_ANY_STATE = 0xFFFFFFFF

_SO_NETNS_COOKIE: Final = 71  # <asm-generic/socket.h>, since Linux 5.14
_SOCK_DIAG_BY_FAMILY: Final = 20
_INET_DIAG_SKV6ONLY: Final = 11

# struct inet_diag_req_v2 and inet_diag_msg: ports and addresses in network byte order.
_REQUEST = struct.Struct("=BBBxI2s2x32xI8x")
_ANSWER = struct.Struct("=BBxx2s2s16s16sI8x12xII")


class ListedSocket(NamedTuple):
    """What a socket is bound to, and whose it is: the user's id, and its inode in /proc.

    Connections are listed too, where they are asked for: their binding has a *peer*. One that
    no process has any more, as in TIME_WAIT, has the inode 0, and nobody's user id.
    """

    binding: Binding
    uid: int
    inode: int

    @property
    def is_open(self) -> bool:
        """Whether it takes what is sent to it: it listens, or is one of UDP."""
        return self.binding.listening is not False


def sockets_on(
    port: int, transport: Transport = "tcp", *, connections: bool = False
) -> tuple[ListedSocket, ...] | None:
    """Return the sockets that are bound to *port*, listening or not, and *connections* if asked.

    TCP sockets that are bound and do neither are listed since Linux 6.8. ``None`` where the
    system does not tell: other systems, and a Linux without sock_diag(7). Neither root nor the
    owner's right is needed. The answer is that of the calling thread's network namespace.
    """
    states = _ANY_STATE if connections else _UNCONNECTED
    try:
        with Netlink(NETLINK_SOCK_DIAG) as netlink:
            return tuple(
                one
                for family in (socket.AF_INET, socket.AF_INET6)
                for one in _listed(netlink, family, port, transport, states)
            )
    except OSError:
        return None


def open_sockets() -> list[ListedSocket]:
    """Return the TCP sockets that listen and the UDP sockets that hear anybody, on every port.

    As :func:`sockets_on`, but an ``OSError`` where the system does not tell.
    """
    wanted: tuple[tuple[Transport, int], ...] = (("tcp", 1 << TCP_LISTEN), ("udp", 1 << _CLOSE))
    with Netlink(NETLINK_SOCK_DIAG) as netlink:
        return [
            one
            for transport, states in wanted
            for family in (socket.AF_INET, socket.AF_INET6)
            for one in _listed(netlink, family, None, transport, states)
        ]


def namespace_cookie(sock: socket.socket) -> bytes:
    """Return what tells the network namespace of *sock* from others (``SO_NETNS_COOKIE``).

    An ``OSError`` where the system does not tell: before Linux 5.14, and elsewhere.
    """
    return sock.getsockopt(socket.SOL_SOCKET, _SO_NETNS_COOKIE, 8)


def _listed(
    netlink: Netlink, family: int, port: int | None, transport: Transport, states: int
) -> list[ListedSocket]:
    number = (port or 0).to_bytes(2)  # 0: every port

    def parse(message: bytes) -> ListedSocket | None:
        answered, state, sport, dport, source, peer, index, uid, inode = _ANSWER.unpack_from(
            message
        )
        if answered != family or (number != sport and port is not None):
            return None
        near = int.from_bytes(sport)
        device = _name(index) if index else None
        v6only = attributes(message, _ANSWER.size).get(_INET_DIAG_SKV6ONLY)
        far = int.from_bytes(dport)
        binding = Binding(
            Endpoint(_address(family, source, device), near, transport),
            v6only=None if v6only is None else bool(v6only[0]),
            device=device,
            listening=state == TCP_LISTEN if transport == "tcp" else None,
            peer=Endpoint(_address(family, peer, device), far, transport) if far else None,
        )
        return ListedSocket(binding, uid, inode)

    request = _REQUEST.pack(family, KINDS[transport][1], 0, states, number, 0)
    return netlink.dump(_SOCK_DIAG_BY_FAMILY, request, parse)


def _address(family: int, packed: bytes, device: str | None) -> IPAddress:
    if family == socket.AF_INET:
        return IPv4Address(packed[:4])
    ip = IPv6Address(packed)
    return IPv6Address(f"{ip}%{device}") if ip.is_link_local and device else ip


def _name(index: int) -> str:
    try:
        return zone_of(socket.if_indextoname(index), index)
    except OSError:  # the interface is gone
        return str(index)
