"""What Linux tells of its links, addresses and local routes: rtnetlink(7).

Knows the messages of ``<linux/rtnetlink.h>``, as far as delivery depends on them. Answers
are of the network namespace of the thread that made the :class:`Dumper`.
"""

import os
import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final, NamedTuple

from bindlab.snapshot.netlink import Dumper, Span, attribute, attributes

__all__ = [
    "AF_INET",
    "AF_INET6",
    "IFA_F_DADFAILED",
    "IFA_F_DEPRECATED",
    "IFA_F_OPTIMISTIC",
    "IFA_F_TEMPORARY",
    "IFA_F_TENTATIVE",
    "Link",
    "LinkAddress",
    "address_of",
    "addresses",
    "links",
    "local_routes",
    "network_of",
]

RTM_GETLINK: Final = 18
RTM_GETADDR: Final = 22
RTM_GETROUTE: Final = 26

IFA_F_TEMPORARY: Final = 0x01
IFA_F_OPTIMISTIC: Final = 0x04
IFA_F_DADFAILED: Final = 0x08
IFA_F_DEPRECATED: Final = 0x20
IFA_F_TENTATIVE: Final = 0x40

_IFLA_IFNAME, _IFLA_AF_SPEC, _IFLA_EXT_MASK = 3, 26, 29
_IFA_ADDRESS, _IFA_LOCAL, _IFA_LABEL, _IFA_FLAGS = 1, 2, 3, 8
_RTA_DST, _RTA_TABLE = 1, 15
_RTN_LOCAL, _RT_TABLE_LOCAL = 2, 255

# Linux's own numbers: socket.AF_INET6 is another one on other systems.
AF_INET, AF_INET6 = 2, 10

# Where a link's settings lie: in the arrays of <linux/ip.h> (IPV4_DEVCONF_ROUTE_LOCALNET,
# counted from 1 there) and <linux/ipv6.h> (DEVCONF_DISABLE_IPV6), both of 32-bit words.
_IFLA_INET_CONF, _ROUTE_LOCALNET = 1, 25 * 4
_IFLA_INET6_CONF, _DISABLE_IPV6 = 2, 26 * 4

_LINK = struct.Struct("=BxHiII")  # struct ifinfomsg
_ADDRESS = struct.Struct("=BBBBI")  # struct ifaddrmsg
_ROUTE = struct.Struct("=BBBBBBBBI")  # struct rtmsg
_WORD = struct.Struct("=I")
# RTEXT_FILTER_SKIP_STATS: without the counters, which are most of a link's message.
_WITHOUT_STATISTICS = struct.pack("=HHI", 8, _IFLA_EXT_MASK, 1 << 3)


class Link(NamedTuple):
    """A network interface: its name as ``os.fsdecode()`` reads it, its ``IFF_...`` flags."""

    ifindex: int
    name: str
    flags: int
    route_localnet: bool | None
    disable_ipv6: bool | None


class LinkAddress(NamedTuple):
    """An address in network byte order, with its ``IFA_F_...`` flags and IPv4 label."""

    ifindex: int
    packed: bytes
    prefix_length: int
    flags: int
    label: str


def links(dumper: Dumper) -> Iterator[Link]:
    """Return every interface, whether or not it has addresses (``RTM_GETLINK``)."""
    request = _LINK.pack(0, 0, 0, 0, 0) + _WITHOUT_STATISTICS
    for message in dumper.dump(RTM_GETLINK, request):
        _, _, index, flags, _ = _LINK.unpack_from(message)
        everything = (_LINK.size, len(message))
        start, end = attribute(message, _IFLA_IFNAME, everything)
        settings = attribute(message, _IFLA_AF_SPEC, everything)
        yield Link(
            index,
            os.fsdecode(message[start:end].rstrip(b"\0")),
            flags,
            _setting(message, settings, AF_INET, _IFLA_INET_CONF, _ROUTE_LOCALNET),
            _setting(message, settings, AF_INET6, _IFLA_INET6_CONF, _DISABLE_IPV6),
        )


def addresses(dumper: Dumper, version: int) -> Iterator[LinkAddress]:
    """Return every address of IP *version* 4 or 6 (``RTM_GETADDR``), never a peer's."""
    family = AF_INET if version == 4 else AF_INET6
    for message in dumper.dump(RTM_GETADDR, _ADDRESS.pack(family, 0, 0, 0, 0)):
        answered, prefix_length, flags, _, index = _ADDRESS.unpack_from(message)
        if answered != family:  # a kernel without this family lists all that it has
            continue
        found = attributes(message, _ADDRESS.size)
        # IFA_ADDRESS is the other end's on a point-to-point link, if there is IFA_LOCAL.
        packed = found.get(_IFA_LOCAL) or found.get(_IFA_ADDRESS, b"")
        if _IFA_FLAGS in found:  # all 32 bits of them
            (flags,) = _WORD.unpack(found[_IFA_FLAGS])
        label = os.fsdecode(found[_IFA_LABEL].rstrip(b"\0")) if _IFA_LABEL in found else ""
        yield LinkAddress(index, packed, prefix_length, flags, label)


def local_routes(dumper: Dumper) -> Iterator[tuple[bytes, int]]:
    """Return what the table ``local`` delivers here: packed networks with prefix lengths.

    That is ``ip route show table local type local``, for both versions of IP: a /32 or /128
    for each own address, 127.0.0.0/8, and what ``ip route add local`` added.
    """
    dumper.filter_in_kernel()
    for family, size in ((AF_INET, 4), (AF_INET6, 16)):
        request = _ROUTE.pack(family, 0, 0, 0, _RT_TABLE_LOCAL, 0, 0, _RTN_LOCAL, 0)
        try:
            messages = dumper.dump(RTM_GETROUTE, request)
        except FileNotFoundError:  # a namespace that never had an address has no such table
            continue
        for message in messages:
            answered, length, _, _, table, _, _, kind, _ = _ROUTE.unpack_from(message)
            if answered != family or kind != _RTN_LOCAL:
                continue
            found = attributes(message, _ROUTE.size)
            if _RTA_TABLE in found:
                (table,) = _WORD.unpack(found[_RTA_TABLE])
            if table == _RT_TABLE_LOCAL:
                yield found.get(_RTA_DST, bytes(size)), length


def address_of(packed: bytes) -> IPv4Address | IPv6Address:
    """Return the address of 4 or 16 bytes."""
    return IPv4Address(packed) if len(packed) == 4 else IPv6Address(packed)


def network_of(packed: bytes, length: int) -> IPv4Network | IPv6Network:
    """Return the network that an address of 4 or 16 bytes is in, with a prefix of *length*."""
    bits = int.from_bytes(packed)
    if len(packed) == 4:
        return IPv4Network((bits, length), strict=False)
    return IPv6Network((bits, length), strict=False)


def _setting(message: bytes, span: Span, family: int, array: int, offset: int) -> bool | None:
    start, end = attribute(message, array, attribute(message, family, span))
    if end - start < offset + _WORD.size:  # an older kernel has shorter arrays
        return None
    (value,) = _WORD.unpack_from(message, start + offset)
    return bool(value)
