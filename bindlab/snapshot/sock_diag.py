"""The sockets that have a port, as Linux lists them to anybody: sock_diag(7).

Knows the messages of ``<linux/inet_diag.h>``. Answers are of the calling thread's network
namespace. TCP sockets that are bound and do not listen are listed since Linux 6.8.
"""

import socket
import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from bindlab.binding import Binding
from bindlab.endpoint import Endpoint, IPAddress, Transport
from bindlab.snapshot.netlink import NETLINK_SOCK_DIAG, Dumper, attribute
from bindlab.snapshot.rtnetlink import AF_INET, AF_INET6
from bindlab.sockaddr import protocol_of, zone_of

__all__ = ["ListedSocket", "sockets_on"]

_SOCK_DIAG_BY_FAMILY: Final = 20
_INET_DIAG_SKV6ONLY: Final = 11

# States of <net/tcp_states.h>: LISTEN and BOUND_INACTIVE, and for UDP CLOSE, which is bound and
# not connected.
_LISTEN: Final = 10
_STATES: Final[dict[Transport, int]] = {"tcp": 1 << _LISTEN | 1 << 13, "udp": 1 << 7}

# struct inet_diag_req_v2 and inet_diag_msg: ports and addresses in network byte order.
_REQUEST = struct.Struct("=BBBxI2s2x32xI8x")
_ANSWER = struct.Struct("=BBxx2s2x16s16xI8x12xII")


class ListedSocket(NamedTuple):
    """What a socket is bound to, and whose it is: the user's id, and its inode in /proc."""

    binding: Binding
    uid: int
    inode: int

    @property
    def is_open(self) -> bool:
        """Whether it takes what is sent to it: it listens, or is one of UDP."""
        return self.binding.listening is not False


def sockets_on(port: int, transport: Transport = "tcp") -> tuple[ListedSocket, ...] | None:
    """Return the sockets that are bound to *port* and not connected, listening or not.

    ``None`` where the system does not tell: other systems, and a Linux without sock_diag(7).
    Neither root nor the owner's right is needed.
    """
    try:
        with Dumper(protocol=NETLINK_SOCK_DIAG) as dumper:
            return tuple(_listed(dumper, port, transport))
    except OSError:
        return None


def _listed(dumper: Dumper, port: int, transport: Transport) -> Iterator[ListedSocket]:
    number = port.to_bytes(2)
    for family in (AF_INET, AF_INET6):
        request = _REQUEST.pack(family, protocol_of(transport), 0, _STATES[transport], number, 0)
        for message in dumper.dump(_SOCK_DIAG_BY_FAMILY, request, _SOCK_DIAG_BY_FAMILY):
            answered, state, sport, source, index, uid, inode = _ANSWER.unpack_from(message)
            if answered != family or sport != number:
                continue
            device = _name(index) if index else None
            start, end = attribute(message, _INET_DIAG_SKV6ONLY, (_ANSWER.size, len(message)))
            binding = Binding(
                Endpoint(_address(family, source, device), port, transport),
                v6only=bool(message[start]) if end > start else None,
                device=device,
                listening=state == _LISTEN if transport == "tcp" else None,
            )
            yield ListedSocket(binding, uid, inode)


def _address(family: int, packed: bytes, device: str | None) -> IPAddress:
    if family == AF_INET:
        return IPv4Address(packed[:4])
    ip = IPv6Address(packed)
    return IPv6Address(f"{ip}%{device}") if ip.is_link_local and device else ip


def _name(index: int) -> str:
    try:
        return zone_of(socket.if_indextoname(index), index)
    except OSError:  # the interface is gone
        return str(index)
