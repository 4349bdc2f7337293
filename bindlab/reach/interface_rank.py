"""Which of a host's interfaces others most likely mean: by what is known, else by a hint.

What the system says (routes, flags) goes before a name, and a name never changes an answer: it
only orders what there is to dial, and the reason says that it is a hint.
"""

import enum
from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

from bindlab.host import Host
from bindlab.interface import Interface
from bindlab.reach.return_path import Routing
from bindlab.reach.topology import Topology
from bindlab.reach.verdict import Candidate, Scope
from bindlab.special_addresses import TAILNETS, Kind, kind_of_address

__all__ = ["HINTS", "InterfaceRank", "Rank", "Ranks", "ranked"]

_GROUPS = (Kind.MULTICAST, Kind.BROADCAST)


class Rank(enum.IntEnum):
    """Kinds of interfaces, the likeliest to be meant first."""

    DEFAULT_ROUTE = 0
    ORDINARY = 1
    TUNNEL = 2
    VIRTUAL = 3
    LOOPBACK = 4
    DEAD = 5
    NONE = 6


_CONTAINERS, _MACHINES, _VPN = "a container bridge", "a virtual-machine bridge", "a VPN"

# Kinds of interfaces that are tunnels, as ip-link(8) has them.
TUNNELS: Final = frozenset(
    ("tun", "wireguard", "ppp", "ipip", "ip6tnl", "sit", "gre", "ip6gre", "vti", "vti6", "xfrm")
)

# How names begin, and what that suggests. They are conventions of the programs that make them.
HINTS: Final[tuple[tuple[str, Rank, str], ...]] = (
    ("docker", Rank.VIRTUAL, _CONTAINERS),
    ("br-", Rank.VIRTUAL, _CONTAINERS),
    ("veth", Rank.VIRTUAL, "a container's cable"),
    ("podman", Rank.VIRTUAL, _CONTAINERS),
    ("cni", Rank.VIRTUAL, _CONTAINERS),
    ("cali", Rank.VIRTUAL, "a container's cable"),
    ("flannel", Rank.VIRTUAL, "a network of containers"),
    ("lxc", Rank.VIRTUAL, _CONTAINERS),
    ("lxdbr", Rank.VIRTUAL, _CONTAINERS),
    ("incusbr", Rank.VIRTUAL, _CONTAINERS),
    ("cilium", Rank.VIRTUAL, "a network of containers"),
    ("virbr", Rank.VIRTUAL, _MACHINES),
    ("vmnet", Rank.VIRTUAL, _MACHINES),
    ("vboxnet", Rank.VIRTUAL, _MACHINES),
    ("vnet", Rank.VIRTUAL, _MACHINES),
    ("vEthernet", Rank.VIRTUAL, _MACHINES),
    ("Hyper-V Virtual", Rank.VIRTUAL, _MACHINES),
    ("VirtualBox Host-Only", Rank.VIRTUAL, _MACHINES),
    ("VMware Virtual", Rank.VIRTUAL, _MACHINES),
    ("TAP-Windows", Rank.TUNNEL, _VPN),
    ("WireGuard", Rank.TUNNEL, _VPN),
    ("Wintun", Rank.TUNNEL, _VPN),
    ("Tailscale", Rank.TUNNEL, _VPN),
    ("tun", Rank.TUNNEL, _VPN),
    ("tap", Rank.TUNNEL, _VPN),
    ("wg", Rank.TUNNEL, _VPN),
    ("utun", Rank.TUNNEL, _VPN),
    ("ipsec", Rank.TUNNEL, _VPN),
    ("ppp", Rank.TUNNEL, _VPN),
    ("tailscale", Rank.TUNNEL, _VPN),
    ("zt", Rank.TUNNEL, _VPN),
)


class InterfaceRank(NamedTuple):
    """How likely an interface is the one that others mean, and why; the lowest goes first.

    *place* orders interfaces of one rank: by the metric of their default routes, and by a flag
    before by a name. *name* is the interface's for people, *reason* a clause about it.
    """

    name: str
    rank: Rank
    place: int = 0
    reason: str = ""
    is_virtual: bool = False


def ranked(host: Host) -> tuple[tuple[Interface, InterfaceRank], ...]:
    """Return the interfaces of *host*, the likeliest to be meant first, each with its rank."""
    ranks = Ranks(Routing(Topology(host)))
    every = [(interface, ranks.rank(interface)) for interface in host.interfaces]
    return tuple(sorted(every, key=lambda each: (each[1].rank, each[1].place)))


