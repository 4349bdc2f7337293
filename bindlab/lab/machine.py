"""What a host of the lab is to look like: its interfaces, routes and settings, as values.

Knows no kernel and no other host: builder.py and configure.py make what is said here.
"""

from collections.abc import Iterable, Mapping
from ipaddress import (
    IPv4Interface,
    IPv4Network,
    IPv6Interface,
    IPv6Network,
    ip_interface,
    ip_network,
)
from typing import Literal, NamedTuple, TypeAlias, get_args

from bindlab.endpoint import IPAddress, parse_address
from bindlab.lab.checks import (
    check_addresses,
    check_router,
    checked_level,
    checked_switch,
    encodable,
    interface_name,
    net_sysctl,
    networks_of,
    sysctl_value,
)
from bindlab.value import Value

__all__ = ["Addresses", "Machine", "Nic", "Plan", "Route", "RouteKind", "Wiring"]

Addresses: TypeAlias = str | Iterable[str]
Wiring: TypeAlias = "Machine | Mapping[str, Addresses | Nic]"
RouteKind: TypeAlias = Literal["unicast", "local", "blackhole", "unreachable", "prohibit"]


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

    __slots__ = (
        "addresses",
        "network",
        "peer",
        "up",
        "carrier",
        "bridge",
        "link_local",
        "rp_filter",
        "arp_ignore",
        "route_localnet",
        "disable_ipv6",
    )

    addresses: tuple[IPv4Interface | IPv6Interface, ...]
    network: str | None
    peer: tuple[IPAddress, ...]
    up: bool
    carrier: bool
    bridge: bool
    link_local: bool
    rp_filter: int
    arp_ignore: int
    route_localnet: bool
    disable_ipv6: bool

    def __init__(
        self,
        addresses: Addresses = (),
        *,
        network: str | None = None,
        peer: Addresses = (),
        up: bool = True,
        carrier: bool = True,
        bridge: bool = False,
        link_local: bool = True,
        rp_filter: int = 0,
        arp_ignore: int = 0,
        route_localnet: bool = False,
        disable_ipv6: bool = False,
    ) -> None:
        self._set(
            addresses=tuple(_interface_address(text) for text in _listed(addresses)),
            network=None if network is None else interface_name(network),
            peer=tuple(parse_address(text) for text in _listed(peer)),
            up=checked_switch("up", up),
            carrier=checked_switch("carrier", carrier),
            bridge=checked_switch("bridge", bridge),
            link_local=checked_switch("link_local", link_local),
            rp_filter=checked_level("rp_filter", rp_filter, 2),
            arp_ignore=checked_level("arp_ignore", arp_ignore, 8),
            route_localnet=checked_switch("route_localnet", route_localnet),
            disable_ipv6=checked_switch("disable_ipv6", disable_ipv6),
        )


