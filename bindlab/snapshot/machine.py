"""This machine as values: its interfaces through ifaddr, and what ifaddr does not tell."""

import functools
import socket
import sys
from collections.abc import Iterable
from ipaddress import IPv4Interface, IPv6Address, IPv6Interface
from typing import TYPE_CHECKING, Final

from bindlab.endpoint import is_zone
from bindlab.host import Host, IPNetwork, System
from bindlab.interface import AddressState, Interface, InterfaceAddress
from bindlab.linux import (
    IFA_F_DADFAILED,
    IFA_F_DEPRECATED,
    IFA_F_OPTIMISTIC,
    IFA_F_TEMPORARY,
    IFA_F_TENTATIVE,
    IFF_LOOPBACK,
    IFF_POINTOPOINT,
    IFF_RUNNING,
    IFF_UP,
    Link,
    Netlink,
    routing,
    sysctl_flag,
)
from bindlab.route import Route
from bindlab.snapshot.beyond_ifaddr import (
    Facts,
    adapters_without_ifaddr,
    facts_from_ioctl,
    facts_from_netlink,
)
from bindlab.sockaddr import zone_of

if TYPE_CHECKING:
    from ifaddr import IP, Adapter

__all__ = ["interfaces", "system", "this_host"]

_STATES: Final = (
    (IFA_F_TENTATIVE, AddressState.TENTATIVE),
    (IFA_F_DADFAILED, AddressState.DAD_FAILED),
    (IFA_F_DEPRECATED, AddressState.DEPRECATED),
    (IFA_F_TEMPORARY, AddressState.TEMPORARY),
)

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


def interfaces() -> tuple[Interface, ...]:
    """Return the network interfaces of the calling thread's network namespace, by index.

    Names and addresses come from ifaddr (getifaddrs(3); GetAdaptersAddresses on Windows), with
    an alias such as ``eth0:1`` (netdevice(7)) counted with its interface. Up, running, loopback
    and point-to-point come from rtnetlink(7) on Linux and SIOCGIFFLAGS on macOS and the BSDs;
    ``route_localnet``, ``disable_ipv6`` and the states of IPv6 addresses are Linux's. Each is
    ``None`` where the system does not say. An address of which nothing special is said is
    ``AddressState.PREFERRED``; an optimistic one (RFC 4429) is in use, so it is not tentative.

    An interface without addresses is listed. An impossible prefix length reads as the full
    one, and what is no IP address is left out. A name that is no text is written as
    ``os.fsdecode()`` writes it, with a ``display_name`` that can be printed.

    ifaddr gives up altogether on some interfaces. Then Linux's own tables are listed;
    elsewhere it is an ``OSError``, because a list that lacks addresses would claim that nobody
    reaches them. So is a system without memory or descriptors to spare.
    """
    import ifaddr

    try:
        adapters = list(ifaddr.get_adapters(include_unconfigured=True))
    # An AssertionError where there is no netmask, a UnicodeDecodeError where the name is no
    # UTF-8, and others under python -O.
    except Exception as error:
        adapters = adapters_without_ifaddr(error)
    facts = (facts_from_netlink if system() == "linux" else facts_from_ioctl)(adapters)
    groups: dict[str, list[Adapter]] = {}
    for adapter in adapters:
        groups.setdefault(_interface_name(adapter, facts), []).append(adapter)
    found = [_interface(name, group, facts) for name, group in groups.items()]
    return tuple(sorted(found, key=lambda i: (i.index is None, i.index or 0)))


def this_host() -> Host:
    """Return this machine: its interfaces, and the settings that decide delivery, as they are.

    What the system does not let us read is ``None``, unknown. ``bindv6only`` is what a new
    IPv6 socket says. ``strong_host`` is False on Linux, where no setting changes it
    (``rp_filter`` judges where a packet comes from), and unknown elsewhere, where it can be
    configured. ``route_localnet`` is Linux's alone: elsewhere it is assumed to be off.

    ``local_routes`` are the networks that Linux delivers to itself by a route of its table
    ``local``, own addresses left out: 127.0.0.0/8, a prefix on loopback, ``ip route add
    local``. ``routes`` are those by which Linux sends to others, where they alone decide: with
    rules of one's own (``ip rule``) or a VRF they are unknown. Elsewhere both are unknown. See
    :func:`interfaces` for errors.
    """
    name = system()
    found = interfaces()
    if name != "linux":
        return Host(found, name, bindv6only=_bindv6only(), strong_host=None, local_routes=None)
    local, routes = _routing(found)
    return Host(
        found,
        name,
        route_localnet=sysctl_flag("ipv4/conf/all/route_localnet"),
        bindv6only=_bindv6only(),
        strong_host=False,
        local_routes=local,
        routes=routes,
    )