class Ranks:
    """The rank of each interface of one host, and the order of addresses that follows."""

    def __init__(self, routing: Routing) -> None:
        self._loopback = routing.topology.loopback
        attachments = routing.topology.attachments
        self._tailnets = {link.name for network, link in attachments if network in TAILNETS}
        self._default_sources = routing.default_sources()
        self._default_routes: dict[str | None, int] = {}
        for version in (4, 6):
            for place, route in enumerate(routing.default_routes(version)):
                known = self._default_routes.get(route.interface, place)
                self._default_routes[route.interface] = min(place, known)

    def rank(self, interface: Interface | None) -> InterfaceRank:
        """Return the rank of *interface*, and the last one where there is none.

        A tunnel goes behind other links even where it has the default route: others seldom have
        its other end, and who sits beside this machine is on the link.
        """
        if interface is None:
            return InterfaceRank("", Rank.NONE)
        name = interface.display_name
        if interface is self._loopback:
            other = "which others cannot use: they come by another interface"
            return InterfaceRank(name, Rank.LOOPBACK, reason=other)
        if not interface.is_live:
            hint = _hint(interface)
            is_virtual = hint is not None and hint[0] is Rank.VIRTUAL
            return InterfaceRank(name, Rank.DEAD, 0, "which is down or has no carrier", is_virtual)
        default = self._default_routes.get(interface.name)
        which = "the default route" if default == 0 else "a default route of a higher metric"
        if (tunnel := self._tunnel(interface)) is not None:
            place, what = tunnel
            if default is not None:
                place, what = default - len(self._default_routes), f"{what}, and has {which}"
            return InterfaceRank(name, Rank.TUNNEL, place, what)
        if default is not None:
            return InterfaceRank(name, Rank.DEFAULT_ROUTE, default, f"which has {which}")
        if (hint := _hint(interface)) is not None:
            return InterfaceRank(name, hint[0], 1, hint[1], is_virtual=True)
        return InterfaceRank(name, Rank.ORDINARY)

    def _tunnel(self, interface: Interface) -> tuple[int, str] | None:
        """Return the place among tunnels, and a clause, if *interface* is one."""
        if interface.name in self._tailnets:
            return 0, "which is on a tailnet (by its address)"
        if interface.is_point_to_point or interface.kind in TUNNELS:
            return 0, "which is a tunnel, as a VPN has"
        hint = _hint(interface)
        return None if hint is None or hint[0] is not Rank.TUNNEL else (1, hint[1])

    def order(self, interface: Interface | None) -> tuple[int, int]:
        """Return what to sort interfaces by."""
        rank = self.rank(interface)
        return rank.rank, rank.place

    def ordered(
        self, candidates: Iterable[Candidate], interfaces: Iterable[Interface]
    ) -> tuple[Candidate, ...]:
        """Return *candidates* in the order in which others most likely want them, with reasons.

        What is of an interface that is down goes last. Then the audience, as far as it matters
        (anybody, one link, this host), then the rank
        of the interface, then what the default route sends from, then a global audience before
        a private one. What is alike in all of that stays in the order of the system's list.
        """
        ranks = {interface.display_name: self.rank(interface) for interface in interfaces}
        nowhere = self.rank(None)

        def key(candidate: Candidate) -> tuple[int, ...]:
            rank = ranks.get(candidate.interface or "", nowhere)
            return (
                rank.rank is Rank.DEAD,
                -min(candidate.audience, Scope.PRIVATE),
                rank.rank,
                rank.place,
                (candidate.ip.version, int(candidate.ip)) not in self._default_sources,
                -candidate.audience,
            )

        keyed = sorted(((key(each), each) for each in candidates), key=lambda pair: pair[0])
        alike = Counter((placed, each.ip.version) for placed, each in keyed)
        return tuple(
            each.replace(
                reason=_reason(each, ranks.get(each.interface or ""))
                + ("; alike, in the system's order" if alike[placed, each.ip.version] > 1 else "")
            )
            for placed, each in keyed
        )


def _hint(interface: Interface) -> tuple[Rank, str] | None:
    for beginning, rank, what in HINTS:
        if interface.name.startswith(beginning) or interface.display_name.startswith(beginning):
            return rank, f"whose name suggests {what} (a hint only)"
    return None


def _reason(candidate: Candidate, rank: InterfaceRank | None) -> str:
    if kind_of_address(candidate.ip) in _GROUPS:
        return f"a group, on the link of {candidate.interface or ''}"
    if candidate.audience is Scope.HOST:
        return "loopback, from this machine only"
    if rank is None:
        return "delivered here by a local route"
    which = f", {rank.reason}" if rank.reason else ""
    return f"this machine's address on {rank.name}{which}"
