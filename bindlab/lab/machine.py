"""What a host of the lab is to look like: its interfaces, routes and settings, as values."""

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_interface
from typing import NamedTuple, TypeAlias

from bindlab.endpoint import IPAddress, parse_address
from bindlab.interface import InterfaceAddress
from bindlab.lab.checks import (
    check_addresses,
    check_router,
    checked_number,
    checked_switch,
    encodable,
    interface_name,
    net_sysctl,
    networks_of,
    sysctl_value,
)
from bindlab.route import Route
from bindlab.value import Given, Value

__all__ = ["Addresses", "Machine", "Nic", "Plan", "Wiring"]

Addresses: TypeAlias = str | Iterable[str | InterfaceAddress]
Routers: TypeAlias = str | IPAddress | Iterable[str | IPAddress]
Wiring: TypeAlias = "Machine | Mapping[str, Addresses | Nic]"
_Nics: TypeAlias = "Mapping[str, Addresses | Nic] | Iterable[tuple[str, Addresses | Nic]]"
_Sysctls: TypeAlias = Mapping[str, int | str] | Iterable[tuple[str, int | str]]

# The highest value of the settings that are numbers.
_RP_FILTER, _ARP_IGNORE = 2, 8


class Nic(Value):
    """A network interface of a :class:`Machine`, and the network that it is plugged into.

    *addresses* are ``"192.168.0.102/24"`` or a list of such, IPv4 and IPv6, added in that
    order and without duplicate address detection. *network* is the shared network's name;
    left out, it is the interface's own name. *peer* makes the addresses of its family
    point-to-point ones (``ip address add LOCAL peer PEER``).

    *up* is the administrator's switch, *carrier* whether the cable is plugged in at all.
    *bridge* makes this interface a bridge into which the other hosts of the network are
    plugged directly, as a container engine does. *link_local*: unless one is among
    *addresses*, an interface that is up with carrier gets one IPv6 link-local address.

    *rp_filter*, *arp_ignore*, *route_localnet* and *disable_ipv6* are Linux's settings of
    this one interface (kernel documentation, ip-sysctl); the machine's count too.
    """

    addresses: Given[Addresses, tuple[InterfaceAddress, ...]] = Given(default=())
    network: str | None = None
    peer: Given[Routers, tuple[IPAddress, ...]] = Given(default=())
    up: bool = True
    carrier: bool = True
    bridge: bool = False
    link_local: bool = True
    rp_filter: int = 0
    arp_ignore: int = 0
    route_localnet: bool = False
    disable_ipv6: bool = False

    def _check(self) -> None:
        self._set(
            addresses=_interface_addresses(self.addresses),
            peer=_addresses(self.peer),
        )
        if self.network is not None:
            interface_name(self.network)
        checked_switch("up", self.up)
        checked_switch("carrier", self.carrier)
        checked_switch("bridge", self.bridge)
        checked_switch("link_local", self.link_local)
        checked_number("rp_filter", self.rp_filter, _RP_FILTER)
        checked_number("arp_ignore", self.arp_ignore, _ARP_IGNORE)
        checked_switch("route_localnet", self.route_localnet)
        checked_switch("disable_ipv6", self.disable_ipv6)


