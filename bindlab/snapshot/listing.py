"""What this system lists: its interfaces through ifaddr, and what ifaddr does not tell."""

import errno
import socket
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from bindlab.host import System
from bindlab.interface import AddressState
from bindlab.linux import Link, Netlink, addresses, links, sysctl_number

if TYPE_CHECKING:
    from ifaddr import Adapter

__all__ = ["Facts", "flags_of", "listed"]

# <sys/sockio.h> of macOS and the BSDs: _IOWR('i', 17, struct ifreq).
_SIOCGIFFLAGS: Final = 0xC0206911
_IFREQ_SIZE, _IFR_NAME_SIZE = 40, 16


class Facts(NamedTuple):
    """What is known besides ifaddr's answer; whatever is not known is not in it."""

    links: Mapping[str, Link] = {}
    states: Mapping[tuple[int, bytes], AddressState] | None = None
    """What is said of IPv6 addresses, by interface index and packed address."""
    rp_filter: int | None = None
    """Linux's setting ``rp_filter`` of all interfaces."""

    def master_of(self, link: Link) -> str | None:
        """Return the name of the interface that *link* is a port of, ``""`` for none."""
        if not link.master:
            return None if link.master is None else ""
        return next((i.name for i in self.links.values() if i.ifindex == link.master), None)

    def rp_filter_of(self, link: Link) -> int | None:
        """Return the ``rp_filter`` that holds for *link*: the greater of its own and all's."""
        if self.rp_filter is None or link.rp_filter is None:
            return None
        return max(self.rp_filter, link.rp_filter)


def listed(system: System) -> tuple[list["Adapter"], Facts]:
    """Return what ifaddr lists, or Linux's own tables say, and what else is known of it."""
    import ifaddr

    try:
        adapters = list(ifaddr.get_adapters(include_unconfigured=True))
    # An AssertionError where there is no netmask, a UnicodeDecodeError where the name is no
    # UTF-8, and others under python -O.
    except Exception as error:
        try:
            return _adapters_from_netlink(), _facts_from_netlink()
        except OSError:
            code = (error.errno if isinstance(error, OSError) else None) or errno.EIO
            raise OSError(code, f"ifaddr cannot list the interfaces: {error!r}") from error
    if system != "linux":
        return adapters, _facts_from_ioctl(adapters)
    facts = _facts_from_netlink()
    # ifaddr takes the label of an address, such as eth0:1, for the name of an interface.
    if facts.links and not {adapter.name for adapter in adapters} <= facts.links.keys():
        with suppress(OSError):
            return _adapters_from_netlink(), facts
    return adapters, facts


def _facts_from_netlink() -> Facts:
    """Return what Linux tells, and nothing where it has no netlink to ask."""
    try:
        with Netlink() as netlink:
            return Facts(
                {link.name: link for link in links(netlink)},
                {(each.ifindex, each.packed): each.state for each in addresses(netlink, 6)},
                sysctl_number("ipv4/conf/all/rp_filter"),
            )
    except OSError:  # such as a sandbox that refuses netlink
        return Facts()


def _facts_from_ioctl(adapters: Iterable["Adapter"]) -> Facts:
    """Return the flags of *adapters* as macOS and the BSDs tell them."""
    known: dict[str, Link] = {}
    for adapter in adapters:
        flags = flags_of(adapter.name)
        if flags is not None:
            known[adapter.name] = Link.from_flags(adapter.index or 0, adapter.name, flags)
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


def _adapters_from_netlink() -> list["Adapter"]:
    """Return what ifaddr would have listed, from Linux's own tables; without any an ``OSError``."""
    import ifaddr

    with Netlink() as netlink:
        adapters = {
            link.ifindex: ifaddr.Adapter(link.name, link.name, [], link.ifindex)
            for link in links(netlink)
        }
        for version in (4, 6):
            for each in addresses(netlink, version):
                if (adapter := adapters.get(each.ifindex)) is not None:
                    text = str(each.ip)
                    ip = text if version == 4 else (text, 0, 0)
                    adapter.ips.append(ifaddr.IP(ip, each.prefix_length, adapter.name))
        return list(adapters.values())
