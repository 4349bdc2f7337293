"""What a host of the lab is to look like: its interfaces, routes and settings, as values."""

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import TypeAlias

from bindlab.endpoint import IPAddress, parse_address
from bindlab.interface import InterfaceAddress
from bindlab.lab.checks import (
    check_addresses,
    check_routes,
    check_settings,
    file_text,
    interface_address,
    interface_name,
    networks_of,
    sysctl_path,
    sysctl_value,
)
from bindlab.route import Route
from bindlab.value import Given, Value

Addresses: TypeAlias = str | Iterable[str | InterfaceAddress]
Routers: TypeAlias = str | IPAddress | Iterable[str | IPAddress]
Wiring: TypeAlias = "Machine | Mapping[str, Addresses | Nic]"
_Nics: TypeAlias = "Mapping[str, Addresses | Nic] | Iterable[tuple[str, Addresses | Nic]]"
_Sysctls: TypeAlias = Mapping[str, int | str] | Iterable[tuple[str, int | str]]


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
        given = (self.addresses,) if isinstance(self.addresses, str) else self.addresses
        self._set(addresses=tuple(map(interface_address, given)), peer=_routers(self.peer))
        if self.network is not None:
            interface_name(self.network)
        check_settings(self._fields, vars(self))


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
            gateway=_routers(self.gateway),
            routes=tuple(map(_route, self.routes)),
            sysctl=tuple(
                (sysctl_path(key), sysctl_value(key, value))
                for key, value in dict(self.sysctl).items()
            ),
        )
        check_settings(self._fields, vars(self))
        file_text("a firewall, a ruleset for nft,", self.firewall)
        for name, nic in self.nics:
            ipv6 = not (self.disable_ipv6 or nic.disable_ipv6)
            check_addresses(name, nic.addresses, up=nic.up, ipv6=ipv6)
        if len({router.version for router in self.gateway}) < len(self.gateway):
            raise ValueError("two gateways of one family: give the other as a Route")
        check_routes(
            routes_of(self),
            own=(address.ip for _, nic in self.nics for address in nic.addresses),
            linked=(
                network
                for name, nic in self.nics
                if nic.up and name != "lo"
                for address in nic.addresses
                for network in networks_of(address, nic.peer)
            ),
        )


def routes_of(machine: Machine) -> tuple[Route, ...]:
    """Return the default routes by the gateways, and the other routes."""
    defaults = {4: "0.0.0.0/0", 6: "::/0"}
    by_gateway = (Route(defaults[each.version], gateway=each) for each in machine.gateway)
    return (*by_gateway, *machine.routes)


def _route(route: object) -> Route:
    if not isinstance(route, Route):
        write = "Route('10.0.0.0/8', gateway='10.0.0.1')"
        raise TypeError(f"a route is a Route, not {route!r}: write {write}")
    return route


def _routers(given: Routers) -> tuple[IPAddress, ...]:
    if isinstance(given, str | IPv4Address | IPv6Address):
        return (parse_address(given),)
    return tuple(map(parse_address, given))