class Machine(Value):
    """A host to be made: its interfaces by name, its routes, and the settings of its kernel.

    *nics* maps each interface's name to its addresses or its :class:`Nic`. ``"lo"`` is the
    loopback interface, which every host has, up, with 127.0.0.1/8 and ::1/128; what is
    given for it comes on top. *gateway* is the router of the default route, one or one for
    each family.

    *forwarding* makes it a router, for both families. *rp_filter* (0 none, 1 strict, 2
    loose), *arp_ignore*, *route_localnet* and *disable_ipv6* are set for all interfaces, and
    *bindv6only* for new sockets. They default to the kernel's own defaults whatever the
    surrounding system prefers. *sysctl* names any other: ``{"net.ipv4.tcp_ecn": 1}``.

    *firewall* is a ruleset for nft(8), which must be installed then; :func:`firewall` writes
    the usual ones.
    """

    nics: Given[_Nics, tuple[tuple[str, Nic], ...]] = Given(default=())
    gateway: Given[Routers, tuple[IPAddress, ...]] = Given(default=())
    routes: Given[Iterable[Route], tuple[Route, ...]] = Given(default=())
    forwarding: bool = False
    rp_filter: int = 0
    arp_ignore: int = 0
    route_localnet: bool = False
    disable_ipv6: bool = False
    bindv6only: bool = False
    sysctl: Given[_Sysctls, tuple[tuple[str, str], ...]] = Given(default=())
    firewall: str = ""

    def _check(self) -> None:
        if isinstance(self.nics, str):
            raise TypeError(f"a machine is its interfaces: write {{'wifi': {self.nics!r}}}")
        self._set(
            nics=tuple(
                (interface_name(name), nic if isinstance(nic, Nic) else Nic(nic))
                for name, nic in dict(self.nics).items()
            ),
            gateway=_addresses(self.gateway),
            routes=tuple(_route(route) for route in self.routes),
            sysctl=tuple(
                (net_sysctl(key), sysctl_value(key, value))
                for key, value in dict(self.sysctl).items()
            ),
        )
        checked_switch("forwarding", self.forwarding)
        checked_number("rp_filter", self.rp_filter, _RP_FILTER)
        checked_number("arp_ignore", self.arp_ignore, _ARP_IGNORE)
        checked_switch("route_localnet", self.route_localnet)
        checked_switch("disable_ipv6", self.disable_ipv6)
        checked_switch("bindv6only", self.bindv6only)
        encodable("a firewall, a ruleset for nft,", self.firewall)
        for name, nic in self.nics:
            ipv6 = not (self.disable_ipv6 or nic.disable_ipv6)
            check_addresses(name, nic.addresses, up=nic.up, ipv6=ipv6)
        self._check_routers()

    def _check_routers(self) -> None:
        """Raise ``ValueError`` for a way that leads to no neighbour, as the kernel would."""
        if len({router.version for router in self.gateway}) < len(self.gateway):
            raise ValueError("two gateways of one family: give the other as a Route")
        own = {address.ip for _, nic in self.nics for address in nic.addresses}
        linked = [
            network
            for name, nic in self.nics
            if nic.up and name != "lo"
            for address in nic.addresses
            for network in networks_of(address, nic.peer)
        ]
        for router in self.gateway:
            if router.version == 6 and router.is_link_local:
                raise ValueError(
                    f"the gateway {router} is on every link: write routes=[Route('::/0', "
                    f"'wifi', '{router}')]"
                )
            check_router(router, own, linked)
        for route in self.routes:
            if route.gateway is None:
                linked += [route.network] if route.refusal is None else []
            elif route.gateway.version == 4 or not route.gateway.is_link_local:
                check_router(route.gateway, own, linked)


class Plan(NamedTuple):
    """The machines of a network that is to be made."""

    machines: Mapping[str, Machine]


def _route(route: object) -> Route:
    if not isinstance(route, Route):
        write = "Route('10.0.0.0/8', gateway='10.0.0.1')"
        raise TypeError(f"a route is a Route, not {route!r}: write {write}")
    if route.refusal is None and route.interface is None:
        if route.gateway is None:
            raise ValueError(
                f"the route to {route.network} leads nowhere: give interface=, gateway= or both"
            )
        if route.gateway.version == 6 and route.gateway.is_link_local:
            raise ValueError(f"{route.gateway} is a router on every link: say which by interface=")
    return route


def _addresses(given: Routers) -> tuple[IPAddress, ...]:
    if isinstance(given, str | IPv4Address | IPv6Address):
        return (parse_address(given),)
    return tuple(map(parse_address, given))


def _interface_addresses(given: Addresses) -> tuple[InterfaceAddress, ...]:
    return tuple(map(_interface_address, (given,) if isinstance(given, str) else given))


def _interface_address(given: object) -> InterfaceAddress:
    if isinstance(given, IPv4Interface | IPv6Interface):
        return given
    if not isinstance(given, str):
        raise TypeError(f"an interface's address is text such as '10.0.0.1/24', not {given!r}")
    if "/" not in given:
        raise ValueError(
            f"{given!r} has no prefix length: write '192.168.0.102/24', or /32 or /128 for "
            "an address alone"
        )
    return ip_interface(given)
