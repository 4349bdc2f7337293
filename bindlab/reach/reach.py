"""Who can reach a socket: the rules applied to bindings, a host and an origin.

A pure function of values. It fetches nothing, so that every rule can be tried on a laptop,
or a Windows machine, that exists on paper only.
"""

from collections import Counter
from collections.abc import Iterable

from bindlab.binding import Binding
from bindlab.host import Host
from bindlab.reach.crowds import target
from bindlab.reach.judging import Judgement, weigh
from bindlab.reach.origin import (
    OriginLike,
    Place,
    Where,
    neighbours,
    parse_origin,
    places,
)
from bindlab.reach.ranking import ranked
from bindlab.reach.render import diagram, markup, table
from bindlab.reach.routing import Routing
from bindlab.reach.standing import Standings
from bindlab.reach.topology import Topology
from bindlab.reach.verdict import (
    BEYOND,
    INTERNET,
    THIS_HOST,
    Candidate,
    Origin,
    Scope,
    Verdict,
)
from bindlab.special_addresses import Kind, kind_of_address

__all__ = ["Reach"]

_LOOPBACK_THERE = "this machine has a loopback interface, though none is listed"
_GROUPS = (Kind.MULTICAST, Kind.BROADCAST)


class Reach:
    """Who can reach *bindings* on *host*: ask it about origins, or print it.

    ``origin in reach`` is false only where the origin is shut out for certain. *assumptions*
    says what was taken for granted when the bindings were made from text.
    """

    def __init__(
        self, bindings: Iterable[Binding], host: Host, assumptions: Iterable[str] = ()
    ) -> None:
        self.bindings = tuple(bindings)
        if not self.bindings:
            raise ValueError("there is no socket to reach: give one at least")
        self.host = host
        self._topology = Topology(host)
        self._routing = Routing(self._topology)
        noted = [*assumptions, *([_LOOPBACK_THERE] if self._topology.assumes_loopback else [])]
        self.assumptions = tuple(dict.fromkeys(noted))
        self._standings = Standings(self._topology, self._routing)
        self._targets = tuple(target(b, self._topology, self._standings) for b in self.bindings)
        # A socket without peer and device tells origins apart by where they stand alone.
        self._by_place = not any(b.peer or b.device for b in self.bindings)
        self._judged: dict[tuple[object, ...], Judgement] = {}

    def verdict(self, origin: OriginLike) -> Verdict:
        """Return whether *origin* can reach a socket here, by which address, and why not.

        An origin is an address, with its zone where it is link-local (the name or the index
        of an interface *of this host*), a network (the answer for its best-placed other
        host), an :class:`Interface` of the host (anyone on its link), ``THIS_HOST``,
        ``BEYOND`` or ``INTERNET``. One of the host's own addresses is this host, as the
        source of the packets. A link-local address without a zone is answered for every link.

        An address is a claim of place: one in an attached network is taken to be on that
        network's link, and to send by it. A machine on two networks, or a router between
        them, may bring its packets by the other one; to ask about that, ask about the
        :class:`Interface` that they come by.

        Where the host's routes are known, they say whether this machine's answers find the
        origin: TCP is shut out for certain where none leads back. A network or a vantage is
        shut out so only if all of it is.

        An origin that nothing sends from (unspecified, multicast, broadcast), a name, or a
        zone that the host does not have is a ``ValueError``.
        """
        parsed = parse_origin(origin)
        return self._judge(parsed, places(parsed, self._topology))

    def __contains__(self, origin: OriginLike) -> bool:
        return bool(self.verdict(origin))

    @property
    def rows(self) -> tuple[Verdict, ...]:
        """One verdict for this machine, for each attached network, for beyond and the internet.

        A network that several interfaces are on, as they all are on fe80::/64, has a row for
        each, which answers for that link alone.
        """
        attachments = self._topology.attachments
        shared = Counter(network for network, _ in attachments)
        attached = (
            self.verdict(attachment.network)
            if shared[attachment.network] == 1 and not attachment.network.is_link_local
            else self._judge(attachment.network, (neighbours(attachment),))
            for attachment in attachments
        )
        return (
            self.verdict(THIS_HOST),
            *(
                row.replace(interface=attachment.interface.name)
                for row, attachment in zip(attached, attachments, strict=True)
            ),
            self.verdict(BEYOND),
            self.verdict(INTERNET),
        )

    @property
    def scope(self) -> Scope:
        """The widest audience that is not shut out for certain."""
        by_width: tuple[tuple[Scope, Iterable[Origin]], ...] = (
            (Scope.GLOBAL, (INTERNET,)),
            (Scope.PRIVATE, (BEYOND,)),
            (Scope.LINK, self._topology.links),
            (Scope.HOST, (THIS_HOST,)),
        )
        for scope, origins in by_width:
            if any(origin in self for origin in origins):
                return scope
        return Scope.NOBODY

    @property
    def endpoints(self) -> tuple[Candidate, ...]:
        """What anybody could dial, the likeliest first, each with its interface and a reason.

        Addresses that mean this host on one link or inside it only go last. Of the others go
        first those of the interface that has the default route, then those of other ordinary
        interfaces, of tunnels, and of bridges for containers and virtual machines; an
        interface's name, where nothing better tells, is a hint, and the reason says so. Never
        a wildcard: the addresses that it stands for.
        """
        return ranked(
            dict.fromkeys(e for row in self.rows for e in row.endpoints),
            self._standings,
            self._routing,
        )

    def urls(self, scheme: str = "http") -> tuple[str, ...]:
        """Return the URLs of :attr:`endpoints` that a browser opens, in the same order.

        Link-local IPv6 addresses are not among them: a zone is the dialling machine's own
        (RFC 4007 section 6), and browsers take none (RFC 9844).
        """
        return tuple(
            endpoint.url(scheme)
            for endpoint in self.endpoints
            if "%" not in str(endpoint.ip)
            and endpoint.port != 0
            and kind_of_address(endpoint.ip) not in _GROUPS
        )

    def diagram(self) -> str:
        """Return a picture of the machine, its interfaces, and who gets in by each."""
        return diagram(self.host, self.bindings, self.rows)

    def __str__(self) -> str:
        return table(self.bindings, self.rows, self.assumptions)

    def _repr_html_(self) -> str:
        return markup(self.bindings, self.rows, self.assumptions)

    def __repr__(self) -> str:
        return f"<Reach of {', '.join(map(str, self.bindings))}: {self.scope.name}>"

    def _judge(self, origin: Origin, stands: tuple[Place, ...]) -> Verdict:
        if not self._by_place:
            return self._weigh(stands).on(origin)
        key = tuple(map(self._class_of, stands))
        known = self._judged.get(key)
        if known is None:
            known = self._judged[key] = self._weigh(stands)
        return known.on(origin)

    def _class_of(self, place: Place) -> tuple[object, ...]:
        """Return all that sockets without peer and device tell apart of *place*."""
        # An IPv6 source here has a say in which link-local addresses are reached from it.
        inside = place.where is Where.INSIDE and 4 not in place.versions
        everywhere = place.arrivals is self._topology.links
        # Of an address *members* are an attached network, which lives as long as its topology.
        members = place.members if place.source is None else id(place.members)
        return (
            id(place.where),
            place.versions,
            place.ambiguous,
            place.internet,
            members,
            place.source if inside else None,
            None if everywhere else tuple(map(id, place.arrivals)),
            self._routing.likeness(place),
        )

    def _weigh(self, stands: tuple[Place, ...]) -> Judgement:
        return weigh(stands, self._targets, self._topology, self._routing, self.assumptions)
