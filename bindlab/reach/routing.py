"""Where a host's routes take its answers: by which interface, from which address, or nowhere.

A pure function of a :class:`Host`, indexed so that a question costs the same with ten routes or
a hundred thousand. The longest prefix wins, then the lowest metric. Decides nothing: rules.py
says what follows from a way back that is there, or is not.
"""

import enum
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from bindlab.host import IPNetwork
from bindlab.interface import AddressState, Interface
from bindlab.reach.longest_prefix import LongestPrefix
from bindlab.reach.origin import Place, Where, is_internet_network
from bindlab.reach.topology import Own, Topology
from bindlab.route import Route
from bindlab.special_addresses import Kind, block_around

__all__ = ["Back", "Fate", "Routing"]

_SOMEWHERE: Final = ""  # the end of a route whose interface nobody knows
# No machine beyond a router sends from these.
_NEVER_BEYOND: Final = (
    Kind.UNSPECIFIED,
    Kind.LOOPBACK,
    Kind.LINK_LOCAL,
    Kind.MULTICAST,
    Kind.BROADCAST,
    Kind.RESERVED,
)


class Back(enum.Enum):
    """How this host's answers find an origin."""

    STRAIGHT = "all of it, by the way that it comes"
    ASIDE = "all of it, by another interface, or a router though it is a neighbour"
    PARTLY = "some of it, or only if it is on the link"
    NOWHERE = "none of it"


class Fate(NamedTuple):
    """What becomes of answers to an origin.

    *ends* are the interfaces by which they leave, ``None`` among them where some go nowhere;
    *routers* those that they go through, as text; *sources* the addresses, as numbers, that
    this host would choose to send them from; *refusals* what the routes are called that lead
    nowhere.
    """

    ends: frozenset[str | None]
    routers: frozenset[str] = frozenset()
    sources: frozenset[int] = frozenset()
    refusals: frozenset[str] = frozenset()

    @property
    def is_lost(self) -> bool:
        """Whether all of them go nowhere."""
        return None in self.ends and len(self.ends) == 1


