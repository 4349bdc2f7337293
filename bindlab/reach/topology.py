"""What a host's interface table implies: whose each address is, and which networks it joins.

A pure function of a :class:`Host`, indexed so that a question costs the same with ten
networks or five thousand. Knows nothing of sockets, and decides nothing about delivery.
"""

from collections.abc import Iterator
from functools import cached_property
from ipaddress import IPv6Address, ip_network
from typing import NamedTuple

from bindlab.endpoint import IPAddress, is_zone, parse_address
from bindlab.host import Host, IPNetwork
from bindlab.interface import AddressState, Interface
from bindlab.reach.networks import Networks

__all__ = ["Attachment", "Own", "Topology", "zoned"]

_ASSUMED_LOOPBACK = Interface("lo", None, None, ["127.0.0.1/8"], is_loopback=True)

# Where taking an interface down takes its addresses with it, by IP version: Linux flushes
# IPv6 (measured); Windows refuses to bind to any address of such an interface.
_FLUSHED_WHEN_DOWN = {"linux": (6,), "windows": (4, 6)}
# Where every address of 127.0.0.0/8 is local, and not only those an interface lists.
_WHOLE_LOOPBACK_NETWORK = frozenset({"linux", "windows"})
_UNREADY = AddressState.TENTATIVE | AddressState.DAD_FAILED


class Own(NamedTuple):
    """An address that this host answers to, and the interface that owns it."""

    ip: IPAddress
    owner: Interface
    network: IPNetwork
    state: AddressState | None = None


class Attachment(NamedTuple):
    """A network that this host is on, and the interface that puts it there."""

    network: IPNetwork
    interface: Interface


