"""What a system tells of its interfaces that ifaddr does not, and all of it when ifaddr fails."""

import errno
import socket
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from bindlab.linux import Link, Netlink, addresses, links

if TYPE_CHECKING:
    from ifaddr import Adapter

__all__ = ["Facts", "adapters_without_ifaddr", "facts_from_ioctl", "facts_from_netlink", "flags_of"]

# <sys/sockio.h> of macOS and the BSDs: _IOWR('i', 17, struct ifreq).
_SIOCGIFFLAGS: Final = 0xC0206911
_IFREQ_SIZE, _IFR_NAME_SIZE = 40, 16


class Facts(NamedTuple):
    """What is known besides ifaddr's answer; whatever is not known is not in it."""

    links: Mapping[str, Link] = {}
    ipv6_flags: Mapping[tuple[int, bytes], int] | None = None
    """``IFA_F_...`` flags, by interface index and packed address."""
    labels: Mapping[str, str] = {}
    """The interface that has an IPv4 address with this label (``eth0:1``)."""
    places: Mapping[tuple[str, str], int] = {}
    """The system's own order of IPv4 addresses, by interface name and address."""


def facts_from_netlink(adapters: Iterable["Adapter"]) -> Facts:
    """Return what Linux tells of *adapters*, and nothing where it has no netlink to ask."""
    try:
        with Netlink() as netlink:
            known = {link.name: link for link in links(netlink)}
            flags = {(each.ifindex, each.packed): each.flags for each in addresses(netlink, 6)}
            if all(adapter.name in known for adapter in adapters):
                return Facts(known, flags)
            names = {link.ifindex: link.name for link in known.values()}
            labels: dict[str, str] = {}
            places: dict[tuple[str, str], int] = {}
            for place, each in enumerate(addresses(netlink, 4)):
                name = names.get(each.ifindex, each.label)
                labels[each.label] = name
                places[name, str(each.ip)] = place
            return Facts(known, flags, labels, places)
    except OSError:  # such as a sandbox that refuses netlink
        return Facts()


def facts_from_ioctl(adapters: Iterable["Adapter"]) -> Facts:
    """Return the flags of *adapters* as macOS and the BSDs tell them."""
    known: dict[str, Link] = {}
    for adapter in adapters:
        flags = flags_of(adapter.name)
        if flags is not None:
            known[adapter.name] = Link(adapter.index or 0, adapter.name, flags, None, None)
    return Facts(known)


def flags_of(name: str) -> int | None:
    """Return the ``IFF_...`` flags of the interface *name*, ``None`` where nobody says.

    netintro(4) of macOS and the BSDs.
    """
    if sys.platform != "win32":
        from fcntl import ioctl

        try:
            asked = name.encode().ljust(_IFREQ_SIZE, b"\0")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
                answer = ioctl(asking.fileno(), _SIOCGIFFLAGS, asked)
            return int.from_bytes(answer[_IFR_NAME_SIZE : _IFR_NAME_SIZE + 2], sys.byteorder)
        except (OSError, ValueError):
            pass
    return None


def adapters_without_ifaddr(reason: Exception) -> list["Adapter"]:
    """Return what ifaddr would have listed, had it not raised *reason*, from Linux's tables.

    Where there are none it is an ``OSError`` with *reason* as its cause.
    """
    import ifaddr

    try:
        with Netlink() as netlink:
            adapters = {
                link.ifindex: ifaddr.Adapter(link.name, link.name, [], link.ifindex)
                for link in links(netlink)
            }
            for version in (4, 6):
                for each in addresses(netlink, version):
                    if each.ifindex in adapters:
                        text = str(each.ip)
                        ip = text if version == 4 else (text, 0, 0)
                        listed = ifaddr.IP(ip, each.prefix_length, each.label)
                        adapters[each.ifindex].ips.append(listed)
    except OSError:
        code = (reason.errno if isinstance(reason, OSError) else None) or errno.EIO
        raise OSError(code, f"ifaddr cannot list the interfaces: {reason!r}") from reason
    return list(adapters.values())