class Routing:
    """The routes of one host, ready to be asked; of unknown ones it says ``None``."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self.is_known = topology.host.routes is not None
        self._tables: dict[tuple[int, str | None], LongestPrefix[Fate]] = {}
        self._known: dict[tuple[object, ...], Fate] = {}
        self._alike: dict[Fate, Fate] = {}
        self._by_interface: dict[tuple[int, str | None], list[Route]] = {}
        self._own: dict[tuple[int, str], list[Own]] = {}
        for route in topology.host.routes or ():
            for key in {None, route.interface}:
                self._by_interface.setdefault((route.network.version, key), []).append(route)
        if self.is_known:
            for own in topology.own:
                self._own.setdefault((own.ip.version, own.owner.name), []).append(own)

    def back(self, place: Place, version: int, arrival: Interface, *, pinned: bool) -> Back | None:
        """Return how answers find *place*, whose packets come by *arrival*.

        A *pinned* socket answers by that interface alone, as everybody does to a link-local
        address. By IPv4 a pinned socket that finds no route takes its peer to be on the link
        (``ip_route_output_key_hash_rcu``), whatever routes refuse; by IPv6 routes that refuse
        are not among those of the interface. Its reverse path filter (RFC 3704), whose setting
        a host does not carry, heeds no pinning. All of that was measured on Linux.
        """
        if not self.is_known or place.where is Where.INSIDE:
            return None
        fate = self.fate(place, version, arrival, pinned=pinned)
        ends = fate.ends
        if None in ends and version == 4 and pinned:
            return Back.PARTLY
        if None in ends:
            return Back.NOWHERE if fate.is_lost else Back.PARTLY
        if pinned and _SOMEWHERE in ends:
            return Back.PARTLY
        if pinned and version == 4:
            filtered = self.fate(place, version, arrival, pinned=False).ends
            if not filtered <= {arrival.name, _SOMEWHERE}:
                return Back.PARTLY
        detours = fate.routers if place.where is Where.ON_LINK else None
        if ends <= {arrival.name, _SOMEWHERE} and not detours:
            return Back.STRAIGHT
        return Back.ASIDE

    def fate(self, place: Place, version: int, arrival: Interface, *, pinned: bool) -> Fate:
        """Return what becomes of answers to *place*, of this IP *version*: see :meth:`back`."""
        via = arrival.name if pinned or place.link_local else None
        if place.source is not None:
            return self._table(version, via).at(int(place.source))
        anyone = place.members is None and place.where is Where.ON_LINK
        link = arrival.name if anyone else via
        key = (place.where, place.members, place.internet, version, link, via)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._of_many(place, version, arrival, via)
        return known

    def default_routes(self, version: int) -> tuple[Route, ...]:
        """Return the default routes that lead somewhere, the best first."""
        found = (
            route
            for route in self._by_interface.get((version, None), ())
            if route.network.prefixlen == 0 and route.refusal is None
        )
        return tuple(sorted(found, key=lambda route: route.metric))

    def leads_by(self, ip: int, version: int, interface: Interface) -> bool | None:
        """Return whether a route leads to *ip* by *interface*; ``None`` where it is unknown."""
        if not self.is_known:
            return None
        return not self._table(version, interface.name).at(ip).is_lost

    def likeness(self, place: Place) -> object:
        """Return what tells origins apart that are otherwise alike; equal where nothing does."""
        if not self.is_known or place.source is None or place.where is Where.INSIDE:
            return None
        if place.link_local:
            return None if self._is_usual_link_local(place) else int(place.source)
        return id(self._table(place.source.version, None).at(int(place.source)))

    def _of_many(self, place: Place, version: int, arrival: Interface, via: str | None) -> Fate:
        table = self._table(version, via)
        if place.members is not None:
            return self._merged(table.over(place.members))
        if place.where is Where.ROUTED:
            return self._merged(self._beyond(table, internet=place.internet))
        # Anyone on a link: the networks that are there, or else anybody at all.
        whole = self._merged(table.over_all())
        neighbours = self._merged(
            fate
            for network, interface in self._topology.attachments
            if interface is arrival and network.version == version
            for fate in self._table(
                version, arrival.name if network.version == 6 and network.is_link_local else via
            ).over(network)
        )
        if neighbours.ends and None not in neighbours.ends:
            return neighbours
        return whole._replace(ends=whole.ends | neighbours.ends)

    def _beyond(self, table: LongestPrefix[Fate], *, internet: bool) -> Iterator[Fate]:
        for fate, networks in table.stretches():
            if any(map(self._is_attached, networks)):
                continue
            if networks and all(_is_never(network, internet) for network in networks):
                continue
            yield fate

    def _is_attached(self, network: IPNetwork) -> bool:
        return any(
            attachment.network.prefixlen <= network.prefixlen
            for attachment in self._topology.attached(network.network_address)
        )

    def _is_usual_link_local(self, place: Place) -> bool:
        usual = int(place.source or 0) >> 64 == 0xFE80 << 48
        return usual and not any(
            route.network.prefixlen > 64
            for route in self._by_interface.get((6, None), ())
            if route.network.is_link_local
        )

    @staticmethod
    def _merged(fates: Iterable[Fate]) -> Fate:
        several = {id(fate): fate for fate in fates}.values()
        return Fate(
            frozenset(end for fate in several for end in fate.ends),
            frozenset(router for fate in several for router in fate.routers),
            frozenset(source for fate in several for source in fate.sources),
            frozenset(refusal for fate in several for refusal in fate.refusals),
        )

    def _table(self, version: int, via: str | None) -> LongestPrefix[Fate]:
        table = self._tables.get((version, via))
        if table is None:
            table = self._tables[version, via] = LongestPrefix(
                self._routes(version, via), version, self.fate_of
            )
        return table

    def _routes(self, version: int, via: str | None) -> Iterator[Route]:
        yield from self._by_interface.get((version, via), ())
        if via is None:
            return
        for route in self._by_interface.get((version, None), ()):
            if route.interface is None and (route.refusal is None or version == 4):
                yield route

    def fate_of(self, routes: Sequence[Route]) -> Fate:
        """Return the fate of answers that the best *routes*, all alike, decide."""
        if not routes:
            made = Fate(frozenset({None}))
        else:
            sources = (self._sends_from(route) for route in routes if not route.refusal)
            made = Fate(
                frozenset(None if r.refusal else r.interface or _SOMEWHERE for r in routes),
                frozenset(str(route.gateway) for route in routes if route.gateway),
                frozenset(source for source in sources if source is not None),
                frozenset(route.refusal for route in routes if route.refusal),
            )
        return self._alike.setdefault(made, made)

    def _sends_from(self, route: Route) -> int | None:
        """Return the address that the system itself would send from by *route*.

        That is the route's own, or one of the interface: of the network that the route, or its
        router, is in, and of their scope (inet_select_addr() of Linux; RFC 6724 section 5).
        """
        if route.source is not None:
            return int(route.source)
        near = route.network.network_address if route.gateway is None else route.gateway
        listed = self._own.get((route.network.version, route.interface or ""), ())

        def unfitness(own: Own) -> tuple[bool, ...]:
            state = own.state or AddressState.PREFERRED
            return (
                own.ip.is_link_local is not route.network.is_link_local,
                near.version != own.ip.version or near not in own.network,
                AddressState.DEPRECATED in state,
                AddressState.TEMPORARY in state,
            )

        return int(min(listed, key=unfitness).ip) if listed else None


def _is_never(network: IPNetwork, internet: bool) -> bool:
    """Whether nobody beyond, or on the *internet*, has an address of *network*."""
    if internet:
        return not is_internet_network(network)
    block = block_around(network)
    return block is not None and block.kind in _NEVER_BEYOND
