"""The network interfaces and their addresses, as Linux tells them: rtnetlink(7)."""

import functools
import os
import socket
import struct
from typing import Final, NamedTuple

from bindlab.endpoint import IPAddress
from bindlab.interface import AddressState
from bindlab.linux.netlink import Netlink, address, attributes, number, packed
from bindlab.linux.settings import sysctl_number

RTM_NEWLINK: Final = 16
RTM_GETLINK: Final = 18
RTM_NEWADDR: Final = 20
_RTM_GETADDR: Final = 22

# <linux/if.h>; the numbers are the same in the <net/if.h> of macOS and the BSDs.
IFF_UP, _IFF_LOOPBACK, _IFF_POINTOPOINT, _IFF_RUNNING = 0x1, 0x8, 0x10, 0x40
# <linux/if_addr.h>
_IFA_F_OPTIMISTIC, _IFA_F_TENTATIVE = 0x04, 0x40
_STATES = (
    (_IFA_F_TENTATIVE, AddressState.TENTATIVE),
    (0x08, AddressState.DAD_FAILED),
    (0x20, AddressState.DEPRECATED),
    (0x01, AddressState.TEMPORARY),
)

_IFLA_IFNAME, _IFLA_MASTER, _IFLA_LINKINFO, _IFLA_AF_SPEC, _IFLA_EXT_MASK = 3, 10, 18, 26, 29
_IFLA_INFO_KIND = 1
_IFA_ADDRESS, _IFA_LOCAL, _IFA_FLAGS = 1, 2, 8
_RTEXT_FILTER_SKIP_STATS = 1 << 3  # without the counters, which are most of a link's message
_IFNAMSIZ = 16  # with the final NUL

# Where a link's settings are: in the arrays of <linux/ip.h> (IPV4_DEVCONF_..., counted from 1
# there) and <linux/ipv6.h> (DEVCONF_DISABLE_IPV6), both of 32-bit words.
_IFLA_INET_CONF, _RP_FILTER, _ROUTE_LOCALNET = 1, slice(4 * 7, 4 * 8), slice(4 * 25, 4 * 26)
_IFLA_INET6_CONF, _DISABLE_IPV6 = 2, slice(4 * 26, 4 * 27)

_IFINFOMSG = struct.Struct("=BxHiII")
_IFADDRMSG = struct.Struct("=BBBBI")


class Link(NamedTuple):
    """A network interface: its index, its name as ``os.fsdecode()`` reads it, and what is said.

    *said* has the names and values of the fields of :class:`bindlab.Interface`; what the system
    does not say is not in it.
    """

    ifindex: int
    name: str
    said: dict[str, object]


class LinkAddress(NamedTuple):
    """An address of an interface, in network byte order."""

    ifindex: int
    packed: bytes
    prefix_length: int
    state: AddressState

    @property
    def ip(self) -> IPAddress:
        """The address, without a zone."""
        return address(self.packed)


def links(netlink: Netlink) -> list[Link]:
    """Return every interface, whether or not it has addresses (``RTM_GETLINK``)."""
    rp_filter = sysctl_number("ipv4/conf/all/rp_filter")
    masters: dict[int, int] = {}

    def parse(message: bytes) -> Link:
        _, _, index, flags, _ = _IFINFOMSG.unpack_from(message)
        found = attributes(message, _IFINFOMSG.size)
        name = _name(found[_IFLA_IFNAME])
        if not name or index < 1:
            raise ValueError(f"interface {index} is called {name!r}")
        masters[index] = number(found.get(_IFLA_MASTER))
        kind = attributes(found.get(_IFLA_LINKINFO, b"")).get(_IFLA_INFO_KIND, b"")
        said = {"kind": os.fsdecode(kind.partition(b"\0")[0]), **said_by_flags(flags)}
        by_family = attributes(found.get(_IFLA_AF_SPEC, b""))
        ipv4 = attributes(by_family.get(socket.AF_INET, b"")).get(_IFLA_INET_CONF, b"")
        ipv6 = attributes(by_family.get(socket.AF_INET6, b"")).get(_IFLA_INET6_CONF, b"")
        if len(ipv4) >= _ROUTE_LOCALNET.stop:  # an older kernel has shorter arrays
            said["route_localnet"] = any(ipv4[_ROUTE_LOCALNET])
        if len(ipv4) >= _RP_FILTER.stop and rp_filter is not None:
            # Linux takes any number, and 3 for 2 (__fib_validate_source).
            said["rp_filter"] = min(max(rp_filter, number(ipv4[_RP_FILTER])), 2)
        if len(ipv6) >= _DISABLE_IPV6.stop:
            said["disable_ipv6"] = any(ipv6[_DISABLE_IPV6])
        return Link(index, name, said)

    without_counters = packed([(_IFLA_EXT_MASK, _RTEXT_FILTER_SKIP_STATS)])
    found = netlink.dump(RTM_GETLINK, ifinfomsg() + without_counters, parse)
    names = {0: "", **{link.ifindex: link.name for link in found}}
    for link in found:  # a master in another namespace has no name here
        link.said["master"] = names.get(masters[link.ifindex])
    return found


