"""A machine as far as delivery is concerned: its interfaces, and the settings that decide."""

from collections.abc import Collection, Iterable, Mapping
from ipaddress import IPv4Interface, IPv6Interface
from typing import Final, Literal, NamedTuple, Self, TypeAlias, get_args

from bindlab.guest import Guest
from bindlab.interface import Interface, InterfaceAddress
from bindlab.printable import json_text, printable
from bindlab.route import IPNetwork, Route, parse_network
from bindlab.value import Given, Value, is_document, is_list

System: TypeAlias = Literal["linux", "macos", "windows", "freebsd", "openbsd"]

SYSTEMS: Final[tuple[System, ...]] = get_args(System)


class Usual(NamedTuple):
    """A setting of a host that nobody gave: what its system does by default is assumed.

    Linux was measured; the others are from their documentation: macOS ip6(4), xnu's hybrid host
    model (strong on tunnels only: ``None``, see rules.py); Windows: IPPROTO_IPV6 socket options,
    "Strong and Weak Host Models" (since Vista); FreeBSD inet6(4),
    net.inet.ip.rfc1122_strong_es; OpenBSD ip6(4), ip(4).
    """

    linux: bool = False
    macos: bool = False
    windows: bool = False
    freebsd: bool = False
    openbsd: bool = False

    def on(self, system: System) -> bool:
        """Return the default of *system*."""
        return self[SYSTEMS.index(system)]


Setting: TypeAlias = Given[bool | Usual | None, bool | None]


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
    route_localnet: Setting = Given(default=Usual())
    bindv6only: Setting = Given(default=Usual(windows=True, freebsd=True, openbsd=True))
    strong_host: Setting = Given(default=Usual(windows=True, openbsd=True))
    local_routes: Given[Iterable[IPNetwork | str] | None, tuple[IPNetwork, ...] | None] = Given(
        default=()
    )
    routes: Given[Iterable[Route] | None, tuple[Route, ...] | None] = Given(default=None)
    assumed: Given[tuple[()], frozenset[str]] = Given(default=())
    tcp_l3mdev_accept: Setting = Given(default=Usual())
    udp_l3mdev_accept: Setting = Given(default=Usual())
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
        fields = vars(self).items()
        not_given = {n: value.on(self.system) for n, value in fields if isinstance(value, Usual)}
        self._set(
            interfaces=interfaces,
            local_routes=_networks(self.local_routes),
            routes=_routes(self.routes, {interface.name for interface in interfaces}),
            assumed=frozenset(not_given),
            **not_given,
        )
        super()._check()

    @classmethod
    def of(
        cls,
        *,
        system: System = "linux",
        **given: str
        | InterfaceAddress
        | Interface
        | Iterable[str | InterfaceAddress | IPNetwork | Route]
        | Guest
        | bool
        | None,
    ) -> Self:
        """Return a host made by hand: one keyword an interface, up and running.

        The other fields of a host can be given too, such as ``routes`` or ``strong_host``.

        >>> laptop = Host.of(lo="127.0.0.1/8", wifi=["192.168.0.102/24", "fe80::2/64"])
        >>> [str(address) for address in laptop.interfaces[1].addresses]
        ['192.168.0.102/24', 'fe80::2%wifi/64']
        """
        names = cls._fields.keys() - {"interfaces"}
        fields: dict[str, object] = {name: given.pop(name) for name in names & given.keys()}
        made: list[Interface] = []
        for index, (name, addresses) in enumerate(given.items(), start=1):
            if isinstance(addresses, Interface):
                made.append(addresses.replace(name=name))
                continue
            if isinstance(addresses, str | IPv4Interface | IPv6Interface):
                addresses = [addresses]
            if not isinstance(addresses, Iterable):
                raise TypeError(f"{name}={addresses!r} has no prefix: write {name}='10.0.0.1/8'")
            said: dict[str, object] = {"index": index, "is_up": True, "is_running": True}
            interface = Interface.from_document({"name": name, "addresses": addresses, **said})
            made.append(interface.replace(is_loopback=interface.holds_loopback))
        return cls._made({"interfaces": made, "system": system, **fields})

    def replace(self, **changes: object) -> Self:
        """Return a copy with *changes*; what was assumed stays assumed unless it changes."""
        not_given = {name: self._defaults[name] for name in self.assumed}
        return super().replace(**{"assumed": (), **not_given, **changes})

    __replace__ = replace

    def __repr__(self) -> str:
        names = ", ".join(interface.name for interface in self.interfaces) or "no interface"
        return printable(f"<Host ({self.system}): {names}>")

    def interface(self, name: str) -> Interface:
        """Return the interface called *name*; else ``ValueError``.

        Where none has the name, *name* is an index in digits, or what people call one.
        """
        for interface in self.interfaces:
            if interface.name == name:
                return interface
        for interface in self.interfaces:
            if interface.has_zone(name) or interface.display_name == name:
                return interface
        names = ", ".join(each.display_name for each in self.interfaces) or "no interface"
        raise ValueError(f"this host has no interface {name!r}: it has {names}")

    def vrf_of(self, interface: Interface) -> Interface | None:
        """Return the VRF device that *interface* is, or is a member of (Linux: vrf.txt)."""
        if interface.kind == "vrf":
            return interface
        named = (i for i in self.interfaces if interface.master and i.name == interface.master)
        return next((i for i in named if i.kind == "vrf"), None)

    def to_document(self) -> dict[str, object]:
        """Return this host as what JSON can hold; what was assumed is left out."""
        left_out = {"assumed", *self.assumed}
        return {n: value for n, value in super().to_document().items() if n not in left_out}

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
            if not is_document(document) or not is_list(document.get("interfaces")):
                raise ValueError('this is no host: write {"system": "linux", "interfaces": [...]}')
            for name, kind in (("interfaces", Interface), ("routes", Route)):
                if is_list(items := document.get(name)):
                    document[name] = [kind.from_document(item) for item in items]
            if document.get("guest") is not None:
                document["guest"] = Guest.from_document(document["guest"])
            return cls.from_document(document)
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
