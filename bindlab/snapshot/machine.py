"""This machine as values: its interfaces through ifaddr, and what ifaddr does not tell."""

import socket
import sys
from collections.abc import Iterable
from ipaddress import IPv4Interface, IPv6Address, IPv6Interface
from typing import TYPE_CHECKING, Final

from bindlab.endpoint import is_zone
from bindlab.host import Host, System, Usual
from bindlab.interface import AddressState, Interface, InterfaceAddress
from bindlab.linux import Link, guest_of, has_sysctl, routing, sysctl_flag
from bindlab.snapshot.listing import Facts, listed
from bindlab.sockaddr import zone_of

if TYPE_CHECKING:
    from ifaddr import IP, Adapter

__all__ = ["interfaces", "system", "this_host"]

_UNKNOWN: Final = Link(0, "")
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
    adapters, facts = listed(kind)
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
    rules of one's own (``ip rule``) or a VRF they are unknown. Elsewhere both are unknown.
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


def _interface(name: str, adapters: list["Adapter"], facts: Facts) -> Interface:
    index = adapters[0].index or None
    link = facts.links.get(name, _UNKNOWN)
    if index not in (None, link.ifindex):
        link = _UNKNOWN  # another interface that has, or a moment later got, the same name
    index = index or link.ifindex or None
    told = None if link is _UNKNOWN else facts.states
    addresses: list[InterfaceAddress] = []
    states: list[tuple[IPv6Address, AddressState]] = []
    for ip in [ip for adapter in adapters for ip in adapter.ips]:
        try:
            if isinstance(ip.ip, str):
                addresses.append(_ipv4(ip.ip, ip.network_prefix))
                continue
            packed, plain, address = _ipv6(ip, name, index)
        except (OSError, TypeError, ValueError):  # no address at all
            continue
        addresses.append(address)
        if told is not None and (index or 0, packed) in told:
            states.append((plain, told[index or 0, packed]))
    nice_name = adapters[0].nice_name if adapters[0].name == name else name
    return Interface(
        name,
        index,
        nice_name or name,
        addresses,
        is_up=link.is_up,
        is_running=link.is_running,
        is_loopback=link.is_loopback,
        is_point_to_point=link.is_point_to_point,
        route_localnet=link.route_localnet,
        disable_ipv6=link.disable_ipv6,
        states=None if told is None else states,
        rp_filter=facts.rp_filter_of(link),
        kind=link.kind,
        master=facts.master_of(link),
    )


def _friendly_name(adapter: "Adapter", adapters: Iterable["Adapter"]) -> str:
    """Return what people call an adapter of Windows, with its index where others are called so."""
    called = {each.name for each in adapters if each.nice_name == adapter.nice_name}
    if not adapter.nice_name or (len(called) > 1 and not adapter.index):
        return adapter.name
    return adapter.nice_name + (f" (interface {adapter.index})" if len(called) > 1 else "")


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


def _bindv6only() -> bool | None:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as fresh:
            return bool(fresh.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))
    except (AttributeError, OSError):
        return None
