"""This machine as values: its interfaces through ifaddr, and what ifaddr does not tell."""

import errno
import socket
import sys
from collections.abc import Mapping
from ipaddress import IPv4Interface, IPv6Interface
from typing import TYPE_CHECKING, Final, NamedTuple

from bindlab.endpoint import IPAddress, is_zone, parse_address
from bindlab.host import Host, System, Usual
from bindlab.interface import AddressState, Interface, InterfaceAddress
from bindlab.linux import (
    Link,
    Netlink,
    addresses,
    guest_of,
    has_sysctl,
    links,
    routing,
    said_by_flags,
    sysctl_flag,
)
from bindlab.sockaddr import zone_of

if TYPE_CHECKING:
    from ifaddr import IP, Adapter

# <sys/sockio.h> of macOS and the BSDs: _IOWR('i', 17, struct ifreq).
_SIOCGIFFLAGS: Final = 0xC0206911
_IFREQ_SIZE, _IFR_NAME_SIZE = 40, 16
_LINK_LOCAL: Final = 0xFE80 >> 6  # the first 10 bits of fe80::/10
_ROUTE_LOCALNET: Final = "ipv4/conf/all/route_localnet"
# By the beginning of sys.platform. Any other system counts as FreeBSD, whose ancestor's network
# code most of them have; in a snapshot its settings are unknown anyway.
_SYSTEMS: Final[tuple[tuple[str, System], ...]] = (
    ("linux", "linux"),
    ("android", "linux"),
    ("darwin", "macos"),
    ("ios", "macos"),
    ("win32", "windows"),
    ("cygwin", "windows"),
    ("openbsd", "openbsd"),
    ("", "freebsd"),
)


class Facts(NamedTuple):
    """What is known besides ifaddr's answer; whatever is not known is not in it."""

    links: Mapping[str, Link] = {}
    states: Mapping[tuple[int, bytes], AddressState] | None = None
    """What is said of IPv6 addresses, by interface index and packed address."""


def interfaces() -> tuple[Interface, ...]:
    """Return the network interfaces of the calling thread's network namespace, by index.

    Names and addresses come from ifaddr (getifaddrs(3); GetAdaptersAddresses on Windows), or
    from Linux's own tables where an address has a label such as ``eth0:1`` (netdevice(7)), which
    ifaddr takes for an interface. Up, running, loopback and point-to-point come from
    rtnetlink(7) on Linux and SIOCGIFFLAGS on macOS and the BSDs; the rest is
    Linux's: settings, kinds, masters, and the states of IPv6 addresses. Each is ``None`` where
    the system does not say. An address of which nothing special is said is
    ``AddressState.PREFERRED``; an optimistic one (RFC 4429) is in use, so it is not tentative.

    On Windows a name is the one for people, with the index where several have the same.

    An interface without addresses is listed. An impossible prefix length reads as the full
    one, and what is no IP address is left out. A name that is no text is written as
    ``os.fsdecode()`` writes it, with a ``display_name`` that can be printed.

    ifaddr gives up altogether on some interfaces. Then Linux's own tables are listed;
    elsewhere it is an ``OSError``, because a list that lacks addresses would claim that nobody
    reaches them. So is a system without memory or descriptors to spare.
    """
    kind = system()
    adapters, facts = _listed(kind)
    groups: dict[str, list[Adapter]] = {}
    for adapter in adapters:
        if kind == "windows":
            name = _friendly_name(adapter, adapters)
        else:
            name = adapter.name.partition(":")[0] or adapter.name
        groups.setdefault(name or str(adapter.index or "?"), []).append(adapter)
    found = [_interface(name, group, facts) for name, group in groups.items()]
    return tuple(sorted(found, key=lambda i: (i.index is None, i.index or 0)))


def this_host() -> Host:
    """Return this machine: its interfaces, and the settings that decide delivery, as they are.

    What the system does not let us read is ``None``, unknown. ``bindv6only`` is what a new
    IPv6 socket says. ``strong_host`` is False on Linux, where no setting changes it
    (``rp_filter`` judges where a packet comes from), and unknown elsewhere, where it can be
    configured. ``route_localnet`` is Linux's alone: elsewhere it is assumed to be off, and so it is
    where a network stack beside Linux's own (gVisor) has no such setting.

    ``local_routes`` are the networks that Linux delivers to itself by a route of its table
    ``local``, own addresses left out: 127.0.0.0/8, a prefix on loopback, ``ip route add
    local``. ``routes`` are those by which Linux sends to others, where they alone decide: with
    rules (``ip rule``) that tell addresses, users or devices apart, as that of a VRF does, they
    are unknown. Elsewhere both are unknown.
    ``guest`` is looked for on Linux only. See :func:`interfaces` for errors.
    """
    name = system()
    found = interfaces()
    if name != "linux":
        return Host(found, name, bindv6only=_bindv6only(), strong_host=None, local_routes=None)
    known = routing(found)
    return Host(
        found,
        name,
        route_localnet=(sysctl_flag(_ROUTE_LOCALNET) if has_sysctl(_ROUTE_LOCALNET) else Usual()),
        bindv6only=_bindv6only(),
        strong_host=False,
        tcp_l3mdev_accept=sysctl_flag("ipv4/tcp_l3mdev_accept"),
        udp_l3mdev_accept=sysctl_flag("ipv4/udp_l3mdev_accept"),
        local_routes=known.local,
        routes=known.away,
        guest=guest_of(found, known.away),
    )


def system(platform: str = sys.platform) -> System:
    """Return what *platform*, a value of ``sys.platform``, is to :class:`Host`.

    Android is Linux, iOS is macOS, Cygwin is Windows; any other system is taken for FreeBSD.

    >>> system("netbsd10")
    'freebsd'
    """
    return next(name for start, name in _SYSTEMS if platform.startswith(start))