def said_by_flags(flags: int) -> dict[str, object]:
    """Return what the ``IFF_...`` flags of an interface say."""
    return {
        "is_up": bool(flags & IFF_UP),
        "is_running": bool(flags & _IFF_RUNNING),
        "is_loopback": bool(flags & _IFF_LOOPBACK),
        "is_point_to_point": bool(flags & _IFF_POINTOPOINT),
    }


def addresses(netlink: Netlink, version: int) -> list[LinkAddress]:
    """Return every address of IP *version* 4 or 6 (``RTM_GETADDR``), never a peer's."""
    family, size = (socket.AF_INET, 4) if version == 4 else (socket.AF_INET6, 16)

    def parse(message: bytes) -> LinkAddress | None:
        answered, prefix_length, flags, _, index = _IFADDRMSG.unpack_from(message)
        if answered != family:  # a kernel without this family lists all that it has
            return None
        found = attributes(message, _IFADDRMSG.size)
        # IFA_ADDRESS is the other end's on a point-to-point link, if there is IFA_LOCAL.
        ip = found[_IFA_LOCAL if _IFA_LOCAL in found else _IFA_ADDRESS]
        if len(ip) != size or prefix_length > 8 * size:
            raise ValueError(f"an address has {len(ip)} bytes, and {prefix_length} bits of prefix")
        flags = number(found.get(_IFA_FLAGS), flags)  # all 32 bits, where the kernel knows them
        return LinkAddress(index, ip, prefix_length, _state(flags))

    return netlink.dump(_RTM_GETADDR, ifaddrmsg(family), parse)


def link_attributes(netlink: Netlink, name: str) -> dict[int, bytes]:
    """Return what the kernel says of the interface called *name*: ``IFLA_...``, by number."""

    def parse(message: bytes) -> dict[int, bytes]:
        return attributes(message, _IFINFOMSG.size)

    return netlink.get(RTM_GETLINK, ifinfomsg() + packed([(_IFLA_IFNAME, name)]), parse)


def ifinfomsg(flags: int = 0, mask: int = 0) -> bytes:
    """Return the structure that begins a message about a link.

    Those of its ``IFF_...`` *flags* that are in *mask* are set or unset.
    """
    return _IFINFOMSG.pack(socket.AF_UNSPEC, 0, 0, flags, mask)


def ifaddrmsg(
    family: int, prefix_length: int = 0, flags: int = 0, scope: int = 0, index: int = 0
) -> bytes:
    """Return the structure that begins a message about an address."""
    return _IFADDRMSG.pack(family, prefix_length, flags, scope, index)


@functools.cache
def _state(flags: int) -> AddressState:
    if flags & _IFA_F_OPTIMISTIC:  # in use meanwhile (RFC 4429)
        flags &= ~_IFA_F_TENTATIVE
    said = (state for bit, state in _STATES if flags & bit)
    return functools.reduce(AddressState.__or__, said, AddressState.PREFERRED)


def _name(data: bytes) -> str:
    name, _, _ = data.partition(b"\0")
    if len(name) >= _IFNAMSIZ:
        raise ValueError(f"{name!r} is no interface name")
    return os.fsdecode(name)
