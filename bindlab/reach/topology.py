"""What a host's interface table implies: its own addresses, and the networks that it is on."""

from functools import cached_property
from ipaddress import IPv6Address, ip_network
from typing import NamedTuple

from bindlab.endpoint import IPAddress, parse_address, unmap
from bindlab.host import Host
from bindlab.interface import AddressState, Interface, InterfaceAddress, zone_to_write
from bindlab.route import IPNetwork
from bindlab.special_addresses import TAILNETS, Kind, kind_of_address

_ASSUMED_LOOPBACK = Interface("lo", addresses=["127.0.0.1/8"], is_loopback=True)

# Where taking an interface down takes its addresses with it, by IP version: Linux flushes
# IPv6 (measured); Windows refuses to bind to any address of such an interface.
_FLUSHED_WHEN_DOWN = {"linux": (6,), "windows": (4, 6)}
# Where every address of 127.0.0.0/8 is local, and not only those an interface lists.
_WHOLE_LOOPBACK_NETWORK = frozenset({"linux", "windows"})
# The kinds of interfaces that take in all that comes by their ports (measured on Linux).
_TAKES_FROM_PORTS = frozenset({"bridge", "bond", "team"})
_UNREADY = AddressState.TENTATIVE | AddressState.DAD_FAILED


class Destination(NamedTuple):
    """An address that packets for this host may carry.

    *owner* is the interface that has it, in *network*; ``None`` for a group, and for an address
    that the host does not have.
    """

    ip: IPAddress
    kind: Kind
    owner: Interface | None = None
    network: IPNetwork | None = None
    state: AddressState | None = None


class Attachment(NamedTuple):
    """A network that this host is on, and the interface by which its other hosts come in."""

    network: IPNetwork
    interface: Interface