def _listed(kind: System) -> tuple[list["Adapter"], Facts]:
    """Return what ifaddr lists, or Linux's own tables say, and what else is known of it."""
    import ifaddr

    facts = _facts_of_linux() if kind == "linux" else Facts()
    try:
        adapters = list(ifaddr.get_adapters(include_unconfigured=True))
    # An AssertionError where there is no netmask, a UnicodeDecodeError where the name is no
    # UTF-8, and others under python -O.
    except Exception as error:
        if facts.links:
            return _adapters_of_linux(), facts
        code = (error.errno if isinstance(error, OSError) else None) or errno.EIO
        raise OSError(code, f"ifaddr cannot list the interfaces: {error!r}") from error
    if kind != "linux":
        told = (Link(each.index or 0, each.name, said_by_ioctl(each.name)) for each in adapters)
        return adapters, Facts({link.name: link for link in told})
    # ifaddr takes the label of an address, such as eth0:1, for the name of an interface.
    if facts.links and any(adapter.name not in facts.links for adapter in adapters):
        return _adapters_of_linux(), facts
    return adapters, facts


def _facts_of_linux() -> Facts:
    try:
        with Netlink() as netlink:
            return Facts(
                {link.name: link for link in links(netlink)},
                {(each.ifindex, each.packed): each.state for each in addresses(netlink, 6)},
            )
    except OSError:  # such as a sandbox that refuses netlink
        return Facts()


def _adapters_of_linux() -> list["Adapter"]:
    """Return what ifaddr would have listed, from Linux's own tables; without any an ``OSError``."""
    import ifaddr

    with Netlink() as netlink:
        found = {
            link.ifindex: ifaddr.Adapter(link.name, link.name, [], link.ifindex)
            for link in links(netlink)
        }
        for each in [*addresses(netlink, 4), *addresses(netlink, 6)]:
            if (adapter := found.get(each.ifindex)) is not None:
                text = str(each.ip)
                ip = text if each.ip.version == 4 else (text, 0, 0)
                adapter.ips.append(ifaddr.IP(ip, each.prefix_length, adapter.name))
    return list(found.values())


def said_by_ioctl(name: str) -> dict[str, object]:
    """Return what the flags of the interface *name* say: netintro(4) of macOS and the BSDs."""
    if sys.platform != "win32":
        from fcntl import ioctl

        try:
            asked = name.encode().ljust(_IFREQ_SIZE, b"\0")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
                answer = ioctl(asking.fileno(), _SIOCGIFFLAGS, asked)
            flags = answer[_IFR_NAME_SIZE : _IFR_NAME_SIZE + 2]
            return said_by_flags(int.from_bytes(flags, sys.byteorder))
        except (OSError, ValueError):
            pass
    return {}


def _interface(name: str, adapters: list["Adapter"], facts: Facts) -> Interface:
    index = adapters[0].index or None
    link = facts.links.get(name)
    if link is not None and index not in (None, link.ifindex):
        link = None  # another interface that has, or a moment later got, the same name
    index = index or (link.ifindex if link else None) or None
    listed = (_address(ip, name, index) for adapter in adapters for ip in adapter.ips)
    found = [address for address in listed if address is not None]
    states: list[tuple[IPAddress, AddressState]] | None = None
    if link is not None and facts.states is not None:
        known = facts.states
        states = [
            (parse_address(address), known[link.ifindex, address.packed])
            for address in found
            if address.version == 6 and (link.ifindex, address.packed) in known
        ]
    nice_name = adapters[0].nice_name if adapters[0].name == name else name
    said = link.said if link else {}
    return Interface.from_document(
        {
            "name": name,
            "index": index,
            "display_name": nice_name or name,
            "addresses": found,
            "states": states,
            **said,
        }
    )


def _friendly_name(adapter: "Adapter", adapters: list["Adapter"]) -> str:
    """Return what people call an adapter of Windows, with its index where others are called so."""
    called = {each.name for each in adapters if each.nice_name == adapter.nice_name}
    if not adapter.nice_name or (len(called) > 1 and not adapter.index):
        return adapter.name
    return adapter.nice_name + (f" (interface {adapter.index})" if len(called) > 1 else "")


def _address(ip: "IP", name: str, index: int | None) -> InterfaceAddress | None:
    """Return what ifaddr lists as an address, ``None`` if it is none."""
    try:
        if isinstance(ip.ip, str):
            # From a number: ipaddress takes three times as long to read text.
            bits = int.from_bytes(socket.inet_pton(socket.AF_INET, ip.ip))
            return IPv4Interface((bits, _prefix_length(ip.network_prefix, 32)))
        text, scope_id = str(ip.ip[0]), ip.ip[2]
        bits = int.from_bytes(socket.inet_pton(socket.AF_INET6, text))
        prefix_length = _prefix_length(ip.network_prefix, 128)
        if bits >> 118 != _LINK_LOCAL:
            return IPv6Interface((bits, prefix_length))
        # The scope id is the index (RFC 3493 section 3.3), save on a Windows interface that has
        # one for each version of IP.
        zone = zone_of(name, index) if scope_id in (0, index) else str(scope_id)
        return IPv6Interface((f"{text}%{zone}" if is_zone(zone) else text, prefix_length))
    except (OSError, TypeError, ValueError):
        return None


def _prefix_length(claimed: object, full: int) -> int:
    return claimed if isinstance(claimed, int) and 0 <= claimed <= full else full


def _bindv6only() -> bool | None:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as fresh:
            return bool(fresh.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))
    except (AttributeError, OSError):
        return None
