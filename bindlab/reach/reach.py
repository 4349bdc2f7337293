"""Who can reach a socket: the rules applied to bindings, a host and an origin."""

from collections import Counter
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network

from bindlab.assumption import Assumption, assuming, assumption_documents
from bindlab.binding import Binding
from bindlab.host import Host
from bindlab.interface import Interface
from bindlab.page import indented, page_width, wrapped
from bindlab.reach.interface_rank import Ranks
from bindlab.reach.judging import judge
from bindlab.reach.origin import OriginLike, Place, neighbours, parse_origin, places
from bindlab.reach.render import answer, bound_to, markup, table
from bindlab.reach.return_path import Routing
from bindlab.reach.topology import Topology
from bindlab.reach.verdict import (
    BEYOND,
    INTERNET,
    THIS_HOST,
    Candidate,
    Origin,
    Scope,
    Vantage,
    Verdict,
)
from bindlab.special_addresses import BLOCKS, Kind

__all__ = ["Reach"]

_REMEMBERED = 1000  # verdicts
_DOCUMENTATION = {
    block.network: note
    for block in BLOCKS
    for note in Assumption
    if block.kind is Kind.DOCUMENTATION and note.startswith(f"{block.network}, {block.name} ")
}


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
        self._ranks = Ranks(self._routing)
        self._verdicts: dict[Origin, Verdict] = {}
        noted = [*assumptions, *([Assumption.LOOPBACK] if self._topology.assumes_loopback else [])]
        self._documentation = [
            own.ip for own in self._topology.own if own.kind is Kind.DOCUMENTATION
        ]
        self.assumptions = tuple(dict.fromkeys(noted))

    def verdict(self, origin: OriginLike) -> Verdict:
        """Return whether *origin* can reach a socket here, by which address, and why not.

        An origin is an address, with its zone where it is link-local (the name or the index
        of an interface *of this host*), a network (the answer for its best-placed other
        host), an :class:`Interface` of the host or its name (anyone on its link), ``THIS_HOST``
        (``"this host"``, ``"here"``), ``BEYOND`` (``"beyond"``) or ``INTERNET``
        (``"internet"``). Of text an address goes first, then these words, then a name. One of
        the host's own addresses is this host, as the source of the packets. A link-local
        address without a zone is answered for every link.

        An address is the source of a packet, by whatever link it comes. The likeliest link is
        the one whose network the address is in, else that of a router: it decides what the
        answer depends on and what to dial. Where only another link lets the packet in, as that
        of a machine on two networks, the answer says so (``Condition.OTHER_LINK``). An
        :class:`Interface` is answered for its link alone.

        Where the host's routes are known, they say whether this machine's answers find the
        origin: TCP is shut out for certain where none leads back. A network or a vantage is
        shut out so only if all of it is.

        An origin that nothing sends from (unspecified, multicast, broadcast), a name, or a
        zone that the host does not have is a ``ValueError``.
        """
        parsed = parse_origin(origin, self.host)
        known = self._verdicts.get(parsed)
        if known is None:
            known = self._judge(parsed, places(parsed, self._topology))
            if len(self._verdicts) >= _REMEMBERED:
                self._verdicts.clear()
            self._verdicts[parsed] = known
        return known

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
                row.replace(interface=attachment.interface.display_name)
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
        a wildcard: the addresses that it means.
        """
        offered = dict.fromkeys(e for row in self.rows for e in row.endpoints)
        return self._ranks.ordered(offered, self._topology.interfaces)

    def for_browsers(self, *, unfolded: bool = False) -> tuple[Candidate, ...]:
        """Return those of :attr:`endpoints` that a browser opens (:attr:`Candidate.has_url`).

        Those of bridges for containers and virtual machines, and of dead links, are among them
        only if *unfolded*, or if there is nothing else for other machines.
        """
        found = tuple(each for each in self.endpoints if each.has_url)
        background = set[str]() if unfolded else self._background
        shown = tuple(each for each in found if each.interface not in background)
        return shown if any(each.audience > Scope.HOST for each in shown) else found

    def urls(
        self, scheme: str = "http", path: str = "", *, unfolded: bool = False
    ) -> tuple[str, ...]:
        """Return the URLs of :meth:`for_browsers`, in the same order."""
        return tuple(each.url(scheme, path) for each in self.for_browsers(unfolded=unfolded))

    @property
    def answer(self) -> str:
        """The answer in one sentence: for whom it is open, and what these open."""
        return answer(self.rows, self.endpoints)

    @property
    def bound(self) -> tuple[str, ...]:
        """What the sockets are bound to, and which addresses a wildcard means, in sentences."""
        return tuple(bound_to(self.bindings))

    def text(
        self, *, width: int | None = None, unfolded: bool = False, hint: str = "unfolded=True"
    ) -> str:
        """Return the answer, then a table of who gets in, then why others do not.

        *width* is how many columns a line has, ``None`` as many as the terminal (80 without
        one). The networks of virtual interfaces and ``fe80::/64`` are counted in one line,
        which says by *hint* how to see them: *unfolded* does.
        """
        columns = page_width() if width is None else width
        first, *others = self.bindings
        is_plain = not others and not first.endpoint.is_unspecified and self.scope <= Scope.HOST
        parts = [
            wrapped(self.answer, columns),
            [] if is_plain else indented(self.bound, columns),
            self.table(width=columns, unfolded=unfolded, hint=hint).splitlines(),
            wrapped(assuming(self._notes), columns),
        ]
        return "\n\n".join("\n".join(part) for part in parts if any(part))

    def table(
        self, *, width: int | None = None, unfolded: bool = False, hint: str = "unfolded=True"
    ) -> str:
        """Return the part of :meth:`text` that says who gets in, and why others do not."""
        columns = page_width() if width is None else width
        background = self._background
        return "\n".join(table(self.rows, background, columns, None if unfolded else hint))

    def diagram(self, *, width: int | None = None, unfolded: bool = False) -> str:
        """Return a picture of the machine, its interfaces, and who gets in by each.

        *width* and *unfolded* are those of :meth:`text`.
        """
        columns = page_width() if width is None else width
        hidden = set[str]() if unfolded else self._virtual
        from bindlab.reach.picture import picture  # not needed until somebody looks

        return picture(self.host, self.bound, self.rows, hidden, columns)

    def svg(self, *, unfolded: bool = False) -> str:
        """Return the same picture as SVG, for a page that is light or dark."""
        from bindlab.reach.drawing import drawing  # not needed until somebody looks

        return drawing(self.host, self.bound, self.rows, set[str]() if unfolded else self._virtual)

    def to_document(self) -> dict[str, object]:
        """Return this table as what JSON can hold.

        Its keys stay the same from release to release; where there is nothing to say of one
        it is ``None`` or empty.
        """
        return {
            "bindings": [str(binding) for binding in self.bindings],
            "scope": self.scope.name.lower(),
            "rows": [row.to_document() for row in self.rows],
            "urls": list(self.urls()),
            "assumptions": assumption_documents(self.assumptions),
        }

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return f"{self.svg()}\n{markup(self.bindings, self.rows, self._notes)}"

    @property
    def _notes(self) -> tuple[str, ...]:
        """All that was taken for granted, in any row; who is shut out is judged like anybody."""
        of_rows = [
            note
            for row in self.rows
            for note in row.assumptions
            if row or note not in _DOCUMENTATION.values()
        ]
        return tuple(dict.fromkeys([*self.assumptions, *of_rows]))

    @property
    def _virtual(self) -> set[str]:
        """The names of the interfaces that only containers and virtual machines are behind."""
        ranks = map(self._ranks.rank, self.host.interfaces)
        return {one.name for one in ranks if one.is_virtual}

    @property
    def _background(self) -> set[str]:
        """The names of those, and of the interfaces that nothing comes by."""
        dead = {one.display_name for one in self.host.interfaces if not one.is_live}
        return self._virtual | dead

    def __repr__(self) -> str:
        return f"<Reach of {', '.join(map(str, self.bindings))}: {self.scope.name}>"

    def _judge(self, origin: Origin, stands: tuple[Place, ...]) -> Verdict:
        notes = dict.fromkeys((*self.assumptions, *_documentation_note(origin)))
        found = judge(origin, stands, self.bindings, self._routing, self._ranks, tuple(notes))
        if found.endpoints and found.endpoints[0].ip in self._documentation:
            own = _documentation_note(found.endpoints[0].ip)
            return found.replace(assumptions=tuple(dict.fromkeys((*own, *found.assumptions))))
        return found


def _documentation_note(origin: Origin) -> tuple[Assumption, ...]:
    """Return what is to be known of an address that the registry keeps for documentation."""
    if isinstance(origin, (Vantage, Interface)):
        return ()
    if isinstance(origin, (IPv4Network, IPv6Network)):
        first, last = origin[0], origin[-1]
    else:
        first = last = origin
    for network, note in _DOCUMENTATION.items():
        if first in network and last in network:
            return (note,)
    return ()
