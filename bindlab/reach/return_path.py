"""Where a host's routes take its answers: by which interface and from what address, or nowhere."""

import enum
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, TypeAlias

from bindlab.interface import AddressState, Interface
from bindlab.reach.origin import Place, Where, is_internet_network
from bindlab.reach.topology import Destination, Topology
from bindlab.route import IPNetwork, Route
from bindlab.special_addresses import TAILNETS, Kind, block_around

SOMEWHERE: Final = ""  # the end of a route whose interface nobody knows
# No machine beyond a router sends from these.
_NEVER_BEYOND: Final = (
    Kind.UNSPECIFIED,
    Kind.LOOPBACK,
    Kind.LINK_LOCAL,
    Kind.MULTICAST,
    Kind.BROADCAST,
    Kind.RESERVED,
)


class ReturnPath(NamedTuple):
    """What becomes of answers to an origin.

    *interfaces* are those by which they leave, ``None`` among them where some go nowhere;
    *routers* those that they go through, as text; *sources* the addresses, as numbers, that
    this host would choose to send them from; *refusals* what the routes are called that lead
    nowhere.
    """

    interfaces: frozenset[str | None]
    routers: frozenset[str]
    sources: frozenset[int]
    refusals: frozenset[str]


# The return path to one place, by IP version, and by one interface alone or any (None).
Answers: TypeAlias = Callable[[int, str | None], ReturnPath]


class WayBack(enum.Enum):
    """How this host's answers find an origin."""

    STRAIGHT = "all of it, by the way that it comes"
    ASIDE = "all of it, by another interface, or a router though it is a neighbour"
    PARTLY = "some of it, or only if it is on the link"
    NOWHERE = "none of it"


def way_back(
    place: Place, version: int, arrival: Interface, answers: Answers, *, pinned: bool
) -> WayBack:
    """Return how answers find *place*, whose packets come by *arrival*.

    A *pinned* socket answers by that interface alone, as everybody does to a link-local
    address. By IPv4 a pinned socket that finds no route takes its peer to be on the link
    (``ip_route_output_key_hash_rcu``), whatever routes refuse; by IPv6 routes that refuse
    are not among those of the interface. Its reverse path filter (RFC 3704), whose setting
    a host does not carry, heeds no pinning. All of that was measured on Linux.
    """
    found = answers(version, arrival.name if pinned or place.link_local else None)
    by = found.interfaces
    if None in by:
        lost = len(by) == 1 and not (version == 4 and pinned)
        return WayBack.NOWHERE if lost else WayBack.PARTLY
    if pinned and SOMEWHERE in by:
        return WayBack.PARTLY
    straight = {arrival.name, SOMEWHERE}
    if pinned and version == 4 and not answers(version, None).interfaces <= straight:
        return WayBack.PARTLY
    detour = place.where is Where.ON_LINK and found.routers
    return WayBack.STRAIGHT if by <= straight and not detour else WayBack.ASIDE


class Routing:
    """The routes of one host, ready to be asked where they are known."""

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.is_known = topology.host.routes is not None
        self._tables: dict[tuple[int, str | None], _Table] = {}

    def return_path(self, place: Place, version: int, via: str | None) -> ReturnPath:
        """Return what becomes of answers to *place*: *via* one interface alone, or any."""
        table = self._table(version, via)
        if place.source is not None:
            return self._of([table.at(int(place.source))])
        if place.members is not None:
            winners = table.over(place.members)
            if place.members in TAILNETS:
                # Each member has a route of its own; where none leads there is nobody.
                links = {link.name for link in place.arrivals}
                winners = [w for w in winners if any(r.interface in links for r in w)] or winners
            return self._of(winners)
        if place.where is Where.ROUTED:
            return self._of(self._beyond(table, internet=place.internet))
        # Anyone on a link: the networks that are there, or else anybody at all.
        (link,) = place.arrivals
        neighbours = self._of(
            winners
            for network, interface in self.topology.attachments
            if interface is link and network.version == version
            for winners in self._table(
                version, link.name if version == 6 and network.is_link_local else via
            ).over(network)
        )
        if neighbours.interfaces and None not in neighbours.interfaces:
            return neighbours
        whole = self._of(table.winners)
        return whole._replace(interfaces=whole.interfaces | neighbours.interfaces)

    def default_routes(self, version: int) -> list[Route]:
        """Return the default routes that lead somewhere, the best first."""
        found = (
            route
            for route in self.topology.host.routes or ()
            if route.network.version == version
            and route.network.prefixlen == 0
            and route.refusal is None
        )
        return sorted(found, key=lambda route: (route.lookup, route.metric))

    def default_sources(self) -> set[tuple[int, int]]:
        """Return the IP versions and numbers of the addresses that default routes send from."""
        return {
            (version, source)
            for version in (4, 6)
            for source in self._of([self.default_routes(version)[:1]]).sources
        }

    def leads_by(self, ip: int, version: int, interface: Interface) -> bool | None:
        """Return whether a route leads to *ip* by *interface*; ``None`` where it is unknown."""
        if not self.is_known:
            return None
        return any(not r.refusal for r in self._table(version, interface.name).at(ip))

    def _beyond(self, table: "_Table", *, internet: bool) -> Iterable[Sequence[Route]]:
        """Yield the routes to all but the attached networks, and what is never beyond."""
        attached = {network for network, _ in self.topology.attachments}
        for winners in table.winners:
            if winners:
                network = winners[0].network
                if network in attached or _is_within(network, attached):
                    continue
                if _is_never_beyond(network, internet=internet):
                    continue
            yield winners

    def _table(self, version: int, via: str | None) -> "_Table":
        if (version, via) not in self._tables:
            routes = [
                route
                for route in self.topology.host.routes or ()
                if route.network.version == version and _may_leave_by(route, via)
            ]
            self._tables[version, via] = _Table(routes, version)
        return self._tables[version, via]

    def _of(self, several: Iterable[Sequence[Route]]) -> ReturnPath:
        """Return the return path over routes that win for one part of the addresses each."""
        found = list(several)
        routes = dict.fromkeys(route for winners in found for route in winners)
        interfaces = {None if r.refusal else r.interface or SOMEWHERE for r in routes}
        if not all(found):
            interfaces.add(None)
        sources = (self._sends_from(route) for route in routes if not route.refusal)
        return ReturnPath(
            frozenset(interfaces),
            frozenset(str(route.gateway) for route in routes if route.gateway),
            frozenset(source for source in sources if source is not None),
            frozenset(route.refusal for route in routes if route.refusal),
        )

    def _sends_from(self, route: Route) -> int | None:
        """Return the address that the system itself would send from by *route*.

        That is the route's own, or one of the interface: of the network that the route, or its
        router, is in, and of their scope (inet_select_addr() of Linux; RFC 6724 section 5).
        """
        if route.source is not None:
            return int(route.source)
        near = route.network.network_address if route.gateway is None else route.gateway

        to, own = route.network, self.topology.own_of(route.interface or "")
        listed = [each for each in own if each.ip.version == to.version]
        of_scope = [each for each in listed if each.ip.is_link_local is to.is_link_local] or listed
        in_network = [each for each in of_scope if each.network and near in each.network]
        best = min(in_network or of_scope, key=_is_passed_over, default=None)
        return None if best is None else int(best.ip)