class Route(Value):
    """A route of a :class:`Machine`, as in ``ip route add DESTINATION via VIA dev DEV``.

    *destination* is a network such as ``"10.0.0.0/8"``, one address, or ``"default"``, whose
    family is that of *via*. Give *via* (a router's address), *dev* (an interface's name), or
    both where the router's address is link-local. *src* is the address from which this
    machine sends there by itself. *kind* ``"local"`` delivers a whole network here ("any-IP");
    the others refuse it (ip-route(8)).
    """

    __slots__ = ("destination", "via", "dev", "src", "kind")

    destination: IPv4Network | IPv6Network
    via: IPAddress | None
    dev: str | None
    src: IPAddress | None
    kind: RouteKind

    def __init__(
        self,
        destination: str | IPv4Network | IPv6Network,
        via: str | IPAddress | None = None,
        *,
        dev: str | None = None,
        src: str | IPAddress | None = None,
        kind: RouteKind = "unicast",
    ) -> None:
        router = None if via is None else parse_address(via)
        if destination == "default":
            destination = "::/0" if router is not None and router.version == 6 else "0.0.0.0/0"
        if kind not in get_args(RouteKind):
            raise ValueError(f"{kind!r} is no kind of route: {', '.join(get_args(RouteKind))}")
        if kind == "unicast" and router is None and dev is None:
            raise ValueError(f"the route to {destination} leads nowhere: give via=, dev= or both")
        network = ip_network(destination)
        if router is not None and router.version == 6 and router.is_link_local and dev is None:
            raise ValueError(f"{router} is a router on every link: say which by dev=")
        if router is not None and router.version != network.version:
            raise ValueError(f"{router} cannot lead to {network}: they are of different families")
        self._set(
            destination=network,
            via=router,
            dev=dev,
            src=None if src is None else parse_address(src),
            kind=kind,
        )


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

    __slots__ = (
        "nics",
        "gateway",
        "routes",
        "forwarding",
        "rp_filter",
        "arp_ignore",
        "route_localnet",
        "disable_ipv6",
        "bindv6only",
        "sysctl",
        "firewall",
    )

    nics: tuple[tuple[str, Nic], ...]
    gateway: tuple[IPAddress, ...]
    routes: tuple[Route, ...]
    forwarding: bool
    rp_filter: int
    arp_ignore: int
    route_localnet: bool
    disable_ipv6: bool
    bindv6only: bool
    sysctl: tuple[tuple[str, str], ...]
    firewall: str

    def __init__(
        self,
        nics: Mapping[str, Addresses | Nic] | Iterable[tuple[str, Addresses | Nic]] = (),
        *,
        gateway: Addresses = (),
        routes: Iterable[Route] = (),
        forwarding: bool = False,
        rp_filter: int = 0,
        arp_ignore: int = 0,
        route_localnet: bool = False,
        disable_ipv6: bool = False,
        bindv6only: bool = False,
        sysctl: Mapping[str, int | str] | Iterable[tuple[str, int | str]] = (),
        firewall: str = "",
    ) -> None:
        if isinstance(nics, str):
            raise TypeError(f"a machine is its interfaces: write {{'wifi': {nics!r}}}")
        self._set(
            nics=tuple(
                (interface_name(name), nic if isinstance(nic, Nic) else Nic(nic))
                for name, nic in dict(nics).items()
            ),
            gateway=tuple(parse_address(text) for text in _listed(gateway)),
            routes=tuple(_route(route) for route in routes),
            forwarding=checked_switch("forwarding", forwarding),
            rp_filter=checked_level("rp_filter", rp_filter, 2),
            arp_ignore=checked_level("arp_ignore", arp_ignore, 8),
            route_localnet=checked_switch("route_localnet", route_localnet),
            disable_ipv6=checked_switch("disable_ipv6", disable_ipv6),
            bindv6only=checked_switch("bindv6only", bindv6only),
            sysctl=tuple(
                (net_sysctl(key), sysctl_value(key, value)) for key, value in dict(sysctl).items()
            ),
            firewall=encodable("a firewall, a ruleset for nft,", firewall),
        )
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
                    f"'{router}', dev='wifi')]"
                )
            check_router(router, own, linked)
        for route in self.routes:
            if route.via is None:
                linked += [route.destination] if route.kind == "unicast" else []
            elif route.via.version == 4 or not route.via.is_link_local:
                check_router(route.via, own, linked)


class Plan(NamedTuple):
    """The machines of a network that is to be made."""

    machines: Mapping[str, Machine]


def _route(route: object) -> Route:
    if not isinstance(route, Route):
        raise TypeError(f"a route is a Route, not {route!r}: write Route('10.0.0.0/8', '10.0.0.1')")
    return route


def _listed(texts: Addresses) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else tuple(texts)


def _interface_address(text: str) -> IPv4Interface | IPv6Interface:
    if not isinstance(text, str):
        raise TypeError(f"an interface's address is text such as '10.0.0.1/24', not {text!r}")
    if "/" not in text:
        raise ValueError(
            f"{text!r} has no prefix length: write '192.168.0.102/24', or /32 or /128 for "
            "an address alone"
        )
    return ip_interface(text)
