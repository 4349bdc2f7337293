"""Weighing: of all the ways in from where an origin stands, the best, or why there is none."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import NamedTuple

from bindlab.interface import AddressState
from bindlab.reach.crowds import Crowd, Target, crowds
from bindlab.reach.origin import Place, is_internet
from bindlab.reach.path import Path
from bindlab.reach.routing import Routing
from bindlab.reach.rules import ASSUMPTIONS, GATES, NEEDS, Rule
from bindlab.reach.standing import Standings
from bindlab.reach.topology import Topology
from bindlab.reach.verdict import Answer, Candidate, Condition, Origin, Reason, Scope, Verdict
from bindlab.reach.ways import Destination, hears, ways
from bindlab.reach.words import words_for
from bindlab.special_addresses import Kind

__all__ = ["Judgement", "weigh"]


class Judgement(NamedTuple):
    """A verdict on everybody who stands at one place, whoever it is: all but the origin."""

    answer: Answer
    reason: Reason | None = None
    conditions: tuple[Condition, ...] = ()
    endpoints: Callable[[], tuple[Candidate, ...]] | tuple[Candidate, ...] = ()
    explanation: str = ""
    interface: str | None = None
    assumptions: tuple[str, ...] = ()

    def on(self, origin: Origin) -> Verdict:
        """Return the verdict on *origin*, which stands there."""
        return Verdict(origin, *self)


class _Open(NamedTuple):
    """A path that no gate shuts, what it still depends on, and all that it speaks for.

    *block* is greater for what was found later.
    """

    target: Target
    path: Path
    needs: tuple[Rule[Condition], ...]
    crowd: Crowd
    block: int


def weigh(
    places: Sequence[Place],
    targets: Sequence[Target],
    topology: Topology,
    routing: Routing,
    assumptions: tuple[str, ...],
) -> Judgement:
    """Return the judgement on who stands at *places*, over all of *targets*.

    A path that some gate shuts counts by how many gates it passed: the reason for a NO is the
    gate that stopped the best of them.
    """
    open_paths: list[_Open] = []
    furthest: tuple[int, Path] | None = None
    blocks = (
        (one, place, block)
        for one in targets
        for place in places
        for block in crowds(one, place, topology, routing)
    )
    for number, (one, place, block) in enumerate(blocks):
        heard = hears(one.binding, place, topology)
        for crowd in block:
            for path in ways(one.binding, crowd.first, place, topology, routing, heard):
                gate = _first_shut(path)
                if gate is None:
                    needs = tuple(need for need in NEEDS if need.holds(path))
                    open_paths.append(_Open(one, path, needs, crowd, number))
                    break  # the others come in by a detour to the same address
                if furthest is None or gate > furthest[0]:
                    furthest = (gate, path)
    if open_paths:
        each_once = len(targets) == len(places) == 1 and targets[0].each_once
        return _admitted(open_paths, assumptions, each_once=each_once)
    if furthest is None:
        return _without_address(targets)
    number, path = furthest
    return _refused(GATES[number], path, assumptions)


def _refused(gate: Rule[Reason], path: Path, assumptions: tuple[str, ...]) -> Judgement:
    return Judgement(
        Answer.NO,
        gate.word,
        explanation=gate.sentence.format(**words_for(path)),
        interface=_name(path) if path.on_link else None,
        assumptions=(*assumptions, *_assumed(path, (gate.reads,))),
    )


def _without_address(targets: Sequence[Target]) -> Judgement:
    bound = ", ".join(str(one.binding.endpoint) for one in targets)
    sentence = f"this machine has no address that {bound} could stand for"
    return Judgement(Answer.NO, Reason.ADDRESS_GONE, explanation=sentence)


def _admitted(
    open_paths: Sequence[_Open], assumptions: tuple[str, ...], *, each_once: bool
) -> Judgement:
    alike: dict[tuple[bool | int, ...], list[_Open]] = {}
    for way in open_paths:
        alike.setdefault(_preference(way), []).append(way)
    ordered = [alike[preference] for preference in sorted(alike)]
    path, needs = ordered[0][0].path, ordered[0][0].needs
    words = words_for(path)
    at = f"at {words['address']}"
    if path.inside:
        at += ", inside this machine"
    elif path.place.internet and not path.needs_nat:
        at += ", which no NAT shields"
    elif path.arrival is not None:
        at += f" by {words['arrival']}"
    ifs = " and ".join(need.sentence.format(**words) for need in needs)
    return Judgement(
        Answer.CONDITIONAL if needs else Answer.YES,
        conditions=tuple(need.word for need in needs),
        endpoints=cache(lambda: _endpoints(ordered, each_once=each_once)),
        explanation=f"{at}, if {ifs}" if needs else at,
        interface=None if path.inside else _name(path),
        assumptions=(*assumptions, *_assumed(path, (need.reads for need in needs))),
    )


def _endpoints(ordered: Sequence[Sequence[_Open]], *, each_once: bool) -> tuple[Candidate, ...]:
    offers = (offer for alike in ordered for offer in _offers(alike))
    return tuple(offers if each_once else dict.fromkeys(offers))


def _offers(alike: Sequence[_Open]) -> Iterable[Candidate]:
    """Return what ways that no rule tells apart have to offer, by the standing of interfaces."""
    crowds = [(way, tuple(way.crowd.members())) for way in alike]
    several = sum(len(crowd) for _, crowd in crowds) > 1
    found = [(way, crowd, _candidates(way, crowd, several=several)) for way, crowd in crowds]
    if len(found) == 1:
        return found[0][2]
    standings = alike[0].target.standings
    ranked = [
        ((standings.order(offer.interface), way.block, each.number), offer)
        for way, crowd, offers in found
        for each, offer in zip(crowd, offers, strict=True)
    ]
    return [offer for _, offer in sorted(ranked, key=lambda rank: rank[0])]


def _candidates(way: _Open, crowd: Sequence[Destination], *, several: bool) -> list[Candidate]:
    """Return what there is to dial; by a detour it is the same, whoever dials."""
    path, standings = way.path, way.target.standings
    if not (path.on_link and path.crosses):
        return [_candidate(path, each, standings, several=several) for each in crowd]
    several = len(crowd) > 1
    known = way.target.detours.setdefault(several, {})
    for each in crowd:
        if each.number not in known:
            known[each.number] = _candidate(path, each, standings, several=several)
    return [known[each.number] for each in crowd]


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
    path, needs = way.path, way.needs
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
        return f"the address of {owner}, from which this machine sends to the origin"
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
