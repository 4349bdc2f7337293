"""Who is asked about, and where it may stand: inside the host, on one of its links, or beyond."""

import enum
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import NamedTuple, TypeAlias

from bindlab.endpoint import IPAddress, parse_address, unmap
from bindlab.host import Host
from bindlab.interface import Interface
from bindlab.printable import printable
from bindlab.reach.topology import Attachment, Topology
from bindlab.reach.verdict import THIS_HOST, Origin, Vantage
from bindlab.route import IPNetwork
from bindlab.special_addresses import Kind, block_around, kind_of_address

__all__ = [
    "OriginLike",
    "Place",
    "Where",
    "is_internet",
    "is_internet_network",
    "neighbours",
    "parse_origin",
    "places",
]

OriginLike: TypeAlias = Origin | str

_FORMS = (
    'write an address ("192.168.0.50"), a network ("192.168.0.0/24"), an interface or its name, '
    'THIS_HOST ("this host"), BEYOND ("beyond") or INTERNET ("internet")'
)
_WORDS: Mapping[str, Vantage] = {
    **{each.value: each for each in Vantage},
    "here": Vantage.THIS_HOST,
    "this host": Vantage.THIS_HOST,
    "beyond": Vantage.BEYOND,
    "internet": Vantage.INTERNET,
}
_NOT_SENDERS = (Kind.UNSPECIFIED, Kind.MULTICAST, Kind.BROADCAST)
# Nothing but these blocks is kept off the internet, and documentation plays a global part.
_PLAYS_GLOBAL = (Kind.GLOBAL, Kind.DOCUMENTATION, Kind.TRANSLATED)
_LINK_LOCAL = IPv6Network("fe80::/10")


class Where(enum.Enum):
    """How an origin's packets come to the host."""

    INSIDE = "inside"
    ON_LINK = "on link"
    ROUTED = "routed"


class Place(NamedTuple):
    """One place that an origin may stand at.

    *arrivals* are the interfaces by which its packets may come in, *source* its one address
    where it has one, *members* the network that it is in or that was asked about (``None``: any
    address of *versions*). *ambiguous* is set where the origin may also stand elsewhere;
    *foreign* where its address is of another network than the link that it sends by.
    """

    where: Where
    versions: tuple[int, ...]
    arrivals: tuple[Interface, ...] = ()
    source: IPAddress | None = None
    members: IPNetwork | None = None
    internet: bool = False
    ambiguous: bool = False
    foreign: bool = False

    @property
    def link_local(self) -> bool:
        """Whether packets from here have a link-local source, which no router forwards."""
        members = self.members
        return members is not None and members.version == 6 and members.is_link_local

    def may_be(self, ip: IPAddress) -> bool:
        """Return whether a packet from here may have *ip* as its source."""
        if ip.version not in self.versions:
            return False
        if self.source is not None:
            return int(self.source) == int(ip)
        return self.members is None or ip in self.members


def parse_origin(origin: OriginLike, host: Host) -> Origin:
    """Return *origin* as an address, a network, an interface or a vantage, un-mapped.

    Text is an address or a network; else one of the words ``"here"``, ``"this host"``,
    ``"beyond"`` and ``"internet"`` (or the :class:`Vantage` as tables show it), in any case, also
    with hyphens or underscores for the spaces; else an interface of *host*, by its name or the
    name that is shown. An interface that is called like an address or one of the words has to
    be given itself.

    Multicast, broadcast and unspecified addresses are a ``ValueError``: nothing sends from
    them (RFC 1122 section 3.2.1.3).
    """
    if isinstance(origin, (Vantage, Interface)):
        return origin
    if isinstance(origin, (IPv4Network, IPv6Network)):
        return _sending_network(origin)
    if isinstance(origin, (IPv4Address, IPv6Address)):
        return _sending_address(unmap(parse_address(origin)))
    if not isinstance(origin, str):
        raise TypeError(f"{type(origin).__name__} is no origin: {_FORMS}")
    try:
        parsed = ip_network(origin) if "/" in origin else unmap(parse_address(origin))
    except ValueError as error:
        if (named := _named(origin, host)) is not None:
            return named
        has = ", ".join(printable(each.name) for each in host.interfaces) or "none"
        why = f"{error}; " if "/" in origin else ""
        raise ValueError(
            f"{origin!r} is no origin: {why}{_FORMS}; the interfaces here are {has}"
        ) from error
    if isinstance(parsed, (IPv4Network, IPv6Network)):
        return _sending_network(parsed)
    return _sending_address(parsed)


def _named(text: str, host: Host) -> Origin | None:
    """Return the vantage or the interface that *text* is the name of."""
    word = text.lower().replace("-", " ").replace("_", " ")
    by_shown_name = {each.display_name: each for each in host.interfaces}
    by_name = {each.name: each for each in host.interfaces}
    return _WORDS.get(word) or by_name.get(text) or by_shown_name.get(text)


def places(origin: Origin, topology: Topology) -> tuple[Place, ...]:
    """Return the places at which *origin* may stand, one at least, the likeliest first.

    An address may also send by any other link: a machine on two networks does, and so does a
    router between them, and a neighbour whose address is of no network here.
    """
    match origin:
        case Vantage():
            return (_of_vantage(origin, topology),)
        case Interface():
            return (_of_interface(origin, topology),)
        case IPv4Network() | IPv6Network():
            found = _of_network(origin, topology)
        case _:
            found = _of_address(origin, topology)
    on_link = [link for place in found if place.where is Where.ON_LINK for link in place.arrivals]
    ambiguous = len(found) > 1 or len(on_link) > 1
    likely = tuple([place._replace(ambiguous=ambiguous) for place in found])
    if isinstance(origin, IPv4Address | IPv6Address):
        return likely + _by_another_link(origin, likely, topology)
    return likely


