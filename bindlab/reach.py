"""Who can reach a socket: the rules applied to bindings, a host and an origin.

A pure function of values. It fetches nothing, so that every rule can be tried on a laptop,
or a Windows machine, that exists on paper only.
"""

from collections.abc import Iterable
from typing import NamedTuple

from bindlab.binding import Binding
from bindlab.host import Host
from bindlab.interface import AddressState
from bindlab.origin import OriginLike, Place, is_internet, neighbours, parse_origin, places
from bindlab.path import Path
from bindlab.registry import Kind, kind_of_address
from bindlab.render import diagram, table
from bindlab.rules import ASSUMPTIONS, GATES, NEEDS, Rule
from bindlab.topology import Topology
from bindlab.verdict import (
    BEYOND,
    INTERNET,
    THIS_HOST,
    Answer,
    Candidate,
    Condition,
    Origin,
    Reason,
    Scope,
    Verdict,
)
from bindlab.ways import destinations, hears, ways

__all__ = ["Reach"]

_LOOPBACK_THERE = "this machine has a loopback interface, though none is listed"
_GROUPS = (Kind.MULTICAST, Kind.BROADCAST)


class _Open(NamedTuple):
    """A path that no gate shuts, and what it still depends on."""

    path: Path
    needs: tuple[Rule[Condition], ...]


class Reach:
    """Who can reach *bindings* on *host*: ask it about origins, or print it.

    ``origin in reach`` is false only where the origin is shut out for certain. *assumptions*
    says what was taken for granted when the bindings were made from text.
    """

    def __init__(
        self, bindings: Iterable[Binding], host: Host, assumptions: Iterable[str] = ()
    ) -> None:
        self.bindings = tuple(bindings)
        if not self.bindings:
            raise ValueError("there is no socket to reach: give one at least")
        self.host = host
        self._topology = Topology(host)
        noted = [*assumptions, *([_LOOPBACK_THERE] if self._topology.assumes_loopback else [])]
        self.assumptions = tuple(dict.fromkeys(noted))
        self._targets = tuple((b, destinations(b, self._topology)) for b in self.bindings)
        # A socket without peer and device tells origins apart by where they stand alone.
        self._by_place = not any(b.peer or b.device for b in self.bindings)
        self._judged: dict[tuple[object, ...], Verdict] = {}

    def verdict(self, origin: OriginLike) -> Verdict:
        """Return whether *origin* can reach a socket here, by which address, and why not.

        An origin is an address, with its zone where it is link-local (the name or the index
        of an interface *of this host*), a network (the answer for its best-placed host), an
        :class:`Interface` of the host (anyone on its link), ``THIS_HOST``, ``BEYOND`` or
        ``INTERNET``. One of the host's own addresses is this host, as the source of the
        packets. A link-local address without a zone is answered for every link.

        An origin that nothing sends from (unspecified, multicast, broadcast), a name, or a
        zone that the host does not have is a ``ValueError``.
        """
        parsed = parse_origin(origin)
        return self._judge(parsed, places(parsed, self._topology))

    def __contains__(self, origin: OriginLike) -> bool:
        return bool(self.verdict(origin))

    @property
    def rows(self) -> tuple[Verdict, ...]:
        """One verdict for this machine, for each attached network, for beyond and the internet."""
        attached = (
            self._judge(attachment.network, (neighbours(attachment),)).replace(
                interface=attachment.interface.name
            )
            for attachment in self._topology.attachments
        )
        return (
            self.verdict(THIS_HOST),
            *attached,
            self.verdict(BEYOND),
            self.verdict(INTERNET),
        )

    @property
    def scope(self) -> Scope:
        """The widest audience that is not shut out for certain."""
        by_width: tuple[tuple[Scope, Iterable[Origin]], ...] = (
            (Scope.GLOBAL, (INTERNET,)),
            (Scope.PRIVATE, (BEYOND,)),
            (Scope.LINK, self._topology.links),
            (Scope.HOST, (THIS_HOST,)),
        )
        for scope, origins in by_width:
            if any(origin in self for origin in origins):
                return scope
        return Scope.NOBODY

    @property
    def endpoints(self) -> tuple[Candidate, ...]:
        """What anybody could dial, the widest audience first, each with its interface.

        Never a wildcard: the addresses that it stands for.
        """
        found = dict.fromkeys(e for row in self.rows for e in row.endpoints)
        return tuple(sorted(found, key=lambda candidate: -candidate.audience))

    def urls(self, scheme: str = "http") -> tuple[str, ...]:
        """Return the URLs of :attr:`endpoints` that a browser opens, in the same order.

        Link-local IPv6 addresses are not among them: a zone is the dialling machine's own
        (RFC 4007 section 6), and browsers take none (RFC 9844).
        """
        return tuple(
            endpoint.url(scheme)
            for endpoint in self.endpoints
            if "%" not in str(endpoint.ip) and kind_of_address(endpoint.ip) not in _GROUPS
        )

    def diagram(self) -> str:
        """Return a picture of the machine, its interfaces, and who gets in by each."""
        return diagram(self.host, self.bindings, self.rows)

    def __str__(self) -> str:
        return table(self.bindings, self.rows, self.assumptions)

    def __repr__(self) -> str:
        return f"<Reach of {', '.join(map(str, self.bindings))}: {self.scope.name}>"

    def _judge(self, origin: Origin, stands: tuple[Place, ...]) -> Verdict:
        if not self._by_place:
            return self._weigh(origin, stands)
        key = tuple(
            (place.where, place.versions, place.internet, place.ambiguous, self._links(place))
            for place in stands
        )
        known = self._judged.get(key)
        if known is None:
            known = self._judged[key] = self._weigh(origin, stands)
        return known if known.origin is origin else known.replace(origin=origin)

    def _links(self, place: Place) -> tuple[int, ...] | None:
        if place.arrivals is self._topology.links:
            return None
        return tuple(map(id, place.arrivals))

    def _weigh(self, origin: Origin, stands: tuple[Place, ...]) -> Verdict:
        open_paths: list[_Open] = []
        furthest: tuple[int, Path] | None = None
        for binding, to in self._targets:
            for place in stands:
                heard = hears(binding, place, self._topology)
                for destination in to:
                    for path in ways(binding, destination, place, self._topology, heard):
                        gate = _first_shut(path)
                        if gate is None:
                            needs = tuple(need for need in NEEDS if need.holds(path))
                            open_paths.append(_Open(path, needs))
                            break
                        if furthest is None or gate > furthest[0]:
                            furthest = (gate, path)
        if open_paths:
            return self._admitted(origin, sorted(open_paths, key=_preference))
        if furthest is None:
            return self._without_address(origin)
        number, path = furthest
        return self._refused(origin, GATES[number], path)

    def _refused(self, origin: Origin, gate: Rule[Reason], path: Path) -> Verdict:
        return Verdict(
            origin,
            Answer.NO,
            gate.word,
            explanation=gate.sentence.format(**path.words()),
            interface=_name(path) if path.on_link else None,
            assumptions=self._assumed((gate,)),
        )

    def _without_address(self, origin: Origin) -> Verdict:
        bound = ", ".join(str(binding.endpoint) for binding in self.bindings)
        sentence = f"this machine has no address that {bound} could stand for"
        return Verdict(origin, Answer.NO, Reason.ADDRESS_GONE, explanation=sentence)

    def _admitted(self, origin: Origin, open_paths: list[_Open]) -> Verdict:
        path, needs = open_paths[0]
        words = path.words()
        at = f"at {words['address']}"
        if path.inside:
            at += ", inside this machine"
        elif path.place.internet and not path.needs_nat:
            at += ", which no NAT shields"
        elif path.arrival is not None:
            at += f" by {words['arrival']}"
        ifs = " and ".join(need.sentence.format(**words) for need in needs)
        return Verdict(
            origin,
            Answer.CONDITIONAL if needs else Answer.YES,
            conditions=tuple(need.word for need in needs),
            endpoints=tuple(dict.fromkeys(_candidate(each.path) for each in open_paths)),
            explanation=f"{at}, if {ifs}" if needs else at,
            interface=None if path.inside else _name(path),
            assumptions=self._assumed(needs),
        )

    def _assumed(
        self, rules: Iterable[Rule[Reason]] | Iterable[Rule[Condition]]
    ) -> tuple[str, ...]:
        read = (rule.reads for rule in rules if rule.reads in self.host.assumed)
        return (*self.assumptions, *(ASSUMPTIONS[setting] for setting in read))