class Topology:
    """The addresses and networks of one host, ready to be asked."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.links = tuple(i for i in host.interfaces if not i.holds_loopback)
        listed = next((i for i in host.interfaces if i.holds_loopback), None)
        self.assumes_loopback = listed is None
        self.loopback = self._with_ipv6_loopback(listed or _ASSUMED_LOOPBACK)
        self.interfaces = (
            self.loopback,
            *(i for i in host.interfaces if i is not listed),
        )

    @cached_property
    def own(self) -> tuple[Own, ...]:
        """Every usable address of the host, in the order of its interfaces."""
        return tuple(
            Own(zoned(ip, interface), interface, network, state)
            for interface in self.interfaces
            for ip, network, state in self._listed(interface)
            if not self._is_gone(ip, state, interface)
        )

    @cached_property
    def unready(self) -> tuple[Own, ...]:
        """The addresses that duplicate address detection keeps from use (RFC 4862, 5.4)."""
        return tuple(
            Own(zoned(ip, interface), interface, network, state)
            for interface in self.interfaces
            for ip, network, state in self._listed(interface)
            if state is not None and state & _UNREADY
        )

    @cached_property
    def elsewhere(self) -> tuple[Own, ...]:
        """One address of each local route that no interface's own address stands for."""
        return tuple(
            Own(route[1] if route.num_addresses > 1 else route[0], self.loopback, route)
            for route in self.host.local_routes or ()
            if not route.is_loopback
            and not any(own.ip.version == route.version and own.ip in route for own in self.own)
        )

    @cached_property
    def attachments(self) -> tuple[Attachment, ...]:
        """Every network with room for neighbours, on every interface but loopback."""
        found: dict[tuple[IPNetwork, str], Attachment] = {}
        for link in self.links:
            for _, network, _ in self._listed(link):
                if network.prefixlen < network.max_prefixlen:
                    found[network, link.name] = Attachment(network, link)
        return tuple(found.values())

    def link(self, zone: str) -> Interface | None:
        """Return the interface, loopback left out, with *zone* as its name or index."""
        return self._links.get(zone)

    def entries(self, ip: IPAddress) -> tuple[Own, ...]:
        """Return *ip* as this host has it, on each interface; a zone narrows it to that one.

        An address that only a local route delivers, such as any other of the network that
        loopback has (Linux: ``ip route show table local``), is owned by loopback.
        """
        listed = self._entries.get((ip.version, int(ip)), ())
        if isinstance(ip, IPv6Address) and ip.scope_id is not None:
            zone = ip.scope_id
            return tuple(own for own in listed if own.owner.has_zone(zone))
        if listed or not self._delivered.hold(ip):
            return listed
        return (Own(ip, self.loopback, ip_network(ip)),)

    def owners(self, ip: IPAddress) -> tuple[Interface, ...]:
        """Return the interfaces that own *ip*: see :meth:`entries`."""
        return tuple(own.owner for own in self.entries(ip))

    def attached(self, ip: IPAddress) -> tuple[Attachment, ...]:
        """Return the attachments whose network has *ip* in it, without regard to zones."""
        return tuple(self._attached.around(ip))

    def overlapping(self, network: IPNetwork) -> Iterator[Attachment]:
        """Return the attachments that share addresses with *network*."""
        return self._attached.overlapping(network)

    def broadcast_links(self, ip: IPAddress) -> tuple[Interface, ...]:
        """Return the interfaces on whose network *ip* is the broadcast address (RFC 919)."""
        return tuple(self._broadcasts.get(int(ip), ())) if ip.version == 4 else ()

    @cached_property
    def _links(self) -> dict[str, Interface]:
        indexed = {str(i.index): i for i in self.links if i.index is not None}
        return indexed | {i.name: i for i in self.links}

    @cached_property
    def _entries(self) -> dict[tuple[int, int], tuple[Own, ...]]:
        entries: dict[tuple[int, int], tuple[Own, ...]] = {}
        for own in self.own:
            key = (own.ip.version, int(own.ip))
            entries[key] = (*entries.get(key, ()), own)
        return entries

    @cached_property
    def _attached(self) -> Networks[Attachment]:
        return Networks((attachment.network, attachment) for attachment in self.attachments)

    @cached_property
    def _delivered(self) -> Networks[None]:
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
        return Networks((network, None) for network in networks)

    @cached_property
    def _broadcasts(self) -> dict[int, list[Interface]]:
        broadcasts: dict[int, list[Interface]] = {}
        for network, interface in self.attachments:
            if network.version == 4 and network.prefixlen < 31:
                last = int(network.network_address) | int(network.hostmask)
                broadcasts.setdefault(last, []).append(interface)
        return broadcasts

    def _listed(
        self, interface: Interface
    ) -> Iterator[tuple[IPAddress, IPNetwork, AddressState | None]]:
        states = {int(ip): state for ip, state in interface.states or ()}
        for address in interface.addresses:
            ip = parse_address(address)
            if ip.is_unspecified or ip.is_multicast:  # systems have been seen to list 0.0.0.0
                continue
            yield ip, address.network, states.get(int(ip)) if ip.version == 6 else None

    def _with_ipv6_loopback(self, loopback: Interface) -> Interface:
        """Return *loopback* with ::1 if nobody read it from a system and IPv6 is in use."""
        in_use = any(a.version == 6 for link in self.links for a in link.addresses)
        listed = any(a.version == 6 for a in loopback.addresses)
        if loopback.states is not None or loopback.disable_ipv6 or listed or not in_use:
            return loopback
        return loopback.replace(addresses=[*loopback.addresses, "::1/128"])

    def _is_gone(self, ip: IPAddress, state: AddressState | None, interface: Interface) -> bool:
        if state is not None:
            return bool(state & _UNREADY)
        flushed = _FLUSHED_WHEN_DOWN.get(self.host.system, ())
        return interface.is_up is False and ip.version in flushed


def zoned(ip: IPAddress, interface: Interface) -> IPAddress:
    """Return *ip* with the zone of *interface* if it is link-local and has none yet."""
    if isinstance(ip, IPv6Address) and ip.is_link_local and ip.scope_id is None:
        zone = interface.name if is_zone(interface.name) else interface.index
        return ip if zone is None else IPv6Address(f"{ip}%{zone}")
    return ip