def neighbours(attachment: Attachment) -> Place:
    """Return the place of everyone else on one network of one interface."""
    network, interface = attachment
    return Place(Where.ON_LINK, (network.version,), (interface,), members=network)


def is_internet(ip: IPAddress) -> bool:
    """Return whether *ip* is an address of the internet, or plays one in an example.

    The documentation prefixes are written for global addresses, and are judged as such; an
    assumption of the answer says so.
    """
    return kind_of_address(ip) in _PLAYS_GLOBAL


def is_internet_network(network: IPNetwork) -> bool:
    """Return whether some of *network* is of the internet: see :func:`is_internet`."""
    block = block_around(network)
    return block is None or block.kind in _PLAYS_GLOBAL


def _of_vantage(vantage: Vantage, topology: Topology) -> Place:
    if vantage is THIS_HOST:
        return Place(Where.INSIDE, (4, 6))
    return Place(Where.ROUTED, (4, 6), topology.links, internet=vantage is Vantage.INTERNET)


def _of_interface(origin: Interface, topology: Topology) -> Place:
    interface = topology.host.interface(origin.name)
    if interface.holds_loopback:
        return Place(Where.INSIDE, (4, 6))
    return Place(Where.ON_LINK, (4, 6), (topology.masters.get(interface.name, interface),))


def _of_address(ip: IPAddress, topology: Topology) -> list[Place]:
    if topology.broadcast_links(ip):
        raise ValueError(f"{ip} is the broadcast address of a network of this host: {_FORMS}")
    version = (ip.version,)
    owners = [own.owner for own in topology.has(ip) if own.owner]
    homes = {topology.masters.get(owner.name, owner).name for owner in owners}
    found: list[Place] = []
    if isinstance(ip, IPv6Address) and ip.is_link_local:
        if owners:
            found.append(Place(Where.INSIDE, version, source=ip))
        links = tuple(link for link in _links_of_zone(ip, topology) if link.name not in homes)
        if links or not owners:
            found.append(Place(Where.ON_LINK, version, links, source=ip, members=_LINK_LOCAL))
        return found
    if owners or ip.is_loopback:
        return [Place(Where.INSIDE, version, source=ip)]
    attachments = topology.attached(ip)
    attached = {attachment.interface.name: attachment.interface for attachment in attachments}
    if attachments:
        links, narrowest = tuple(attached.values()), attachments[0].network
        found.append(Place(Where.ON_LINK, version, links, source=ip, members=narrowest))
    if not topology.live.intersection(attached):
        others = tuple(link for link in topology.links if link.name not in attached)
        found.append(Place(Where.ROUTED, version, others, source=ip, internet=is_internet(ip)))
    return found


def _by_another_link(
    ip: IPAddress, likely: Sequence[Place], topology: Topology
) -> tuple[Place, ...]:
    """Return the place of *ip* on the links that its address is not of; none for an own one.

    A packet with a link-local source is of the link that it comes by.
    """
    if (ip.version == 6 and ip.is_link_local) or likely[0].where is Where.INSIDE:
        return ()
    near = {link.name for each in likely if each.where is Where.ON_LINK for link in each.arrivals}
    links = [i for i in topology.links if i.name in topology.live and i.name not in near]
    place = Place(Where.ON_LINK, (ip.version,), tuple(links), source=ip, foreign=True)
    return (place,) if links else ()


def _of_network(network: IPNetwork, topology: Topology) -> list[Place]:
    version = (network.version,)
    first, last = network[0], network[-1]
    if network.num_addresses == 1:
        return _of_address(first, topology)
    if first.is_loopback and last.is_loopback:
        return [Place(Where.INSIDE, version, members=network)]
    if network.version == 6 and first.is_link_local and last.is_link_local:
        return [Place(Where.ON_LINK, version, topology.links, members=network)]
    overlapping = topology.overlapping(network)
    links = {attachment.interface.name: attachment.interface for attachment in overlapping}
    found: list[Place] = []
    if links:
        arrivals = tuple(link for link in topology.links if link.name in links)
        found.append(Place(Where.ON_LINK, version, arrivals, members=network))
    live = topology.live.intersection(links)
    if not live or not any(_covers(attachment.network, network) for attachment in overlapping):
        arrivals = tuple(link for link in topology.links if live or link.name not in links)
        internet = is_internet_network(network)
        found.append(Place(Where.ROUTED, version, arrivals, members=network, internet=internet))
    return found


def _links_of_zone(ip: IPv6Address, topology: Topology) -> tuple[Interface, ...]:
    if ip.scope_id is None:
        return topology.links
    interface = topology.host.interface(ip.scope_id)
    return () if interface.holds_loopback else (topology.masters.get(interface.name, interface),)


def _covers(outer: IPNetwork, inner: IPNetwork) -> bool:
    return outer.prefixlen <= inner.prefixlen and inner[0] in outer


def _sending_address(ip: IPAddress) -> IPAddress:
    kind = kind_of_address(ip)
    if kind in _NOT_SENDERS:
        raise ValueError(f"{ip} is {kind.value}, and nothing sends from such an address: {_FORMS}")
    if isinstance(ip, IPv6Address) and not ip.is_link_local:
        return IPv6Address(int(ip))  # a zone tells nothing of any other unicast address
    return ip


def _sending_network(network: IPNetwork) -> IPNetwork:
    first = unmap(network[0])
    if first.version != network.version and network.prefixlen >= 96:
        return _sending_network(ip_network((int(first), network.prefixlen - 96)))
    block = block_around(network)
    if block is not None and block.kind in _NOT_SENDERS:
        raise ValueError(f"{network} is {block.kind.value}, and nothing sends from it: {_FORMS}")
    return network
