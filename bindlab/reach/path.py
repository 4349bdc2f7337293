"""One way in, and what is true of it: the facts that the rules are written in.

``None`` as a fact means unknown. Decides nothing: rules.py says what follows.
"""

from ipaddress import IPv6Address
from typing import NamedTuple

from bindlab.binding import Binding
from bindlab.endpoint import IPAddress, unmap
from bindlab.host import Host, IPNetwork
from bindlab.interface import AddressState, Interface
from bindlab.reach.origin import Place, Where, is_internet
from bindlab.reach.routing import Back, Fate, Routing
from bindlab.special_addresses import Kind, block_of, kind_of_address

__all__ = ["MACOS_TUNNELS", "Path"]

# macOS is a strong host on these interfaces only (xnu's hybrid host model).
MACOS_TUNNELS = ("utun", "ipsec")
_LINK_GROUPS = ("224.0.0.0/24", "ff01::/16", "ff02::/16")


class Path(NamedTuple):
    """A destination that an origin may dial, and the interface its packets may come by.

    *owner* is the interface that has the destination, in *network*; *arrival* the one that the
    socket sees the packet come by; *hears_origin* whether the socket hears that origin at all,
    which only a connected one may not.
    """

    binding: Binding
    place: Place
    host: Host
    routing: Routing
    loopback: Interface
    destination: IPAddress
    kind: Kind
    owner: Interface | None
    network: IPNetwork | None
    arrival: Interface | None
    state: AddressState | None = None
    hears_origin: bool = True

    @property
    def inside(self) -> bool:
        """Whether the packet never leaves this machine."""
        return self.place.where is Where.INSIDE

    @property
    def on_link(self) -> bool:
        """Whether the origin is a neighbour on the arrival interface's link."""
        return self.place.where is Where.ON_LINK

    @property
    def routed(self) -> bool:
        """Whether the packet comes through a router."""
        return self.place.where is Where.ROUTED

    @property
    def crosses(self) -> bool:
        """Whether the packet comes by another interface than the one it is for."""
        return not self.inside and self.owner is not None and self.owner is not self.arrival

    @property
    def is_udp(self) -> bool:
        """Whether the socket takes datagrams, and no connections."""
        return self.binding.endpoint.transport == "udp"

    @property
    def is_group(self) -> bool:
        """Whether the destination is a multicast group or a broadcast address."""
        return self.kind is Kind.MULTICAST or self.kind is Kind.BROADCAST

    @property
    def is_loopback(self) -> bool:
        """Whether the destination is in 127.0.0.0/8, or ::1."""
        return self.kind is Kind.LOOPBACK

    @property
    def is_bound_to_loopback(self) -> bool:
        """Whether the socket is bound to such an address, whatever packets are for."""
        return kind_of_address(unmap(self.binding.endpoint.ip)) is Kind.LOOPBACK

    @property
    def has_zone(self) -> bool:
        """Whether the destination means something on one link only (RFC 4007)."""
        return self.kind is Kind.LINK_LOCAL and self.destination.version == 6

    @property
    def needs_nat(self) -> bool:
        """Whether the origin is on the internet, and the destination is not."""
        return self.place.internet and not is_internet(self.destination)

    @property
    def takes_family(self) -> bool | None:
        """Whether the socket takes packets of this family (RFC 3493 sections 3.7 and 5.3)."""
        bound, version = self.binding.endpoint.ip, self.destination.version
        if version not in self.place.versions:
            return False
        if bound.version == 4 or (version == 6 and unmap(bound) is bound):
            return version == bound.version
        if unmap(bound) is not bound:
            # With IPV6_V6ONLY set, bind() refuses such an address: EINVAL.
            return version == 4 and self.binding.v6only is not True
        if not bound.is_unspecified or (
            self.binding.v6only is None and self.host.system == "openbsd"
        ):
            return False  # OpenBSD has IPV6_V6ONLY on, and no way to turn it off: ip6(4)
        return None if self.binding.v6only is None else not self.binding.v6only

    @property
    def heeds_localnet(self) -> bool:
        """Whether route_localnet has a say; ::1 has no such switch (RFC 4291, 2.5.3)."""
        return self.destination.version == 4 and self.host.system == "linux"

    @property
    def takes_localnet(self) -> bool | None:
        """Whether 127.0.0.0/8 is let in by the arrival interface (Linux, route_localnet)."""
        if self.arrival is not None and self.arrival.route_localnet:
            return True
        return self.host.route_localnet

    @property
    def claim(self) -> AddressState:
        """What the system says of the destination; nothing special where it does not say."""
        return self.state or AddressState.PREFERRED

    @property
    def device(self) -> str | None:
        """The interface that the packet must come by, if the socket is bound to one."""
        return self.binding.pin

    @property
    def fits_device(self) -> bool:
        """Whether the packet comes by the device that the socket is bound to, if it is."""
        if self.device is None or (self.inside and self.is_group):
            return True
        return self.arrival is not None and self.arrival.has_zone(self.device)

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
        return self.arrival.is_live and not ipv6_off

    @property
    def loopback_is_live(self) -> bool:
        """Whether this machine can reach itself, which takes loopback for every address."""
        ipv6_off = self.destination.version == 6 and self.loopback.disable_ipv6 is True
        return self.loopback.is_up is not False and not ipv6_off

    @property
    def answers_nowhere(self) -> bool:
        """Whether answers inside this machine would have to leave by a device that is down."""
        down = self.arrival is not None and self.arrival.is_up is False
        return self.inside and self.device is not None and self.destination.version == 4 and down

    @property
    def shares_network(self) -> bool:
        """Whether the destination is in the origin's own network, so that it needs no route."""
        members, network = self.place.members, self.network
        if members is None or network is None or self.is_group:
            return True
        return members.version == network.version and members.overlaps(network)

    @property
    def needs_route(self) -> bool:
        """Whether the origin must know a way to the destination's network."""
        if self.routed:
            return self.crosses or not (self.is_group or self.needs_nat)
        return self.crosses or (self.on_link and not self.shares_network and not self.has_zone)

    @property
    def back(self) -> Back | None:
        """How answers find the origin, by the routes that this machine is known to have."""
        if self.arrival is None or not self.routing.is_known:
            return None
        version, pinned = self.destination.version, self.device is not None
        return self.routing.back(self.place, version, self.arrival, pinned=pinned)

    @property
    def needs_way_back(self) -> bool:
        """Whether answers may find no way to the origin, though its packets come in."""
        if self.inside:
            return self.answers_elsewhere or self.answers_nowhere
        back = self.back
        if back is None:
            return self.routed or self.place.ambiguous
        return back is Back.PARTLY

    @property
    def fate(self) -> Fate | None:
        """What becomes of answers to the origin; ``None`` inside, and where it is not known."""
        if self.inside or self.arrival is None or not self.routing.is_known:
            return None
        version, pinned = self.destination.version, self.device is not None
        return self.routing.fate(self.place, version, self.arrival, pinned=pinned)

    @property
    def is_answering(self) -> bool:
        """Whether the destination is what this machine would send to the origin from.

        Detours to neighbours are left out: they come in crowds that nothing tells apart.
        """
        fate = None if self.on_link and self.crosses else self.fate
        return fate is not None and int(self.destination) in fate.sources

    @property
    def leaves_source_zone(self) -> bool:
        """Whether a program here would have to leave the link that its source is pinned to."""
        source = self.place.source
        if not self.inside or not isinstance(source, IPv6Address) or source.scope_id is None:
            return False
        return self.owner is None or not self.owner.has_zone(source.scope_id)

    @property
    def answers_elsewhere(self) -> bool:
        """Whether a pinned socket would send its answer out of its device, to nobody.

        So it does with the answer to an address that this machine has on another interface.
        IPv4 pinned to loopback is the exception. A TCP client of a link-local address is
        pinned itself.
        """
        source, arrival = self.place.source, self.arrival
        pinned = self.device is not None or (self.has_zone and not self.is_udp)
        if not self.inside or source is None or arrival is None or not pinned:
            return False
        if arrival is self.loopback and (self.destination.version == 4 or source.is_loopback):
            return False
        return all(int(address) != int(source) for address in arrival.addresses)

    @property
    def loses_answers(self) -> bool:
        """Whether those answers are lost for certain: by IPv6 a router may bring them back."""
        source, arrival = self.place.source, self.arrival
        if not self.answers_elsewhere or source is None or arrival is None:
            return False
        return (
            self.destination.version == 4
            or self.has_zone
            or arrival is self.loopback
            or source.is_loopback
            or self.routing.leads_by(int(source), 6, arrival) is False
        )

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
