"""The words in which bindlab answers: who is asked about, what the answer is, and why.

Values only: no rule is here (rules.py has them), and no way to print a table (render.py).
"""

import enum
from typing import Final, TypeAlias

from bindlab.assumption import assuming
from bindlab.endpoint import Endpoint, IPAddress, address_text
from bindlab.interface import Interface
from bindlab.markup import html_table
from bindlab.printable import printable
from bindlab.route import IPNetwork
from bindlab.special_addresses import TAILNETS, Kind, kind_of_address
from bindlab.value import Given, Value

__all__ = [
    "BEYOND",
    "HEADINGS",
    "INTERNET",
    "THIS_HOST",
    "Answer",
    "Candidate",
    "Condition",
    "Origin",
    "Reason",
    "Scope",
    "Vantage",
    "Verdict",
]


class Vantage(enum.Enum):
    """Places to ask from that have no one address."""

    THIS_HOST = "this machine"
    """A program on this machine, whatever address of it the program sends from."""
    BEYOND = "other networks"
    """Machines on none of the attached networks, whose packets a router brings."""
    INTERNET = "the internet"
    """The same, with an address of the internet (global unicast)."""


THIS_HOST: Final = Vantage.THIS_HOST
BEYOND: Final = Vantage.BEYOND
INTERNET: Final = Vantage.INTERNET

_CELL: Final = 60  # characters of a name or a URL in a table; more are cut
HEADINGS: Final = ("from", "answer", "open", "why")

Origin: TypeAlias = IPAddress | IPNetwork | Interface | Vantage


class Answer(enum.Enum):
    """Whether packets get in. Only a program on this machine is ever told ``YES``."""

    YES = "yes"
    """Binding, addresses and routes let it in. A firewall of this machine may still stop it."""
    CONDITIONAL = "conditional"
    """Nothing on this host shuts the origin out for certain; conditions remain."""
    NO = "no"
    """The ordinary kernel path delivers nothing from there."""


_WORDS: Final = {Answer.YES: "yes", Answer.CONDITIONAL: "maybe", Answer.NO: "no"}


class Scope(enum.IntEnum):
    """Audiences, from the narrowest to the widest; each includes those before it."""

    NOBODY = 0
    """Not even this machine."""
    HOST = 1
    """Programs on this machine."""
    LINK = 2
    """Machines on an attached network."""
    PRIVATE = 3
    """Machines whose packets a router brings, the internet aside."""
    GLOBAL = 4
    """The internet."""


class Reason(enum.Enum):
    """What shuts an origin out for certain."""

    NOT_LISTENING = "not listening"
    """It is bound, and ``listen()`` was not called."""
    GROUP = "group"
    """It is bound to a group or a broadcast address that such packets never reach."""
    OTHER_PEER = "other peer"
    """It is connected, and hears only its peer."""
    FAMILY = "family"
    """The origin speaks the other of IPv4 and IPv6."""
    LOOPBACK = "loopback"
    """It is bound to loopback, which no packet from outside reaches."""
    ZONE = "zone"
    """A link-local address, of the socket or the origin, on another link (RFC 4007)."""
    ADDRESS_GONE = "address gone"
    """It is bound to an address that this host does not have now."""
    DEVICE = "device"
    """It is bound to a device by which such packets do not come."""
    VRF = "VRF"
    """The interface is in a VRF, and the socket or the address is not (Linux)."""
    STRONG_HOST = "strong host"
    """The address belongs to another interface (RFC 1122 section 3.3.4.2)."""
    LOOPBACK_DOWN = "loopback down"
    """The loopback interface is down, which a host needs to reach itself."""
    LINK_DOWN = "link down"
    """The interface is down, or has no carrier."""
    REVERSE_PATH = "reverse path"
    """The reverse path filter drops a source that is routed elsewhere (Linux, rp_filter)."""
    NO_WAY_BACK = "no way back"
    """This host has no route for its answers, or the device loses them."""


class Condition(enum.Enum):
    """What an answer depends on, and bindlab cannot know from here."""

    FIREWALL = "firewall"
    """No firewall drops the packets, here or on the way."""
    LINK_ISOLATION = "link isolation"
    """The link lets its stations talk to each other, as guest Wi-Fi does not."""
    TAILNET = "tailnet"
    """The rules of the tailnet, a VPN by Tailscale, let the origin talk to this machine."""
    ROUTE_THERE = "route there"
    """The origin, or its router, has a route to the address."""
    ROUTE_BACK = "route back"
    """This host has a route to the origin, for its answers."""
    GUEST = "guest"
    """This host is a guest, as a container is, and the machine that runs it forwards the port."""
    NAT = "NAT"
    """A router forwards the port: the address is no address of the internet."""
    WEAK_HOST = "weak host"
    """This host takes packets by another interface than the address's own."""
    PEER_ZONE = "peer's own zone"
    """The origin writes the zone as its own machine calls it (RFC 4007 section 6)."""
    DUAL_STACK = "dual-stack"
    """``IPV6_V6ONLY`` is off, so that an IPv6 wildcard takes IPv4 too."""
    ROUTE_LOCALNET = "route_localnet"
    """Linux's ``route_localnet`` lets packets for 127.0.0.0/8 in."""
    LOCAL_ROUTE = "local route"
    """A route delivers the address here, though no interface has it."""
    GROUP_MEMBERSHIP = "group membership"
    """This host has joined the multicast group, and the origin sends to it."""
    MULTICAST_ROUTING = "multicast routing"
    """A multicast router forwards the group."""
    BROADCAST = "broadcast"
    """The origin sends to the broadcast address."""
    REPLY_ADDRESS = "reply from another address"
    """The origin takes a UDP answer from another address than it asked."""
    LOCATION = "location"
    """The origin is where the answer supposes: its address fits several places."""
    L3MDEV_ACCEPT = "l3mdev_accept"
    """Linux's ``tcp_l3mdev_accept`` or ``udp_l3mdev_accept`` lets in what comes by a VRF."""
    VRF_PROGRAM = "program in the VRF"
    """The program on this machine is bound to the VRF, or to a member of it, as well."""
    OTHER_LINK = "other link"
    """The origin sends by a link that its address is not of, as a machine on two networks may."""
    SENT_BY_LOOPBACK = "sent by loopback"
    """A program here sends by loopback to an address that another interface has."""


