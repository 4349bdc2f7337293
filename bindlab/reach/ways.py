"""The ways in: every destination that an origin could dial, by every interface it may come by.

Expands a binding, a place and a host into paths, and judges none of them.
"""

from collections.abc import Iterator
from ipaddress import IPv6Address
from typing import NamedTuple

from bindlab.binding import Binding
from bindlab.endpoint import IPAddress, unmap
from bindlab.host import IPNetwork
from bindlab.interface import AddressState, Interface
from bindlab.reach.origin import Place, Where
from bindlab.reach.path import Path
from bindlab.reach.routing import Routing
from bindlab.reach.topology import Topology
from bindlab.special_addresses import Kind, kind_of_address

__all__ = ["Destination", "destinations", "hears", "ways"]


class Destination(NamedTuple):
    """An address that packets for a binding may carry, and what the host has it on.

    *number* is its place among all of the binding's.
    """

    ip: IPAddress
    kind: Kind
    owner: Interface | None
    network: IPNetwork | None = None
    state: AddressState | None = None
    number: int = 0


def destinations(binding: Binding, topology: Topology) -> tuple[Destination, ...]:
    """Return what can be dialled to reach *binding*, in the order of the host's interfaces."""
    bound = unmap(binding.endpoint.ip)
    if isinstance(bound, IPv6Address) and not (bound.is_link_local or bound.is_multicast):
        bound = IPv6Address(int(bound))  # only those two have zones
    links = topology.broadcast_links(bound)
    if links:
        return tuple(Destination(bound, Kind.BROADCAST, link) for link in links)
    if bound.is_unspecified:
        found = (*topology.own, *topology.elsewhere, *topology.unready)
    else:
        same = (own for own in topology.unready if own.ip.version == bound.version)
        found = topology.entries(bound) or tuple(own for own in same if _is_same(own.ip, bound))
    return tuple(
        Destination(own.ip, kind_of_address(own.ip), own.owner, own.network, own.state)
        for own in found
    ) or (() if bound.is_unspecified else (Destination(bound, kind_of_address(bound), None),))


def _is_same(ip: IPAddress, bound: IPAddress) -> bool:
    """Return whether *bound*, with or without a zone, means *ip*."""
    zone = bound.scope_id if isinstance(bound, IPv6Address) else None
    return ip == bound or (zone is None and int(ip) == int(bound))


def ways(
    binding: Binding,
    to: Destination,
    place: Place,
    topology: Topology,
    routing: Routing,
    hears_origin: bool = True,
) -> Iterator[Path]:
    """Yield the ways from *place* to one destination, the straightest first."""
    ip, kind, owner, network, state, _ = to
    for arrival in _arrivals(binding, to, place, topology):
        yield Path(
            binding,
            place,
            topology.host,
            routing,
            topology.loopback,
            ip,
            kind,
            owner,
            network,
            arrival,
            state,
            hears_origin,
        )


def hears(binding: Binding, place: Place, topology: Topology) -> bool:
    """Return whether a socket hears *place* at all: a connected one hears its peer only."""
    if binding.peer is None:
        return True
    peer = unmap(binding.peer.ip)
    if place.where is Where.INSIDE and place.source is None:
        return peer.is_loopback or bool(topology.owners(peer))
    return place.may_be(peer)


def _arrivals(
    binding: Binding, to: Destination, place: Place, topology: Topology
) -> Iterator[Interface | None]:
    """Yield the interfaces to come by: the destination's own, then the detours."""
    if place.where is Where.INSIDE:
        yield _seen_from_inside(to, topology)
        return
    everywhere = place.arrivals is topology.links
    straight = to.owner
    if straight is not None and (
        straight is not topology.loopback if everywhere else straight in place.arrivals
    ):
        yield straight
    detours = place.arrivals
    if binding.device is not None:
        # A socket on a device hears no other; one of the others stands for them all.
        pinned = topology.link(binding.device)
        detours = (pinned,) if pinned in detours else detours[:1]
    yield from (detour for detour in detours if detour is not straight)
    if not place.arrivals:
        yield None


def _seen_from_inside(to: Destination, topology: Topology) -> Interface | None:
    """Return the interface by which the kernel says that a packet from this machine came.

    The packet goes through loopback, yet the socket layer sees the interface that owns the
    destination (measured on Linux; ``orig_oif`` in ``ip_route_output_key_hash_rcu``).
    """
    return topology.loopback if to.kind is Kind.LOOPBACK else to.owner