def system(platform: str = sys.platform) -> System:
    """Return what *platform*, a value of ``sys.platform``, is to :class:`Host`.

    Android is Linux, iOS is macOS, Cygwin is Windows; any other system is taken for FreeBSD.

    >>> system("netbsd10")
    'freebsd'
    """
    return next(name for start, name in _SYSTEMS if platform.startswith(start))


def _interface_name(adapter: "Adapter", facts: Facts) -> str:
    name = adapter.name
    if name in facts.links:
        return name
    if name in facts.labels:
        return facts.labels[name]
    return name.partition(":")[0] or name or str(adapter.index or "?")


def _interface(name: str, adapters: list["Adapter"], facts: Facts) -> Interface:
    index = next((adapter.index for adapter in adapters if adapter.index), None)
    link = facts.links.get(name)
    if link is not None and index not in (None, link.ifindex):
        link = None  # another interface that has, or a moment later got, the same name
    index = index or (link.ifindex if link else None) or None
    ips = adapters[0].ips
    if len(adapters) > 1:
        ips = [ip for adapter in adapters for ip in adapter.ips]
        ips.sort(key=lambda ip: (ip.is_IPv6, facts.places.get((name, str(ip.ip)), 0)))
    flags_by_ip = facts.ipv6_flags if link else None
    addresses: list[InterfaceAddress] = []
    states: list[tuple[IPv6Address, AddressState]] = []
    for ip in ips:
        try:
            if isinstance(ip.ip, str):
                addresses.append(_ipv4(ip.ip, ip.network_prefix))
                continue
            packed, plain, address = _ipv6(ip, name, index)
        except (OSError, TypeError, ValueError):  # no address at all
            continue
        addresses.append(address)
        if flags_by_ip is not None and (flags := flags_by_ip.get((index or 0, packed))) is not None:
            states.append((plain, _state(flags)))
    nice_name = adapters[0].nice_name if adapters[0].name == name else name
    return Interface(
        name,
        index,
        nice_name or name,
        addresses,
        is_up=_flag(link, IFF_UP),
        is_running=_flag(link, IFF_RUNNING),
        is_loopback=_flag(link, IFF_LOOPBACK),
        is_point_to_point=_flag(link, IFF_POINTOPOINT),
        route_localnet=link.route_localnet if link else None,
        disable_ipv6=link.disable_ipv6 if link else None,
        states=None if flags_by_ip is None else states,
    )


def _flag(link: Link | None, bit: int) -> bool | None:
    return None if link is None else bool(link.flags & bit)


def _ipv4(text: str, prefix_length: int) -> IPv4Interface:
    # From a number: ipaddress takes three times as long to read text.
    packed = socket.inet_pton(socket.AF_INET, text)
    return IPv4Interface((int.from_bytes(packed), _prefix_length(prefix_length, 32)))


def _ipv6(ip: "IP", name: str, index: int | None) -> tuple[bytes, IPv6Address, IPv6Interface]:
    text, scope_id = str(ip.ip[0]), ip.ip[2]
    packed = socket.inet_pton(socket.AF_INET6, text)
    prefix_length = _prefix_length(ip.network_prefix, 128)
    if packed[0] != 0xFE or packed[1] & 0xC0 != 0x80:
        bits = int.from_bytes(packed)
        return packed, IPv6Address(bits), IPv6Interface((bits, prefix_length))
    # The scope id is the index (RFC 3493 section 3.3), save on a Windows interface that has
    # one for each version of IP.
    zone = zone_of(name, index) if scope_id in (0, index) else str(scope_id)
    zoned = f"{text}%{zone}" if is_zone(zone) else text
    return packed, IPv6Address(zoned), IPv6Interface((zoned, prefix_length))


def _prefix_length(claimed: object, full: int) -> int:
    return claimed if isinstance(claimed, int) and 0 <= claimed <= full else full


@functools.cache
def _state(flags: int) -> AddressState:
    if flags & IFA_F_OPTIMISTIC:
        flags &= ~IFA_F_TENTATIVE
    said = (state for bit, state in _STATES if flags & bit)
    return functools.reduce(AddressState.__or__, said, AddressState.PREFERRED)


def _bindv6only() -> bool | None:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as fresh:
            return bool(fresh.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))
    except (AttributeError, OSError):
        return None


def _routing(
    own: Iterable[Interface],
) -> tuple[tuple[IPNetwork, ...] | None, tuple[Route, ...] | None]:
    """Return what is delivered here, own addresses left out, and the routes to others."""
    names = {interface.index: interface.name for interface in own if interface.index is not None}
    addresses = {address.packed for interface in own for address in interface.addresses}
    try:
        with Netlink() as netlink:
            local, away = routing(netlink, names)
    except OSError:
        return None, None
    return tuple(n for n in local if n.num_addresses > 1 or n[0].packed not in addresses), away