class Candidate(Endpoint):
    """An endpoint to dial, and what is known of it; equal to the plain endpoint.

    *interface* is what people call the interface that owns the address, *audience* the widest
    scope in which the address means this host, *reason* why it stands where it does.
    """

    ip: Given[IPAddress | str, IPAddress]  # again: mypy forgets what an inherited one is kept as
    interface: str | None = None
    audience: Scope = Scope.GLOBAL
    reason: str = ""

    @property
    def endpoint(self) -> Endpoint:
        """The plain endpoint."""
        return Endpoint(self.ip, self.port, self.transport)

    @property
    def has_url(self) -> bool:
        """Whether a browser opens it: TCP on a known port, no group, and no zone (RFC 9844)."""
        is_group = kind_of_address(self.ip) in (Kind.MULTICAST, Kind.BROADCAST)
        return self.transport == "tcp" and self.port != 0 and not is_group and "%" not in f"{self}"

    def to_document(self) -> dict[str, object]:
        """Return this candidate as what JSON can hold."""
        return {
            "endpoint": str(self),
            "interface": self.interface,
            "audience": self.audience.name.lower(),
            "why": self.reason,
        }


class Verdict(Value):
    """Whether one origin can reach a socket, and why.

    A verdict is true unless its answer is ``NO``: ``CONDITIONAL`` means that nothing on this
    host shuts the origin out, and *conditions* are what may still stop it on the way.

    - *reason*: what shuts the origin out; ``None`` unless the answer is ``NO``.
    - *conditions*: of the best way in, in the order of :class:`Condition`.
    - *endpoints*: what that origin should dial, best first: addresses of the interface that it
      comes by; an address of another interface (weak host) only where no such one is open.
    - *explanation*: one plain sentence.
    - *interface*: what people call the one by which the best way comes in; ``None`` from inside.
    - *assumptions*: what was taken for granted, in words.
    - *reasons*: all that blocks the best way in, the first of them *reason*.
    """

    origin: Origin
    answer: Answer
    reason: Reason | None = None
    conditions: tuple[Condition, ...] = ()
    endpoints: tuple[Candidate, ...] = ()
    explanation: str = ""
    interface: str | None = None
    assumptions: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()

    def __bool__(self) -> bool:
        return self.answer is not Answer.NO

    @property
    def who(self) -> str:
        """The origin in words, with the interface where its network is one's.

        A tailnet (the network of a VPN by Tailscale) is called so.
        """
        if isinstance(self.origin, Vantage):
            return self.origin.value
        if isinstance(self.origin, Interface):
            return f"anyone on {self.origin.display_name}"
        by = f" ({self.interface})" if self.interface else ""
        return f"{'tailnet' if self.origin in TAILNETS else self.origin}{by}"

    @property
    def opens(self) -> str:
        """What a person there types: a URL, or an endpoint where that is none; "" for nothing.

        Behind NAT, and behind the host of a guest, that is nothing of this host's. A zone is
        the typing machine's own (RFC 4007 section 6): written as ``%ITS-ZONE`` here.
        """
        if not self.endpoints or {Condition.NAT, Condition.GUEST}.intersection(self.conditions):
            return ""
        best = self.endpoints[0]
        if Condition.PEER_ZONE in self.conditions:
            return f"[{address_text(best.ip).partition('%')[0]}%ITS-ZONE]:{best.port}"
        if best.transport == "udp" or best.port == 0 or "%" in str(best.ip):
            return str(best)
        return best.url()

    def urls(self, scheme: str = "http", path: str = "") -> tuple[str, ...]:
        """Return what a browser there opens, best first; as in :attr:`opens`, none behind NAT."""
        if not self.opens:
            return ()
        return tuple(each.url(scheme, path) for each in self.endpoints if each.has_url)

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """From where, the answer, what to open, and why: a row of a table, what is long cut."""
        who, opens = (printable(text, _CELL) for text in (self.who, self.opens or "-"))
        return who, _WORDS[self.answer], opens, self.explanation

    def to_document(self) -> dict[str, object]:
        """Return this verdict as what JSON can hold, an interface by its name.

        Reasons, conditions and vantages are the names of their members in small letters: they
        stay, where words may change.
        """
        match self.origin:
            case Interface():
                origin = self.origin.name
            case Vantage():
                origin = self.origin.name.lower()
            case _:
                origin = str(self.origin)
        return {
            "origin": origin,
            "answer": self.answer.value,
            "reason": None if self.reason is None else self.reason.name.lower(),
            "reasons": [reason.name.lower() for reason in self.reasons],
            "conditions": [condition.name.lower() for condition in self.conditions],
            "endpoints": [endpoint.to_document() for endpoint in self.endpoints],
            "explanation": self.explanation,
        }

    def __repr__(self) -> str:
        return f"<Verdict on {printable(f'{self.who}: {self}')}>"

    def __str__(self) -> str:
        return f"{_WORDS[self.answer].capitalize()}: {self.explanation}"

    def _repr_html_(self) -> str:
        notes = (assuming([note]) for note in self.assumptions)
        return html_table((), HEADINGS, [self.cells], notes, self.urls())
