"""The ICMP message behind an errno, which Linux keeps for a socket, and other systems do not."""

import socket
import sys
from ipaddress import IPv4Address, IPv6Address
from typing import Literal

from bindlab.endpoint import IPAddress, address_text, unmap
from bindlab.value import Value

# RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1; RFC 4443 section 3.
_MEANINGS: dict[tuple[int, int, int], str] = {
    (4, 3, 0): "network unreachable",
    (4, 3, 1): "host unreachable",
    (4, 3, 2): "protocol unreachable",
    (4, 3, 3): "port unreachable",
    (4, 3, 4): "packet too big",
    (4, 3, 5): "source route failed",
    (4, 3, 6): "network unknown",
    (4, 3, 7): "host unknown",
    (4, 3, 8): "source host isolated",
    (4, 3, 9): "network administratively prohibited",
    (4, 3, 10): "host administratively prohibited",
    (4, 3, 11): "network unreachable for this type of service",
    (4, 3, 12): "host unreachable for this type of service",
    (4, 3, 13): "administratively prohibited",
    (4, 11, 0): "time to live exceeded (a routing loop, or too many hops)",
    (6, 1, 0): "no route to destination",
    (6, 1, 1): "administratively prohibited",
    (6, 1, 2): "beyond the scope of the source address",
    (6, 1, 3): "address unreachable",
    (6, 1, 4): "port unreachable",
    (6, 1, 5): "source address failed the policy",
    (6, 1, 6): "route rejected",
    (6, 2, 0): "packet too big",
    (6, 3, 0): "hop limit exceeded (a routing loop, or too many hops)",
}
_PROHIBITIONS = frozenset({(4, 3, 9), (4, 3, 10), (4, 3, 13), (6, 1, 1), (6, 1, 5), (6, 1, 6)})
_PORT_UNREACHABLE = frozenset({(4, 3, 3), (6, 1, 4)})


class Icmp(Value):
    """One ICMP error message: *version* 4 or 6, *kind* (its type), *code*, and who sent it.

    *sender* is the router, firewall or host that sent the message, which may be this machine
    itself, or ``None`` where the system does not say. Nothing authenticates it (RFC 5927).

    >>> str(Icmp(4, 3, 13, IPv4Address("10.0.0.2")))
    'ICMP administratively prohibited, from 10.0.0.2'
    """

    version: Literal[4, 6]
    kind: int
    code: int
    sender: IPAddress | None = None

    @property
    def meaning(self) -> str:
        """What the type and code mean, in the words of their RFC: "host unreachable"."""
        known = _MEANINGS.get((self.version, self.kind, self.code))
        return known or f"type {self.kind} code {self.code}"

    @property
    def is_port_unreachable(self) -> bool:
        """Whether the host itself was reached: nothing has that port there, or it says so."""
        return (self.version, self.kind, self.code) in _PORT_UNREACHABLE

    @property
    def is_prohibition(self) -> bool:
        """Whether somebody forbids the packets: a firewall, or a router's policy."""
        return (self.version, self.kind, self.code) in _PROHIBITIONS

    def __str__(self) -> str:
        name = "ICMP" if self.version == 4 else "ICMPv6"
        sender = "" if self.sender is None else f", from {address_text(self.sender)}"
        return f"{name} {self.meaning}{sender}"


# linux/in.h, linux/in6.h: CPython has no names for them before 3.14.
_IP_RECVERR = 11
_IPV6_RECVERR = 25
# linux/errqueue.h: ee_origin, and the size of struct sock_extended_err.
_VERSION_OF_ORIGIN: dict[int, Literal[4, 6]] = {2: 4, 3: 6}
_EXTENDED_ERROR = 16


def keep_icmp(sock: socket.socket) -> None:
    """Let the system keep the ICMP messages that *sock*'s packets meet (Linux: ip(7), ipv6(7)).

    It is more than curiosity. Without IPV6_RECVERR, an ICMPv6 error that arrives while
    connect() still holds the socket wakes nobody until the SYN goes out again, a second
    later; and UDP never hears of a host unreachable at all.
    """
    if sys.platform == "linux":
        # A connection to ::ffff:a.b.c.d is an IPv6 socket with IPv4 errors: it needs both.
        sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)


def read_icmp(sock: socket.socket) -> tuple[int, Icmp] | None:
    """Return the next ICMP message kept for *sock*, with the errno it became, if there is one.

    Does not wait: *sock* must be non-blocking. Reading clears the socket's pending error
    (``SO_ERROR``), so ask for that first.
    """
    if sys.platform == "linux":
        while True:
            try:
                _, messages, _, _ = sock.recvmsg(0, 512, socket.MSG_ERRQUEUE)
            except OSError:
                return None  # EAGAIN: the queue is empty
            for level, kind, data in messages:
                found = _extended_error(level, kind, data)
                if found is not None:
                    return found
    return None


def _extended_error(level: int, kind: int, data: bytes) -> tuple[int, Icmp] | None:
    """Return what a ``struct sock_extended_err`` says, and the offender's address after it."""
    if (level, kind) not in (
        (socket.IPPROTO_IP, _IP_RECVERR),
        (socket.IPPROTO_IPV6, _IPV6_RECVERR),
    ):
        return None
    version = _VERSION_OF_ORIGIN.get(data[4])
    if version is None:  # an error of this machine's own, which connect() or send() reports
        return None
    errno = int.from_bytes(data[:4], sys.byteorder)
    return errno, Icmp(version, data[5], data[6], _address(data[_EXTENDED_ERROR:]))


def _address(sockaddr: bytes) -> IPAddress | None:
    family = int.from_bytes(sockaddr[:2], sys.byteorder)
    if family == socket.AF_INET and len(sockaddr) >= 8:
        return IPv4Address(sockaddr[4:8])
    if family == socket.AF_INET6 and len(sockaddr) >= 24:
        return unmap(IPv6Address(sockaddr[8:24]))
    return None