class _Table:
    """Routes of one IP version, by the addresses for which each wins.

    The first lookup that has a route for them wins, in it the longest prefix, then the lowest
    metric. From ``points[n]`` to ``points[n + 1]`` the ``winners[n]`` win, which are several
    routes where their metrics are equal.
    """

    def __init__(self, routes: Iterable[Route], version: int) -> None:
        lookups: dict[int, dict[IPNetwork, list[Route]]] = {}
        for route in routes:
            best = lookups.setdefault(route.lookup, {})
            rivals = best.setdefault(route.network, [route])
            if route.metric < rivals[0].metric:
                best[route.network] = [route]
            elif route.metric == rivals[0].metric and route is not rivals[0]:
                rivals.append(route)
        bounds = {network: _bounds(network) for best in lookups.values() for network in best}
        end = 1 << (32 if version == 4 else 128)
        self.points = sorted({0}.union(*bounds.values()) - {end})
        self.winners: list[Sequence[Route]] = [()] * len(self.points)
        for _, best in sorted(lookups.items(), reverse=True):
            later = self.winners.copy()
            for network in sorted(best, key=lambda network: network.prefixlen):
                first, last = (bisect_left(self.points, bound) for bound in bounds[network])
                if best[network][0].refusal == "throw":
                    self.winners[first:last] = later[first:last]
                else:
                    self.winners[first:last] = [best[network]] * (last - first)

    def at(self, ip: int) -> Sequence[Route]:
        """Return the routes that win for one address."""
        return self.winners[bisect_right(self.points, ip) - 1]

    def over(self, network: IPNetwork) -> Sequence[Sequence[Route]]:
        """Return the routes that win for one part of *network* each."""
        first, end = _bounds(network)
        return self.winners[bisect_right(self.points, first) - 1 : bisect_left(self.points, end)]


def _is_passed_over(own: Destination) -> tuple[bool, bool]:
    """Order addresses to send from: neither deprecated nor temporary ones go first."""
    state = own.state or AddressState.PREFERRED
    return AddressState.DEPRECATED in state, AddressState.TEMPORARY in state


def _bounds(network: IPNetwork) -> tuple[int, int]:
    """Return the first address of *network*, and the one after its last, as numbers."""
    return int(network.network_address), int(network.broadcast_address) + 1


def _may_leave_by(route: Route, via: str | None) -> bool:
    """Return whether *route* may take packets out by the interface *via*; ``None`` is any.

    By IPv4 a route that refuses counts for every interface, by IPv6 for none.
    """
    if via is None or route.interface == via:
        return True
    return route.interface is None and (route.refusal is None or route.network.version == 4)


def _is_within(network: IPNetwork, several: Iterable[IPNetwork]) -> bool:
    return any(
        other.prefixlen <= network.prefixlen and network.network_address in other
        for other in several
    )


def _is_never_beyond(network: IPNetwork, *, internet: bool) -> bool:
    """Return whether nobody beyond, or on the *internet*, has an address of *network*."""
    if internet:
        return not is_internet_network(network)
    block = block_around(network)
    return block is not None and block.kind in _NEVER_BEYOND
