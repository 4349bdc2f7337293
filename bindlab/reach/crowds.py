"""A binding's destinations, together as far as no rule tells them apart: one speaks for many.

That is what makes an answer cost the same with ten addresses or ten thousand. Expands
nothing (ways.py does) and judges nothing.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from bindlab.binding import Binding
from bindlab.interface import Interface
from bindlab.reach.networks import Networks
from bindlab.reach.origin import Place, Where
from bindlab.reach.path import MACOS_TUNNELS
from bindlab.reach.routing import Routing
from bindlab.reach.standing import Standings
from bindlab.reach.topology import Topology
from bindlab.reach.verdict import Candidate
from bindlab.reach.ways import Destination, destinations

__all__ = ["Crowd", "Target", "crowds", "target"]


class Crowd(NamedTuple):
    """Destinations that no rule tells apart; *first* speaks for all of them.

    They are those of *everyone* whom no interface in *but_of* owns, and whose number is not in
    *but*.
    """

    first: Destination
    everyone: Sequence[Destination]
    but_of: Collection[str] = ()
    but: Collection[int] = ()

    def members(self) -> Iterator[Destination]:
        """Yield the destinations, in the order of their numbers."""
        return _without(self.everyone, self.but_of, self.but)


class Target(NamedTuple):
    """A binding and its destinations, as they are alike to who comes in one way or another.

    *straight* has those alike that an interface owns, by its name, for who comes by that one or
    from inside; *aside* those alike for who comes by another interface. *near* finds them by
    their network, *numbered* by their address as a number.
    """

    binding: Binding
    straight: Mapping[str, Sequence[Sequence[Destination]]]
    aside: Sequence[Sequence[Destination]]
    near: Networks[Destination]
    numbered: Mapping[int, Sequence[Destination]]
    each_once: bool  # whether no address is there twice
    standings: Standings
    detours: dict[bool, dict[int, Candidate]]  # what each is by a detour, beside others or alone


def target(binding: Binding, topology: Topology, standings: Standings) -> Target:
    """Return *binding* with all that can be dialled to reach it, the likeliest first."""
    found = destinations(binding, topology)
    ordered = sorted(found, key=lambda d: standings.order(d.owner.name if d.owner else None))
    straight: dict[str, dict[object, list[Destination]]] = {}
    aside: dict[object, list[Destination]] = {}
    numbered: dict[int, list[Destination]] = {}
    to = [each._replace(number=number) for number, each in enumerate(ordered)]
    for each in to:
        owner = each.owner.name if each.owner else ""
        # All that path.py looks at, but for what crowds() below tells apart.
        alike = (each.kind, each.ip.version, each.state, each.network is None)
        straight.setdefault(owner, {}).setdefault(alike if owner else each, []).append(each)
        in_loopback, in_tunnel = each.owner is topology.loopback, owner.startswith(MACOS_TUNNELS)
        likeness = (*alike, in_loopback, in_tunnel)
        aside.setdefault(likeness if owner else each, []).append(each)
        numbered.setdefault(int(each.ip), []).append(each)
    return Target(
        binding,
        {owner: tuple(groups.values()) for owner, groups in straight.items()},
        tuple(aside.values()),
        Networks((each.network, each) for each in to if each.network is not None),
        numbered,
        len(numbered) == len(to),
        standings,
        {},
    )


def crowds(
    one: Target, place: Place, topology: Topology, routing: Routing
) -> Iterator[Sequence[Crowd]]:
    """Yield the destinations in crowds, those that are reached straight before all others.

    What an origin's own network has, and what this machine sends from to it, is told apart from
    the rest of the interface's.
    """
    if place.where is not Where.ON_LINK:
        groups = [group for groups in one.straight.values() for group in groups]
        arrival = (
            topology.link(one.binding.pin) if one.binding.pin else next(iter(place.arrivals), None)
        )
        yield _in_order(groups, _answering(one, place, arrival, routing))
        return
    straight = [arrival.name for arrival in place.arrivals]
    for arrival in place.arrivals:
        near = () if place.members is None else one.near.overlapping(place.members)
        apart = [*near, *_answering(one, place, arrival, routing)]
        mine = [
            each for each in apart if each.owner is not None and each.owner.name == arrival.name
        ]
        yield _in_order(one.straight.get(arrival.name, ()), mine)
    for group in one.aside:
        yield [*_crowd(group, but_of=straight)]


def _answering(
    one: Target, place: Place, arrival: Interface | None, routing: Routing
) -> Iterator[Destination]:
    """Yield what this machine would send to the origin from: see ``Path.is_answering``."""
    if place.where is Where.INSIDE or arrival is None or not routing.is_known:
        return
    for version in place.versions:
        fate = routing.fate(place, version, arrival, pinned=one.binding.pin is not None)
        for source in fate.sources:
            yield from (d for d in one.numbered.get(source, ()) if d.ip.version == version)


def _in_order(
    groups: Iterable[Sequence[Destination]], apart: Iterable[Destination]
) -> Sequence[Crowd]:
    """Return each group as a crowd, and those *apart* alone, in the order of their firsts."""
    alone = {each.number: each for each in apart}
    found = [Crowd(each, (each,)) for each in alone.values()]
    for group in groups:
        found.extend(_crowd(group, but=alone))
    return sorted(found, key=lambda crowd: crowd.first.number)


def _crowd(
    everyone: Sequence[Destination], but_of: Collection[str] = (), but: Collection[int] = ()
) -> Iterator[Crowd]:
    """Yield the crowd of those who are left, if somebody is."""
    first = next(_without(everyone, but_of, but), None)
    if first is not None:
        yield Crowd(first, everyone, but_of, but)


def _without(
    everyone: Sequence[Destination], but_of: Collection[str], but: Collection[int]
) -> Iterator[Destination]:
    for each in everyone:
        if each.number in but or (each.owner is not None and each.owner.name in but_of):
            continue
        yield each
