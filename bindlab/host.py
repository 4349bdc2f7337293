"""A machine as far as delivery is concerned: its interfaces, and the settings that decide."""

import enum
from collections.abc import Collection, Iterable, Mapping
from ipaddress import IPv4Interface, IPv6Interface
from typing import Final, Literal, Self, TypeAlias, get_args

from bindlab.guest import Guest
from bindlab.interface import Interface, InterfaceAddress, is_document, is_list, optional_flag
from bindlab.printable import json_text, printable
from bindlab.route import IPNetwork, Route, parse_network
from bindlab.value import Given, Value

__all__ = [
    "DEFAULT",
    "SYSTEMS",
    "Host",
    "IPNetwork",
    "System",
]

System: TypeAlias = Literal["linux", "macos", "windows", "freebsd", "openbsd"]

SYSTEMS: Final[tuple[System, ...]] = get_args(System)


class Default(enum.Enum):
    """What a setting is that nobody gave: its system's documented default is assumed."""

    DEFAULT = "default"

    def __repr__(self) -> str:
        return self.name


DEFAULT: Final = Default.DEFAULT
Setting: TypeAlias = bool | Default | None

# What each system does unless told otherwise: the value of each of Host's settings, by
# system. Linux was measured; the others are from their documentation:
# macOS ip6(4), xnu's hybrid host model (strong on tunnels only: None, see rules.py);
# Windows: IPPROTO_IPV6 socket options, "Strong and Weak Host Models" (since Vista);
# FreeBSD inet6(4), net.inet.ip.rfc1122_strong_es; OpenBSD ip6(4), ip(4).
DEFAULTS: Final[Mapping[str, Mapping[System, bool | None]]] = {
    "route_localnet": dict.fromkeys(SYSTEMS, False),
    "bindv6only": {
        "linux": False,
        "macos": False,
        "windows": True,
        "freebsd": True,
        "openbsd": True,
    },
    "tcp_l3mdev_accept": dict.fromkeys(SYSTEMS, False),
    "udp_l3mdev_accept": dict.fromkeys(SYSTEMS, False),
    "strong_host": {
        "linux": False,
        "macos": False,
        "windows": True,
        "freebsd": False,
        "openbsd": True,
    },
}


