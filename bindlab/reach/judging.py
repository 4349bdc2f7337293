"""Weighing: of all the ways in from where an origin stands, the best, or why there is none."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from bindlab.interface import AddressState
from bindlab.reach.origin import Place, Where, is_internet
from bindlab.reach.path import Path
from bindlab.reach.routing import Routing
from bindlab.reach.rules import ASSUMPTIONS, GATES, NEEDS, Rule
from bindlab.reach.standing import Standings
from bindlab.reach.topology import Topology
from bindlab.reach.verdict import Answer, Candidate, Condition, Origin, Reason, Scope, Verdict
from bindlab.reach.ways import Destination, Target, hears, ways
from bindlab.reach.words import words_for
from bindlab.registry import Kind

__all__ = ["weigh"]


class _Open(NamedTuple):
    """A path that no gate shuts, what it still depends on, and all that it speaks for."""

    target: Target
    path: Path
    needs: tuple[Rule[Condition], ...]
    crowd: tuple[Destination, ...]

    def offers(self, *, several: bool) -> Iterator[Candidate]:
        """Yield what there is to dial; by detours it is the same for whoever dials.

        *several*: no rule prefers this to all others that there are.
        """
        standings = self.target.standings
        if not (self.path.on_link and self.path.crosses):
            for each in self.crowd:
                yield _candidate(self.path, each, standings, several=several)
            return
        known = self.target.detours
        for each in self.crowd:
            if (offer := known.get(id(each))) is None:
                several = len(self.crowd) > 1
                offer = _candidate(self.path, each, standings, several=several)
                known[id(each)] = offer
            yield offer


def weigh(
    origin: Origin,
    stands: Iterable[Place],
    targets: Sequence[Target],
    topology: Topology,
    routing: Routing,
    assumptions: tuple[str, ...],
) -> Verdict:
    """Return the verdict for *origin*, which stands at *stands*, over all of *targets*.

    A path that some gate shuts counts by how many gates it passed: the reason for a NO is the
    gate that stopped the best of them.
    """
    open_paths: list[_Open] = []
    furthest: tuple[int, Path] | None = None
    for one in targets:
        for place in stands:
            heard = hears(one.binding, place, topology)
            for crowd in _crowds(one, place, topology):
                for path in ways(one.binding, crowd[0], place, topology, routing, heard):
                    gate = _first_shut(path)
                    if gate is None:
                        needs = tuple(need for need in NEEDS if need.holds(path))
                        open_paths.append(_Open(one, path, needs, crowd))
                        break  # the others come in by a detour to the same address
                    if furthest is None or gate > furthest[0]:
                        furthest = (gate, path)
    if open_paths:
        return _admitted(origin, open_paths, assumptions)
    if furthest is None:
        return _without_address(origin, targets)
    number, path = furthest
    return _refused(origin, GATES[number], path, assumptions)


def _crowds(one: Target, place: Place, topology: Topology) -> Iterator[tuple[Destination, ...]]:
    """Yield the destinations, together where they are reached by the same detours."""
    if place.where is not Where.ON_LINK:
        yield from ((destination,) for destination in one.to)
        return
    straight = [arrival.name for arrival in place.arrivals]
    for name in straight:
        yield from ((destination,) for destination in one.by_owner.get(name, ()))
    for crowd in one.crowds:
        detoured = tuple(d for d in crowd if d.owner is None or d.owner.name not in straight)
        if detoured:
            yield detoured


def _refused(
    origin: Origin, gate: Rule[Reason], path: Path, assumptions: tuple[str, ...]
) -> Verdict:
    return Verdict(
        origin,
        Answer.NO,
        gate.word,
        explanation=gate.sentence.format(**words_for(path)),
        interface=_name(path) if path.on_link else None,
        assumptions=(*assumptions, *_assumed(path, (gate.reads,))),
    )


def _without_address(origin: Origin, targets: Sequence[Target]) -> Verdict:
    bound = ", ".join(str(one.binding.endpoint) for one in targets)
    sentence = f"this machine has no address that {bound} could stand for"
    return Verdict(origin, Answer.NO, Reason.ADDRESS_GONE, explanation=sentence)


def _admitted(origin: Origin, open_paths: Sequence[_Open], assumptions: tuple[str, ...]) -> Verdict:
    alike: dict[tuple[bool | int, ...], list[_Open]] = {}
    for way in open_paths:
        alike.setdefault(_preference(way), []).append(way)
    ordered = [alike[preference] for preference in sorted(alike)]
    _, path, needs, _ = ordered[0][0]
    words = words_for(path)
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
        endpoints=tuple(dict.fromkeys(offer for ways in ordered for offer in _offers(ways))),
        explanation=f"{at}, if {ifs}" if needs else at,
        interface=None if path.inside else _name(path),
        assumptions=(*assumptions, *_assumed(path, (need.reads for need in needs))),
    )


def _offers(alike: Sequence[_Open]) -> Iterable[Candidate]:
    """Return what ways that no rule tells apart have to offer, by the standing of interfaces."""
    if len(alike) == 1:
        return alike[0].offers(several=False)
    standings = alike[0].target.standings
    offers = (offer for way in alike for offer in way.offers(several=True))
    return sorted(offers, key=lambda offer: standings.order(offer.interface))


def _assumed(path: Path, settings: Iterable[str]) -> tuple[str, ...]:
    return tuple(ASSUMPTIONS[name] for name in settings if name in path.host.assumed)


def _first_shut(path: Path) -> int | None:
    for number, gate in enumerate(GATES):
        if gate.holds(path):
            return number
    return None


def _preference(way: _Open) -> tuple[bool | int, ...]:
    """Order ways in: the surest, then what this machine answers from, then loopback.

    Then as RFC 6724 section 5 would: an address of the origin's own scope, neither deprecated
    nor temporary. Of IPv4 and IPv6, IPv4 goes first, because people can type it. Ways that are
    alike in all of that keep the order of standing.py, and then the system's.
    """
    _, path, needs, _ = way
    state = path.state or AddressState.PREFERRED
    return (
        path.crosses,
        path.needs_nat,
        len(needs),
        not path.is_answering,
        not path.is_loopback,
        path.has_zone is not path.place.link_local,
        AddressState.DEPRECATED in state,
        AddressState.TEMPORARY in state,
        path.destination.version,
    )


def _candidate(
    path: Path, destination: Destination, standings: Standings, *, several: bool
) -> Candidate:
    """Return what *path*, or one that no rule tells apart from it, has to offer."""
    endpoint = path.binding.endpoint
    return Candidate(
        destination.ip,
        endpoint.port,
        endpoint.transport,
        interface=destination.owner.name if destination.owner else None,
        audience=_audience(path),
        reason=_why(path, destination) + _beside_others(destination, standings, several=several),
    )


def _audience(path: Path) -> Scope:
    if path.is_loopback:
        return Scope.HOST
    if path.is_group or path.kind is Kind.LINK_LOCAL:
        return Scope.LINK
    return Scope.GLOBAL if is_internet(path.destination) else Scope.PRIVATE


def _beside_others(destination: Destination, standings: Standings, *, several: bool) -> str:
    """Return what decides where a candidate stands among others, if something has to."""
    standing = standings.of(destination.owner.name if destination.owner else None)
    if not several or standing is None:
        return ""
    hint = f"; its name suggests {standing.hint} (a hint only)" if standing.hint else ""
    return f"{hint}; alike, in the system's order"


def _why(path: Path, destination: Destination) -> str:
    owner = destination.owner.display_name if destination.owner else "no interface"
    if path.is_answering:
        return f"this machine itself would send to the origin from it, the address of {owner}"
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
