"""Of all the ways in from where an origin may stand: the best, or why there is none."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache, partial
from typing import NamedTuple

from bindlab.assumption import Assumption
from bindlab.binding import Binding
from bindlab.endpoint import unmap
from bindlab.interface import AddressState, Interface
from bindlab.reach.interface_rank import Ranks
from bindlab.reach.origin import Place, Where, is_internet
from bindlab.reach.path import MACOS_TUNNELS, Path
from bindlab.reach.return_path import Routing
from bindlab.reach.rules import GATES, NEEDS
from bindlab.reach.topology import Destination, Topology
from bindlab.reach.verdict import Answer, Candidate, Condition, Origin, Reason, Scope, Verdict
from bindlab.special_addresses import Kind

# From inside, what depends on these is not named beside what is sure.
_UNSURE = (Condition.LOCAL_ROUTE, Condition.VRF_PROGRAM)


class _Way(NamedTuple):
    """An address to dial, and the interface by which the socket sees its packets come."""

    to: Destination
    arrival: Interface | None


class _Shut(NamedTuple):
    """A path, and the number of the first gate that is shut on it."""

    gate: int
    path: Path


def judge(
    origin: Origin,
    places: Sequence[Place],
    bindings: Sequence[Binding],
    routing: Routing,
    ranks: Ranks,
    assumptions: Sequence[str],
) -> Verdict:
    """Return the verdict on *origin*, which stands at one of *places*, over all *bindings*.

    A detour counts only where no straight way is open. The reason for a NO is the gate that
    stopped the path that came furthest from a likely place.
    """
    opened: list[Path] = []
    furthest: _Shut | None = None
    targets = [
        (binding, routing.topology.destinations(binding.endpoint.ip)) for binding in bindings
    ]
    # The return path of a place is asked for by each of its paths, and is one for nearly all.
    standpoints = [(place, cache(partial(routing.return_path, place))) for place in places]
    for place, answers in standpoints:
        if place.foreign and opened:
            break  # only where nothing likelier is open
        for binding, found in targets:
            heard = _hears(binding, place, routing.topology)
            for stage in _stages(binding, found, place, routing.topology):
                opened_before = len(opened)
                for to, arrival in stage:
                    path = Path(binding, place, to, arrival, routing, answers, hears_origin=heard)
                    gate = _first_shut(path)
                    if gate is None:
                        opened.append(path)
                    elif furthest is None or (gate > furthest.gate and not place.foreign):
                        furthest = _Shut(gate, path)
                if len(opened) > opened_before:
                    break
    if opened:
        return _admitted(origin, places, opened, ranks, assumptions)
    if furthest is None:
        bound = ", ".join(str(binding.endpoint) for binding in bindings)
        sentence = f"this machine has no address for {bound}"
        gone = Reason.ADDRESS_GONE
        return Verdict(origin, Answer.NO, gone, explanation=sentence, reasons=(gone,))
    return _refused(origin, furthest, assumptions)


def _refused(origin: Origin, furthest: _Shut, assumptions: Sequence[str]) -> Verdict:
    number, path = furthest
    gate = GATES[number]
    also_shut = [other.word for other in GATES[number + 1 :] if other.holds(path)]
    return Verdict(
        origin,
        Answer.NO,
        gate.word,
        explanation=gate.sentence.format(**path.words),
        interface=_arrival(path) if path.on_link else None,
        assumptions=(*assumptions, *_assumed(path, [gate.reads])),
        reasons=tuple(dict.fromkeys([gate.word, *also_shut])),
    )


def _admitted(
    origin: Origin,
    places: Sequence[Place],
    opened: Sequence[Path],
    ranks: Ranks,
    assumptions: Sequence[str],
) -> Verdict:
    straight = [path for path in opened if not path.crosses]
    needed = [(path, [need for need in NEEDS if need.holds(path)]) for path in straight or opened]
    if len(needed) > 1:
        needed.sort(
            key=lambda each: (
                *_preference(each[0], len(each[1])),
                places.index(each[0].place),
                *ranks.order(each[0].owner),
            )
        )
    if not straight:
        needed = needed[:1]
    path, needs = needed[0]
    if path.inside and not needs:
        needed = [(each, its) for each, its in needed if not any(n.word in _UNSURE for n in its)]
    words = path.words
    at = f"it gets in at {words['address']}"
    if path.inside:
        at += ", inside this machine"
    elif path.place.internet and not path.needs_nat:
        at += ", with no NAT before it"
    elif path.arrival is not None:
        at += f" by {words['arrival']}"
    ifs = " and ".join([need.sentence.format(**words) for need in needs])
    return Verdict(
        origin,
        Answer.CONDITIONAL if needs else Answer.YES,
        conditions=tuple([need.word for need in needs]),
        endpoints=tuple(dict.fromkeys([_candidate(each) for each, _ in needed])),
        explanation=f"{at}, if {ifs}" if needs else at,
        interface=None if path.inside else _arrival(path),
        assumptions=(*assumptions, *_assumed(path, [need.reads for need in needs])),
    )


def _first_shut(path: Path) -> int | None:
    for number, gate in enumerate(GATES):
        if gate.holds(path):
            return number
    return None


def _assumed(path: Path, settings: Iterable[str]) -> list[str]:
    return [Assumption[name.upper()] for name in settings if name in path.host.assumed]


def _preference(path: Path, needs: int) -> tuple[bool | int, ...]:
    """Order ways in: the surest, then what this machine answers from, then loopback.

    Then as RFC 6724 section 5 would: an address of the origin's own scope, neither deprecated
    nor temporary. Of IPv4 and IPv6, IPv4 goes first, because people can type it.
    """
    state = path.claim
    return (
        path.needs_nat,
        needs,
        not path.is_answering,
        not path.is_loopback,
        path.has_zone is not path.place.link_local,
        AddressState.DEPRECATED in state,
        AddressState.TEMPORARY in state,
        path.destination.version,
    )


def _stages(
    binding: Binding, found: Sequence[Destination], place: Place, topology: Topology
) -> Iterator[list[_Way]]:
    """Yield the ways from *place* to what is *found* of *binding*, a worse choice at each stage.

    From inside there is one stage. From a link there are first the addresses that the link's
    interface has in the origin's network, then its others; from beyond, every address by the
    interface that has it. Detours are last: an address by another interface than its own.
    """
    if place.where is Where.INSIDE:
        # The packet goes through loopback, yet the socket layer sees the interface that owns
        # the destination (measured on Linux; orig_oif in ip_route_output_key_hash_rcu).
        loopback, in_vrf = topology.loopback, topology.vrfs
        yield [
            _Way(to, loopback)
            if to.kind is Kind.LOOPBACK and (to.owner is None or to.owner.name not in in_vrf)
            else _Way(to, to.owner)
            for to in found
        ]
        if binding.device is not None:
            # A program that is itself bound to loopback sends all of IPv4 by it, and so does
            # UDP to 0.0.0.0 from an own address (measured on Linux).
            yield [_Way(to, loopback) for to in found if to.ip.version == 4]
            if pinned := topology.link(binding.device):
                yield [_Way(to, pinned) for to in found if topology.is_routed_here(to)]
        return
    if not place.arrivals:
        yield [_Way(to, None) for to in found]
        return
    by_name = {link.name: link for link in place.arrivals}
    straight = [_Way(to, to.owner) for to in found if to.owner and to.owner.name in by_name]
    members = place.members if place.where is Where.ON_LINK else None
    if members is None:
        yield straight
    else:
        near = [way.to.network is not None and members.overlaps(way.to.network) for way in straight]
        yield [way for way, is_near in zip(straight, near, strict=True) if is_near]
        yield [way for way, is_near in zip(straight, near, strict=True) if not is_near]
    arrivals = place.arrivals
    if binding.device is not None:
        # A socket on a device hears no other; one of the others is enough for the reason.
        pinned = topology.link(binding.device)
        within = [i for i in arrivals if pinned in (i, topology.vrfs.get(i.name))]
        arrivals = tuple(within) or arrivals[:1]
    if members is not None and topology.masters:
        # Of a bridge, what a port has in the origin's network goes before what others have.
        found = sorted(found, key=lambda to: to.network is None or not members.overlaps(to.network))
    kinds = _one_of_each_kind(found) if binding.endpoint.is_unspecified else found
    yield [_Way(to, arrival) for to in kinds for arrival in arrivals if to.owner is not arrival]


def _hears(binding: Binding, place: Place, topology: Topology) -> bool:
    """Return whether a socket hears *place* at all: a connected one hears its peer only."""
    if binding.peer is None:
        return True
    peer = unmap(binding.peer.ip)
    if place.where is Where.INSIDE and place.source is None:
        return peer.is_loopback or bool(topology.has(peer))
    return place.may_be(peer)


def _one_of_each_kind(found: Iterable[Destination]) -> list[Destination]:
    """Return one destination of each kind that the rules tell apart on a detour."""
    kinds: dict[object, Destination] = {}
    for to in found:
        in_tunnel = to.owner is not None and to.owner.name.startswith(MACOS_TUNNELS)
        kinds.setdefault((to.ip.version, to.kind, to.state, in_tunnel), to)
    return list(kinds.values())


def _arrival(path: Path) -> str | None:
    return path.arrival.display_name if path.arrival else None


def _candidate(path: Path) -> Candidate:
    endpoint = path.binding.endpoint
    return Candidate(
        path.destination,
        endpoint.port,
        endpoint.transport,
        interface=path.owner.display_name if path.owner else None,
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
    if path.is_answering:
        return f"the address of {owner}, from which this machine answers"
    if path.is_loopback:
        return "loopback, for this machine only"
    if path.inside:
        return f"this machine's address on {owner}"
    if path.crosses:
        return f"the address of {owner}, through another interface"
    if path.on_link:
        return f"the address of {owner}, on the same network"
    if path.needs_nat:
        return f"the address of {owner}, if a router forwards the port to it"
    return f"the address of {owner}, by way of a router"