class Host(Value):
    """A machine: its interfaces, its system, and the settings that decide delivery.

    :func:`bindlab.this_host` reads this machine; :meth:`of` and the constructor make one by
    hand. A setting that is not given has its system's documented default and is listed in
    ``assumed``; one that is ``None`` is unknown, which widens every answer it decides.

    - ``route_localnet`` (Linux, ``conf/all``): whether packets for 127.0.0.0/8 are accepted
      from the network. On where it is on for all, or for the arrival interface.
    - ``bindv6only``: whether a new IPv6 socket has ``IPV6_V6ONLY`` set (ipv6(7)).
    - ``strong_host``: whether a packet is refused that arrives by another interface than the
      one that owns its destination (RFC 1122 section 3.3.4.2, the strong host model).
    - ``tcp_l3mdev_accept``, ``udp_l3mdev_accept`` (Linux): whether sockets without a device
      take what comes by an interface in a VRF; for IPv4 and IPv6 alike.
    - ``local_routes``: networks that are delivered here though no interface lists their
      addresses (Linux: ``ip route add local``).
    - ``routes``: every :class:`Route` by which this machine sends to others, ``None`` where
      they are unknown. Where they are known there are no others: this machine does not
      answer an origin that no route leads to.
    - ``guest``: what this machine appears to be inside another one, a :class:`Guest`; ``None``
      where nothing points to that. It is a hint: it never makes an answer a no.
    """

    interfaces: Given[Iterable[Interface], tuple[Interface, ...]] = Given(default=())
    system: System = "linux"
    route_localnet: Given[Setting, bool | None] = Given(default=DEFAULT)
    bindv6only: Given[Setting, bool | None] = Given(default=DEFAULT)
    strong_host: Given[Setting, bool | None] = Given(default=DEFAULT)
    local_routes: Given[Iterable[IPNetwork | str] | None, tuple[IPNetwork, ...] | None] = Given(
        default=()
    )
    routes: Given[Iterable[Route] | None, tuple[Route, ...] | None] = Given(default=None)
    assumed: Given[tuple[()], frozenset[str]] = Given(default=())
    tcp_l3mdev_accept: Given[Setting, bool | None] = Given(default=DEFAULT)
    udp_l3mdev_accept: Given[Setting, bool | None] = Given(default=DEFAULT)
    guest: Guest | None = None

    def _check(self) -> None:
        if self.system not in SYSTEMS:
            known = ", ".join(SYSTEMS)
            raise ValueError(f"{self.system!r} is no known system: write one of {known}")
        if self.assumed:
            raise TypeError("assumed is what was not given: give the settings themselves")
        if self.guest is not None and not isinstance(self.guest, Guest):
            raise TypeError(f"guest is a Guest such as Guest('container', ...), not {self.guest!r}")
        interfaces = _distinct(self.interfaces)
        given: dict[str, object] = {name: getattr(self, name) for name in DEFAULTS}
        assumed = frozenset(name for name, value in given.items() if value is DEFAULT)
        self._set(
            interfaces=interfaces,
            local_routes=_networks(self.local_routes),
            routes=_routes(self.routes, {interface.name for interface in interfaces}),
            assumed=assumed,
            **{
                name: DEFAULTS[name][self.system] if name in assumed else optional_flag(name, value)
                for name, value in given.items()
            },
        )

    @classmethod
    def of(
        cls,
        *,
        system: System = "linux",
        route_localnet: Setting = DEFAULT,
        bindv6only: Setting = DEFAULT,
        strong_host: Setting = DEFAULT,
        tcp_l3mdev_accept: Setting = DEFAULT,
        udp_l3mdev_accept: Setting = DEFAULT,
        local_routes: Iterable[IPNetwork | str] | None = (),
        routes: Iterable[Route] | None = None,
        guest: Guest | None = None,
        **interfaces: str | InterfaceAddress | Interface | Iterable[str | InterfaceAddress],
    ) -> Self:
        """Return a host made by hand: one keyword an interface, up and running.

        >>> laptop = Host.of(lo="127.0.0.1/8", wifi=["192.168.0.102/24", "fe80::2/64"])
        >>> [str(address) for address in laptop.interfaces[1].addresses]
        ['192.168.0.102/24', 'fe80::2%wifi/64']
        """
        made: list[Interface] = []
        for index, (name, addresses) in enumerate(interfaces.items(), start=1):
            if isinstance(addresses, Interface):
                made.append(addresses.replace(name=name))
                continue
            if isinstance(addresses, str | IPv4Interface | IPv6Interface):
                addresses = [addresses]
            if not isinstance(addresses, Iterable):
                raise TypeError(f"{name}={addresses!r} has no prefix: write {name}='10.0.0.1/8'")
            interface = Interface(name, index, None, addresses, is_up=True, is_running=True)
            made.append(interface.replace(is_loopback=interface.holds_loopback))
        return cls(
            made,
            system,
            route_localnet=route_localnet,
            bindv6only=bindv6only,
            strong_host=strong_host,
            tcp_l3mdev_accept=tcp_l3mdev_accept,
            udp_l3mdev_accept=udp_l3mdev_accept,
            local_routes=local_routes,
            routes=routes,
            guest=guest,
        )

    def replace(self, **changes: object) -> Self:
        """Return a copy with *changes*; what was assumed stays assumed unless it changes."""
        not_given = dict.fromkeys(self.assumed, DEFAULT)
        return super().replace(**{"assumed": (), **not_given, **changes})

    __replace__ = replace

    def interface(self, name: str) -> Interface:
        """Return the interface called *name* (or that index, in digits); else ``ValueError``."""
        for interface in self.interfaces:
            if interface.name == name:
                return interface
        for interface in self.interfaces:
            if interface.has_zone(name):
                return interface
        names = ", ".join(printable(each.name) for each in self.interfaces) or "no interface"
        raise ValueError(f"this host has no interface {name!r}: it has {names}")

    def to_document(self) -> dict[str, object]:
        """Return this host as what JSON can hold; what was assumed is left out."""
        settings = {name: getattr(self, name) for name in DEFAULTS if name not in self.assumed}
        local, routes = self.local_routes, self.routes
        return {
            "system": self.system,
            **settings,
            "local_routes": None if local is None else [str(network) for network in local],
            "routes": None if routes is None else [route.to_document() for route in routes],
            "guest": None if self.guest is None else self.guest.to_document(),
            "interfaces": [interface.to_document() for interface in self.interfaces],
        }

    def to_json(self) -> str:
        """Return this host as JSON text, for a bug report or a test; see :meth:`from_json`."""
        return json_text(self.to_document())

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the host that :meth:`to_json` wrote; ``from_json(h.to_json()) == h``.

        Text that is no such document is a ``ValueError``.
        """
        import json

        try:
            document: object = json.loads(text)
            if not is_document(document) or not is_list(items := document.get("interfaces")):
                raise ValueError('this is no host: write {"system": "linux", "interfaces": [...]}')
            interfaces = [Interface.from_document(item) for item in items]
            made: dict[str, object] = {**document, "interfaces": interfaces}
            if is_list(routes := document.get("routes")):
                made["routes"] = [Route.from_document(item) for item in routes]
            if document.get("guest") is not None:
                made["guest"] = Guest.from_document(document["guest"])
            return cls._made(made)
        except RecursionError:
            raise ValueError("this is no host: its JSON is nested too deeply") from None
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"this is no host that Host.to_json() wrote: {error}") from error


def _networks(routes: Iterable[IPNetwork | str] | None) -> tuple[IPNetwork, ...] | None:
    if routes is None:
        return None
    if isinstance(routes, str) or not isinstance(routes, Iterable):
        raise TypeError(f"local_routes is a list of networks, not {routes!r}")
    return tuple(map(parse_network, routes))


def _routes(routes: Iterable[Route] | None, names: Collection[str]) -> tuple[Route, ...] | None:
    if routes is None:
        return None
    if isinstance(routes, str | Mapping) or not isinstance(routes, Iterable):
        raise TypeError(f"routes is a list of Route, or None, not {routes!r}")
    found: list[Route] = []
    for route in routes:  # one by one, because a network is iterable too, and endless
        if not isinstance(route, Route):
            raise TypeError(f"{route!r} is no Route: write Route('0.0.0.0/0', 'eth0', '10.0.0.1')")
        if route.interface is not None and route.interface not in names:
            has = ", ".join(map(printable, sorted(names))) or "no interface"
            raise ValueError(
                f"no interface {route.interface!r} for the route {route}: it has {has}"
            )
        found.append(route)
    return tuple(found)


def _distinct(interfaces: Iterable[Interface]) -> tuple[Interface, ...]:
    seen: dict[str, Interface] = {}
    if not isinstance(interfaces, Iterable):
        raise TypeError(f"interfaces is a list of Interface, not {interfaces!r}")
    for interface in interfaces:
        if not isinstance(interface, Interface):
            raise TypeError(f"{interface!r} is no Interface: write Host.of(eth0='10.0.0.1/8')")
        if interface.name in seen:
            raise ValueError(f"two interfaces are called {interface.name!r}: give each its name")
        seen[interface.name] = interface
    return tuple(seen.values())
