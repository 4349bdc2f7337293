"""Weighing: of all the ways in from where an origin stands, the best, or why there is none."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

from bindlab.binding import Binding
from bindlab.interface import AddressState
from bindlab.reach.origin import Place, is_internet
from bindlab.reach.path import Path
from bindlab.reach.rules import ASSUMPTIONS, GATES, NEEDS, Rule
from bindlab.reach.topology import Topology
from bindlab.reach.verdict import Answer, Candidate, Condition, Origin, Reason, Scope, Verdict
from bindlab.reach.ways import Destination, hears, ways
from bindlab.registry import Kind

__all__ = ["Target", "weigh"]

Target: TypeAlias = tuple[Binding, tuple[Destination, ...]]


class _Open(NamedTuple):
    """A path that no gate shuts, and what it still depends on."""

    path: Path
    needs: tuple[Rule[Condition], ...]


def weigh(
    origin: Origin,
    stands: Iterable[Place],
    targets: Sequence[Target],
    topology: Topology,
    assumptions: tuple[str, ...],
) -> Verdict:
    """Return the verdict for *origin*, which stands at *stands*, over all of *targets*.

    A path that some gate shuts counts by how many gates it passed: the reason for a NO is the
    gate that stopped the best of them.
    """
    open_paths: list[_Open] = []
    furthest: tuple[int, Path] | None = None
    for binding, to in targets:
        for place in stands:
            heard = hears(binding, place, topology)
            for destination in to:
                for path in ways(binding, destination, place, topology, heard):
                    gate = _first_shut(path)
                    if gate is None:
                        needs = tuple(need for need in NEEDS if need.holds(path))
                        open_paths.append(_Open(path, needs))
                        break  # the others come in by a detour to the same address
                    if furthest is None or gate > furthest[0]:
                        furthest = (gate, path)
    if open_paths:
        return _admitted(origin, sorted(open_paths, key=_preference), assumptions)
    if furthest is None:
        return _without_address(origin, targets)
    number, path = furthest
    return _refused(origin, GATES[number], path, assumptions)


def _refused(
    origin: Origin, gate: Rule[Reason], path: Path, assumptions: tuple[str, ...]
) -> Verdict:
    return Verdict(
        origin,
        Answer.NO,
        gate.word,
        explanation=gate.sentence.format(**path.words()),
        interface=_name(path) if path.on_link else None,
        assumptions=(*assumptions, *_assumed(path, (gate.reads,))),
    )


def _without_address(origin: Origin, targets: Sequence[Target]) -> Verdict:
    bound = ", ".join(str(binding.endpoint) for binding, _ in targets)
    sentence = f"this machine has no address that {bound} could stand for"
    return Verdict(origin, Answer.NO, Reason.ADDRESS_GONE, explanation=sentence)


def _admitted(origin: Origin, open_paths: Sequence[_Open], assumptions: tuple[str, ...]) -> Verdict:
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
        assumptions=(*assumptions, *_assumed(path, (need.reads for need in needs))),
    )


def _assumed(path: Path, settings: Iterable[str]) -> tuple[str, ...]:
    return tuple(ASSUMPTIONS[name] for name in settings if name in path.host.assumed)


def _first_shut(path: Path) -> int | None:
    for number, gate in enumerate(GATES):
        if gate.holds(path):
            return number
    return None


def _preference(way: _Open) -> tuple[bool | int, ...]:
    """Order ways in: the surest, then loopback, then as RFC 6724 section 5 would.

    That is: an address of the origin's own scope, neither deprecated nor temporary. Of IPv4
    and IPv6, IPv4 goes first, because people can type it.
    """
    path, needs = way
    state = path.state or AddressState.PREFERRED
    return (
        path.crosses,
        path.needs_nat,
        len(needs),
        not path.is_loopback,
        path.has_zone is not path.place.link_local,
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
