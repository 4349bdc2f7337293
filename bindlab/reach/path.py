"""One way in, and what is true of it: the facts that the rules are written in.

``None`` as a fact means unknown.
"""

from functools import cached_property
from ipaddress import IPv6Address

from bindlab.binding import Binding
from bindlab.endpoint import address_text, unmap
from bindlab.interface import AddressState, Interface
from bindlab.printable import printable
from bindlab.reach.origin import Place, Where, is_internet
from bindlab.reach.return_path import SOMEWHERE, Answers, ReturnPath, Routing, WayBack, way_back
from bindlab.reach.topology import Destination
from bindlab.special_addresses import TAILNETS, Kind, block_of, kind_of_address

# macOS is a strong host on these interfaces only (xnu's hybrid host model).
MACOS_TUNNELS = ("utun", "ipsec")
_LINK_GROUPS = ("224.0.0.0/24", "ff01::/16", "ff02::/16")


class Path:
    """A destination that an origin may dial, and the interface that its packets come by.

    *arrival* is the interface as the socket sees it; *hears_origin* whether the socket hears
    that origin at all, which only a connected one may not; *answers* tells the return path.
    """

    def __init__(
        self,
        binding: Binding,
        place: Place,
        to: Destination,
        arrival: Interface | None,
        routing: Routing,
        answers: Answers,
        *,
        hears_origin: bool,
    ) -> None:
        self.binding = binding
        self.place = place
        self.destination, self.kind, self.owner, self.network, self.state = to
        self.arrival = arrival
        self.hears_origin = hears_origin
        self.host = routing.topology.host
        self.topology = routing.topology
        self.routing = routing
        self._answers = answers

        self.inside = place.where is Where.INSIDE
        """Whether the packet never leaves this machine."""
        self.on_link = place.where is Where.ON_LINK
        """Whether the origin is a neighbour on the arrival interface's link."""
        self.by_tailnet = place.members in TAILNETS
        """Whether the origin is a neighbour by a VPN whose rules say which machines may talk."""
        self.routed = place.where is Where.ROUTED
        """Whether the packet comes through a router."""
        owner = self.owner
        self.crosses = not self.inside and owner is not None and owner is not arrival
        """Whether the packet comes by another interface than the one it is for.

        So it always does for a port of a bridge or a bond, whose packets come by the master.
        """
        self.is_udp = binding.endpoint.transport == "udp"
        """Whether the socket takes datagrams, and no connections."""
        self.is_group = self.kind in (Kind.MULTICAST, Kind.BROADCAST)
        """Whether the destination is a multicast group or a broadcast address."""
        self.is_loopback = self.kind is Kind.LOOPBACK
        """Whether the destination is in 127.0.0.0/8, or ::1."""
        self.has_zone = self.kind is Kind.LINK_LOCAL and self.destination.version == 6
        """Whether the destination means something on one link only (RFC 4007)."""
        self.heeds_localnet = self.destination.version == 4 and self.host.system == "linux"
        """Whether route_localnet has a say; ::1 has no such switch (RFC 4291, 2.5.3)."""
        vrf = routing.topology.vrfs.get(arrival.name) if arrival else None
        self.vrf = vrf.name if vrf else None
        """The VRF that the arrival interface is in, if it is in one."""
        self.foreign = place.foreign
        """Whether the origin sends by a link that its address is not of."""

    @property
    def is_bound_to_loopback(self) -> bool:
        """Whether the socket is bound to such an address, whatever packets are for."""
        return kind_of_address(unmap(self.binding.endpoint.ip)) is Kind.LOOPBACK

    @cached_property
    def needs_nat(self) -> bool:
        """Whether the origin is on the internet, and the destination is not."""
        return self.place.internet and not is_internet(self.destination)

    @cached_property
    def needs_forwarding(self) -> bool:
        """Whether the machine that runs this guest has to pass on what the origin sends.

        Its neighbours, such as that machine itself, do without: see :class:`Guest`.
        """
        guest = self.host.guest
        if guest is None or self.inside or not guest.needs_forwarding:
            return False
        is_private = self.arrival is not None and self.arrival.name in guest.private_links
        return not self.on_link or self.foreign or is_private

    @cached_property
    def takes_family(self) -> bool | None:
        """Whether the socket takes packets of this family (RFC 3493 sections 3.7 and 5.3)."""
        bound, version = self.binding.endpoint.ip, self.destination.version
        if version not in self.place.versions:
            return False
        if bound.version == 4:
            return version == 4
        is_mapped = unmap(bound) is not bound
        if version == 6:
            return not is_mapped
        if is_mapped:
            # With IPV6_V6ONLY set, bind() refuses such an address: EINVAL.
            return self.binding.v6only is not True
        if not bound.is_unspecified or self.host.system == "openbsd":
            return False  # OpenBSD has IPV6_V6ONLY on, and no way to turn it off: ip6(4)
        return None if self.binding.v6only is None else not self.binding.v6only

    @property
    def takes_localnet(self) -> bool | None:
        """Whether 127.0.0.0/8 is let in by the arrival interface (Linux, route_localnet)."""
        if self.arrival is not None and self.arrival.route_localnet:
            return True
        return self.host.route_localnet

    @cached_property
    def claim(self) -> AddressState:
        """What the system says of the destination; nothing special where it does not say."""
        return self.state or AddressState.PREFERRED

    @cached_property
    def device(self) -> str | None:
        """The interface that the packet must come by, if the socket is bound to one.

        The zone of the address goes before the device (``__inet6_bind``: "override any
        existing binding").
        """
        bound = self.binding.endpoint.ip
        return (bound.scope_id if isinstance(bound, IPv6Address) else None) or self.binding.device

    @property
    def fits_device(self) -> bool:
        """Whether the packet comes by the device that the socket is bound to, if it is."""
        if self.device is None or (self.inside and self.is_group):
            return True
        if self.arrival is None:
            return False
        vrf = self.topology.vrfs.get(self.arrival.name)
        return self.arrival.has_zone(self.device) or (vrf is not None and vrf.has_zone(self.device))

    @property
    def leaves_vrf(self) -> bool:
        """Whether the packet is for an address of a VRF, and comes by an interface outside it."""
        if not self.crosses or self.owner is None:
            return False
        of_owner = self.topology.vrfs.get(self.owner.name)
        return of_owner is not None and of_owner.name != self.vrf

    @property
    def is_strong(self) -> bool | None:
        """Whether the host refuses what crosses (RFC 1122 section 3.3.4.2)."""
        if self.host.system == "macos" and "strong_host" in self.host.assumed:
            ends = [end.name for end in (self.owner, self.arrival) if end is not None]
            return any(name.startswith(MACOS_TUNNELS) for name in ends)
        return self.host.strong_host

    @property
    def link_is_live(self) -> bool:
        """Whether packets can come in by the arrival interface at all, as far as is known."""
        if self.arrival is None:
            return False
        ipv6_off = self.destination.version == 6 and self.arrival.disable_ipv6 is True
        return self.arrival.name in self.topology.live and not ipv6_off

    @property
    def needs_route(self) -> bool:
        """Whether the origin must know a way to the destination's network."""
        if self.routed:
            return self.crosses or not (self.is_group or self.needs_nat or self.needs_forwarding)
        return self.crosses or (self.on_link and not self.has_zone and not self._shares_network)

    @property
    def _shares_network(self) -> bool:
        """Whether the destination is in the origin's own network, so that it needs no route."""
        members, network = self.place.members, self.network
        if self.is_group or network is None:
            return True
        return not self.foreign and (members is None or members.overlaps(network))

    @cached_property
    def return_path(self) -> ReturnPath | None:
        """What becomes of answers to the origin; ``None`` inside, and where it is not known."""
        if self.inside or self.arrival is None or not self.routing.is_known:
            return None
        alone = self.device is not None or self.place.link_local
        return self._answers(self.destination.version, self.arrival.name if alone else None)

    @cached_property
    def back(self) -> WayBack | None:
        """How answers find the origin, by the routes that this machine is known to have."""
        if self.return_path is None or self.arrival is None:
            return None
        version, pinned = self.destination.version, self.device is not None
        return way_back(self.place, version, self.arrival, self._answers, pinned=pinned)

    @property
    def fails_reverse_path(self) -> bool:
        """Whether the arrival interface drops the packet for its source (RFC 3704, by IPv4).

        A strict filter wants answers to leave by that interface, a loose one by any.
        """
        arrival = self.arrival
        if self.return_path is None or arrival is None or self.destination.version == 6:
            return False
        if not arrival.rp_filter:
            return False
        leaves_by = self._answers(4, None).interfaces
        if arrival.rp_filter == 1:
            return leaves_by.isdisjoint({arrival.name, SOMEWHERE})
        return leaves_by == frozenset({None})

    @property
    def needs_way_back(self) -> bool:
        """Whether answers may find no way to the origin, though its packets come in."""
        if self.back is None:
            return self.routed or self.foreign or self.place.ambiguous
        return self.back is WayBack.PARTLY

    @property
    def is_answering(self) -> bool:
        """Whether the destination is what this machine would send to the origin from."""
        back = self.return_path
        return back is not None and int(self.destination) in back.sources

    @property
    def is_joined(self) -> bool | None:
        """Whether this machine has joined the group on the arrival interface."""
        if self.binding.groups is None or self.arrival is None:
            return None
        return any(
            int(group) == int(self.destination) and self.arrival.has_zone(name)
            for group, name in self.binding.groups
        )

    @property
    def leaves_group_scope(self) -> bool:
        """Whether the packet would be forwarded further than its group or broadcast goes."""
        if not self.routed or not self.is_group:
            return False
        block = block_of(self.destination)
        if block is None or self.kind is Kind.BROADCAST or str(block.network) in _LINK_GROUPS:
            return True
        return self.place.internet and block.globally_reachable is False

    @property
    def words(self) -> dict[str, str]:
        """The words that stand in the braces of a :class:`~bindlab.reach.rules.Rule`."""
        bound, address = self.binding.endpoint.ip, address_text(self.destination)
        wildcard = self.binding.endpoint.is_unspecified
        return {
            "bound": address_text(bound),
            "family": f"IPv{unmap(bound).version}",
            "address": address,
            "loopback": f"{address} is loopback"
            if wildcard
            else f"it is bound to {address_text(bound)}",
            "owner": self.owner.display_name if self.owner else "no interface",
            "arrival": self.arrival.display_name if self.arrival else "no interface",
            "here": f"by {self.arrival.display_name}" if self.owner and self.arrival else "here",
            "rp_filter": str(self.arrival.rp_filter) if self.arrival else "",
            "vrf": printable(self.vrf) if self.vrf else "",
            "device": printable(self.device) if self.device else "",
            "peer": str(self.binding.peer),
            "kind": f"a {self.kind.value}",
            "guest": self.host.guest.forwards if self.host.guest else "",
            **self._way_back_in_words,
        }

    @property
    def _way_back_in_words(self) -> dict[str, str]:
        if (back := self.return_path) is None:
            return {}
        by = sorted(self.host.interface(end).display_name for end in back.interfaces if end)
        routers = f" through {' or '.join(sorted(back.routers))}" if back.routers else ""
        refused = f"the route there is {' or '.join(sorted(back.refusals))}"
        return {
            "back": (" or ".join(by) or "some interface") + routers,
            "nowhere": refused if back.refusals else "no route leads there",
        }
