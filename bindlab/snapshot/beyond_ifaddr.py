"""What a system tells of its interfaces that ifaddr does not, and all of it when ifaddr fails.

Part of the snapshot edge: knows rtnetlink on Linux and an ioctl elsewhere. Answers are of the
calling thread's network namespace.
"""

import errno
import socket
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from bindlab.snapshot import rtnetlink
from bindlab.snapshot.netlink import Dumper
from bindlab.snapshot.rtnetlink import Link

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
        with Dumper() as dumper:
            links = {link.name: link for link in rtnetlink.links(dumper)}
            flags = {(a.ifindex, a.packed): a.flags for a in rtnetlink.addresses(dumper, 6)}
            if all(adapter.name in links for adapter in adapters):
                return Facts(links, flags)
            names = {link.ifindex: link.name for link in links.values()}
            labels: dict[str, str] = {}
            places: dict[tuple[str, str], int] = {}
            for place, address in enumerate(rtnetlink.addresses(dumper, 4)):
                name = names.get(address.ifindex, address.label)
                labels[address.label] = name
                places[name, socket.inet_ntop(socket.AF_INET, address.packed)] = place
            return Facts(links, flags, labels, places)
    except OSError:  # such as a sandbox that refuses netlink
        return Facts()


def facts_from_ioctl(adapters: Iterable["Adapter"]) -> Facts:
    """Return the flags of *adapters* as macOS and the BSDs tell them."""
    links: dict[str, Link] = {}
    for adapter in adapters:
        flags = flags_of(adapter.name)
        if flags is not None:
            links[adapter.name] = Link(adapter.index or 0, adapter.name, flags, None, None)
    return Facts(links)


def flags_of(name: str, request: int = _SIOCGIFFLAGS) -> int | None:
    """Return the ``IFF_...`` flags of the interface *name*, ``None`` where nobody says.

    netintro(4) of macOS and the BSDs; netdevice(7) of Linux, where *request* is 0x8913.
    """
    if sys.platform != "win32":
        from fcntl import ioctl

        try:
            asked = name.encode().ljust(_IFREQ_SIZE, b"\0")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
                answer = ioctl(asking.fileno(), request, asked)
            return int.from_bytes(answer[_IFR_NAME_SIZE : _IFR_NAME_SIZE + 2], sys.byteorder)
        except (OSError, ValueError):
            pass
    return None


def adapters_without_ifaddr(reason: Exception) -> list["Adapter"]:
    """Return what ifaddr would have listed, had it not raised *reason*, from Linux's tables.

    Where there are none it is an ``OSError`` with *reason* as its cause.
    """
    import ifaddr

    adapters: dict[int, Adapter] = {}
    try:
        with Dumper() as dumper:
            for link in rtnetlink.links(dumper):
                adapters[link.ifindex] = ifaddr.Adapter(link.name, link.name, [], link.ifindex)
            for version, family in ((4, socket.AF_INET), (6, socket.AF_INET6)):
                for address in rtnetlink.addresses(dumper, version):
                    if address.ifindex in adapters:
                        text = socket.inet_ntop(family, address.packed)
                        ip = ifaddr.IP(
                            text if version == 4 else (text, 0, 0),
                            address.prefix_length,
                            address.label,
                        )
                        adapters[address.ifindex].ips.append(ip)
    except OSError:
        code = (reason.errno if isinstance(reason, OSError) else None) or errno.EIO
        raise OSError(code, f"ifaddr cannot list the interfaces: {reason!r}") from reason
    return list(adapters.values())
