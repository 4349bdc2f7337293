"""The tuples in which ``socket`` writes addresses, to and from :class:`Endpoint`."""

import socket
import sys
from ipaddress import IPv4Address, IPv6Address

from bindlab.endpoint import Endpoint, IPAddress, Transport
from bindlab.interface import zone_to_write

SockAddr = tuple[str, int] | tuple[str, int, int, int]

# Type and protocol number of a socket: never 0, on which asyncio leaves Nagle's algorithm on.
KINDS: dict[Transport, tuple[socket.SocketKind, int]] = {
    "tcp": (socket.SOCK_STREAM, socket.IPPROTO_TCP),
    "udp": (socket.SOCK_DGRAM, socket.IPPROTO_UDP),
}
_UNTOLD = 0  # what a system says that does not tell: macOS and Windows have no SO_PROTOCOL
_IPPROTO_MPTCP = 262  # RFC 8684: it speaks TCP with everybody else
_TRANSPORTS: dict[tuple[int, int], Transport] = {
    (socket.SOCK_STREAM, _UNTOLD): "tcp",
    (socket.SOCK_STREAM, socket.IPPROTO_TCP): "tcp",
    (socket.SOCK_STREAM, _IPPROTO_MPTCP): "tcp",
    (socket.SOCK_DGRAM, _UNTOLD): "udp",
    (socket.SOCK_DGRAM, socket.IPPROTO_UDP): "udp",
}


def family_of(ip: IPAddress) -> socket.AddressFamily:
    """Return ``AF_INET`` or ``AF_INET6``; an IPv4-mapped address is one of ``AF_INET6``."""
    return socket.AF_INET if isinstance(ip, IPv4Address) else socket.AF_INET6


def transport_of(kind: int, protocol: int) -> Transport | None:
    """Return what an IP socket of this type and protocol number speaks; ``None`` for neither.

    Protocol 0 is what systems without ``SO_PROTOCOL`` say of any socket.
    """
    return _TRANSPORTS.get((kind, protocol))


def to_sockaddr(endpoint: Endpoint) -> SockAddr:
    """Return what ``socket.bind()`` takes, with the zone as a scope id (RFC 3493 section 3.3).

    ``bind(("fe80::1%eth0", 0))`` would lose the zone. A zone of digits is a scope id as it
    stands; a name is looked up in the calling thread's network namespace, and one that no
    interface has is the ``OSError`` of if_nametoindex(3).
    """
    ip = endpoint.ip
    if isinstance(ip, IPv4Address):
        return (str(ip), endpoint.port)
    zone = ip.scope_id or "0"
    scope_id = int(zone) if zone.isascii() and zone.isdigit() else socket.if_nametoindex(zone)
    return (str(ip).partition("%")[0], endpoint.port, 0, scope_id)


def from_sockaddr(address: SockAddr, transport: Transport) -> Endpoint:
    """Return the endpoint that ``getsockname()`` reported, its zone as an index in digits.

    The index means the same to any process of the socket's network namespace; its name is
    another question (``socket.if_indextoname``).
    """
    if len(address) == 2:
        return Endpoint(IPv4Address(address[0]), address[1], transport)
    host, port, _, scope_id = address
    bare = host.partition("%")[0]
    return Endpoint(IPv6Address(f"{bare}%{scope_id}" if scope_id else bare), port, transport)


def zone_of(name: str, index: int | None) -> str:
    """Return what this system takes behind the ``%`` of an address for the interface *name*.

    Windows takes the index alone. Without an index it is the name all the same.
    """
    if index is not None and sys.platform == "win32":
        return str(index)
    return zone_to_write(name, index) or name