def _first_shut(path: Path) -> int | None:
    for number, gate in enumerate(GATES):
        if gate.holds(path):
            return number
    return None


def _preference(way: _Open) -> tuple[bool | int, ...]:
    """Order ways in: the surest, then loopback, then what people can type (RFC 6724, 5)."""
    path, needs = way
    state = path.state or AddressState.PREFERRED
    return (
        path.crosses,
        path.needs_nat,
        len(needs),
        not path.is_loopback,
        path.has_zone,
        AddressState.DEPRECATED in state,
        AddressState.TEMPORARY in state,
        path.destination.version,
    )


def _candidate(path: Path) -> Candidate:
    endpoint = path.binding.endpoint
    return Candidate(
        path.destination,
        endpoint.port,
        endpoint.transport,
        interface=path.owner.name if path.owner else None,
        audience=_audience(path),
        reason=_why(path),
    )


def _audience(path: Path) -> Scope:
    if path.is_loopback:
        return Scope.HOST
    if path.is_group or path.kind is Kind.LINK_LOCAL:
        return Scope.LINK
    return Scope.GLOBAL if is_internet(path.destination) else Scope.PRIVATE


def _why(path: Path) -> str:
    owner = path.owner.display_name if path.owner else "no interface"
    if path.is_loopback:
        return "loopback, from this machine only"
    if path.inside:
        return f"this machine's address on {owner}"
    if path.crosses:
        return f"the address of {owner}, through another interface"
    if path.on_link:
        return f"the address of {owner}, on the origin's own link"
    if path.needs_nat:
        return f"the address of {owner}, to which a router would have to forward the port"
    return f"the address of {owner}, by way of a router"


def _name(path: Path) -> str | None:
    return path.arrival.name if path.arrival else None