class Topology:
    """The addresses and networks of one host, ready to be asked."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._others = tuple(i for i in host.interfaces if not i.holds_loopback)
        self.masters = {i.name: master for i in self._others if (master := self._master(i))}
        """By the name of each port of a bridge, a bond or a team: what its packets come in by."""
        self.links = tuple(i for i in self._others if i.name not in self.masters)
        """The interfaces by which packets come in: all but loopback and the ports of others."""
        self.live = frozenset(link.name for link in self.links if link.is_live)
        """The names of those that work, as far as is known."""
        self.vrfs = {i.name: vrf for i in self._others if (vrf := host.vrf_of(i))}
        """The VRF device of each interface that is one, or a member of one, by its name."""
        listed = next((i for i in host.interfaces if i.holds_loopback), None)
        self.assumes_loopback = listed is None
        self.loopback = self._with_ipv6_loopback(listed or _ASSUMED_LOOPBACK)
        self.interfaces = (self.loopback, *(i for i in host.interfaces if i is not listed))
        self.own: list[Destination] = []
        """Every usable address of the host, in the order of its interfaces."""
        self.unready: list[Destination] = []
        """The addresses that duplicate address detection keeps from use (RFC 4862, 5.4)."""
        for interface in self.interfaces:
            self._list(interface)
        self.attachments = self._attachments()
        """Every network with room for neighbours, on every interface but loopback."""

    @cached_property
    def elsewhere(self) -> list[Destination]:
        """One address of each local route that no interface's own address is in."""
        return [
            Destination(ip, kind_of_address(ip), self.loopback, route)
            for route in self.host.local_routes or ()
            if not route.is_loopback and not any(own.ip in route for own in self.own)
            for ip in (route[1] if route.num_addresses > 1 else route[0],)
        ]

    def is_routed_here(self, to: Destination) -> bool:
        """Return whether a local route delivers *to*, which is in no network of loopback's.

        Such a route is of some interface, by which this machine then sees its own packets come
        (measured on Linux), and a host does not tell of which.
        """
        own = self.loopback.addresses
        return to.owner is self.loopback and not any(to.ip in address.network for address in own)

    def link(self, zone: str) -> Interface | None:
        """Return the interface, loopback left out, with *zone* as its name or index."""
        named = (each for each in self._others if each.name == zone)
        return next(named, None) or next((i for i in self._others if i.has_zone(zone)), None)

    def has(self, ip: IPAddress) -> list[Destination]:
        """Return *ip* as this host has it, on each interface; a zone narrows it to that one.

        An address that only a local route delivers, such as any other of the network that
        loopback has (Linux: ``ip route show table local``), is owned by loopback.
        """
        bits, version = int(ip), ip.version
        listed = [own for own in self.own if int(own.ip) == bits and own.ip.version == version]
        if isinstance(ip, IPv6Address) and ip.scope_id is not None:
            zone = ip.scope_id
            return [own for own in listed if own.owner is not None and own.owner.has_zone(zone)]
        if listed or not [network for network in self._delivered if ip in network]:
            return listed
        return [Destination(ip, kind_of_address(ip), self.loopback, ip_network(ip))]

    def own_of(self, interface: str) -> list[Destination]:
        """Return the usable addresses of the interface of that name."""
        return [own for own in self.own if own.owner is not None and own.owner.name == interface]

    def destinations(self, bound: IPAddress) -> list[Destination]:
        """Return what can be dialled to reach a socket that is bound to *bound*.

        An address that the host does not have is a destination without an owner.
        """
        ip = unmap(bound)
        if ip.is_unspecified:
            return [*self.own, *self.elsewhere, *self.unready]
        if isinstance(ip, IPv6Address) and not (ip.is_link_local or ip.is_multicast):
            ip = IPv6Address(int(ip))  # only those two have zones
        if links := self.broadcast_links(ip):
            return [Destination(ip, Kind.BROADCAST, link) for link in links]
        unready = [each for each in self.unready if _is_same(each.ip, ip)]
        return self.has(ip) or unready or [Destination(ip, kind_of_address(ip))]

    def attached(self, ip: IPAddress) -> list[Attachment]:
        """Return the attachments whose network has *ip* in it, zones aside, narrowest first."""
        found = [attachment for attachment in self.attachments if ip in attachment.network]
        return sorted(found, key=lambda attachment: -attachment.network.prefixlen)

    def overlapping(self, network: IPNetwork) -> list[Attachment]:
        """Return the attachments that share addresses with *network*."""
        return [each for each in self.attachments if each.network.overlaps(network)]

    def broadcast_links(self, ip: IPAddress) -> list[Interface]:
        """Return the interfaces on whose network *ip* is the broadcast address (RFC 919)."""
        return [
            interface
            for network, interface in self.attachments
            if network.version == 4 and network.prefixlen < 31 and network.broadcast_address == ip
        ]

    @cached_property
    def _delivered(self) -> list[IPNetwork]:
        """The networks all of whose addresses are local.

        127.0.0.1 and ::1 are taken for it on a host that nobody read from a system.
        """
        loopback = self.loopback
        networks = list(self.host.local_routes or ())
        if self.host.system in _WHOLE_LOOPBACK_NETWORK and loopback.is_up is not False:
            networks += [address.network for address in loopback.addresses if address.version == 4]
        if loopback.states is None:
            networks.append(ip_network("127.0.0.1"))
        if loopback.states is None and not loopback.disable_ipv6:
            networks.append(ip_network("::1"))
        return networks

    def _master(self, interface: Interface) -> Interface | None:
        """Return the interface that takes in all that the wire brings to *interface*."""
        if not interface.master:
            return None
        named = (i for i in self._others if i.name == interface.master)
        return next((i for i in named if i.kind in _TAKES_FROM_PORTS), None)

    def _list(self, interface: Interface) -> None:
        """Add the addresses of *interface* to those that are usable, and those that are not."""
        states = {int(ip): state for ip, state in interface.states or ()}
        flushed = _FLUSHED_WHEN_DOWN.get(self.host.system, ())
        for address in _real_addresses(interface):
            ip = zoned(parse_address(address), interface)
            state = states.get(int(ip)) if ip.version == 6 else None
            own = Destination(ip, kind_of_address(ip), interface, address.network, state)
            if state is not None and state & _UNREADY:
                self.unready.append(own)
            elif state is not None or interface.is_up is not False or ip.version not in flushed:
                self.own.append(own)

    def _attachments(self) -> list[Attachment]:
        found: dict[tuple[IPNetwork, str], Attachment] = {}
        for interface in self._others:
            link = self.masters.get(interface.name, interface)
            for address in _real_addresses(interface):
                network = address.network
                if network.prefixlen == network.max_prefixlen:
                    network = neighbours_of(address, interface)
                if network.prefixlen < network.max_prefixlen:
                    found[network, link.name] = Attachment(network, link)
        return list(found.values())

    def _with_ipv6_loopback(self, loopback: Interface) -> Interface:
        """Return *loopback* with ::1 if nobody read it from a system and IPv6 is in use."""
        in_use = any(a.version == 6 for link in self._others for a in link.addresses)
        listed = any(a.version == 6 for a in loopback.addresses)
        if loopback.states is not None or loopback.disable_ipv6 or listed or not in_use:
            return loopback
        return loopback.replace(addresses=[*loopback.addresses, "::1/128"])


def neighbours_of(address: InterfaceAddress, interface: Interface) -> IPNetwork:
    """Return the network whose members are neighbours by *interface*, which has *address*.

    That is the address's own, or the tailnet where it is alone in that, as with Tailscale. By
    PPP a provider gives such addresses as well (RFC 6598).
    """
    network = address.network
    if network.prefixlen < network.max_prefixlen or interface.kind == "ppp":
        return network
    if interface.is_point_to_point is False:
        return network
    return next((tailnet for tailnet in TAILNETS if address.ip in tailnet), network)


def zoned(ip: IPAddress, interface: Interface) -> IPAddress:
    """Return *ip* with the zone of *interface* if it is link-local and has none yet."""
    if isinstance(ip, IPv6Address) and ip.is_link_local and ip.scope_id is None:
        zone = zone_to_write(interface.name, interface.index)
        return ip if zone is None else IPv6Address(f"{ip}%{zone}")
    return ip


def _real_addresses(interface: Interface) -> list[InterfaceAddress]:
    """Return the addresses that a host can have: systems have been seen to list 0.0.0.0."""
    return [
        address
        for address in interface.addresses
        if not (address.ip.is_unspecified or address.ip.is_multicast)
    ]


def _is_same(ip: IPAddress, bound: IPAddress) -> bool:
    """Return whether *bound*, with or without a zone, means *ip*."""
    zone = bound.scope_id if isinstance(bound, IPv6Address) else None
    return ip == bound or (zone is None and ip.version == bound.version and int(ip) == int(bound))
