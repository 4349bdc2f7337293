"""Which of a host's interfaces others most likely mean: by what is known, else by a hint.

What the system says (routes, flags) outranks a name, and a name never changes an answer: it
only orders what there is to dial, and the reason says that it is a hint.
"""

import enum
from typing import Final, NamedTuple

from bindlab.interface import Interface
from bindlab.reach.routing import Routing
from bindlab.reach.topology import Topology

__all__ = ["HINTS", "Standing", "Standings"]


class Rank(enum.IntEnum):
    """Kinds of interfaces, the likeliest to be meant first."""

    DEFAULT_ROUTE = 0
    ORDINARY = 1
    TUNNEL = 2
    VIRTUAL = 3
    LOOPBACK = 4
    DEAD = 5


_CONTAINERS, _MACHINES, _VPN = "a container bridge", "a virtual-machine bridge", "a VPN"

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
    ("virbr", Rank.VIRTUAL, _MACHINES),
    ("vmnet", Rank.VIRTUAL, _MACHINES),
    ("vboxnet", Rank.VIRTUAL, _MACHINES),
    ("vnet", Rank.VIRTUAL, _MACHINES),
    ("vEthernet", Rank.VIRTUAL, _MACHINES),
    ("tun", Rank.TUNNEL, _VPN),
    ("tap", Rank.TUNNEL, _VPN),
    ("wg", Rank.TUNNEL, _VPN),
    ("utun", Rank.TUNNEL, _VPN),
    ("ipsec", Rank.TUNNEL, _VPN),
    ("ppp", Rank.TUNNEL, _VPN),
    ("tailscale", Rank.TUNNEL, _VPN),
    ("zt", Rank.TUNNEL, _VPN),
)


class Standing(NamedTuple):
    """Where an interface stands among the others, and why; the lowest goes first.

    *place* orders interfaces of one rank: by the metric of their default routes, and by a flag
    before by a name. *reason* is a clause about the interface, *hint* what its name suggests
    where nothing else speaks for it.
    """

    name: str
    rank: Rank
    place: int = 0
    reason: str = ""
    hint: str = ""


class Standings:
    """The standing of each interface of one host."""

    def __init__(self, topology: Topology, routing: Routing) -> None:
        self._by_name: dict[str, Standing] = {}
        defaults: dict[str, int] = {}
        for version in (6, 4):
            for place, route in enumerate(routing.default_routes(version)):
                name = route.interface or ""
                defaults[name] = min(place, defaults.get(name, place))
        for interface in topology.interfaces:
            self._by_name[interface.name] = _standing(
                interface, defaults.get(interface.name), topology
            )

    def of(self, interface: str | None) -> Standing | None:
        """Return the standing of the interface of that name; of none, ``None``."""
        return self._by_name.get(interface or "")

    def order(self, interface: str | None) -> tuple[int, int]:
        """Return what to sort by: no interface goes last."""
        standing = self.of(interface)
        return (len(Rank), 0) if standing is None else (standing.rank, standing.place)


def _standing(interface: Interface, default: int | None, topology: Topology) -> Standing:
    name = interface.display_name
    if interface is topology.loopback:
        other = "which is no link: others come by another interface"
        return Standing(name, Rank.LOOPBACK, reason=other)
    if not interface.is_live:
        return Standing(name, Rank.DEAD, reason="which is down or has no carrier")
    if default is not None:
        which = "the default route" if default == 0 else "a default route of a higher metric"
        return Standing(name, Rank.DEFAULT_ROUTE, default, f"which has {which}")
    if interface.is_point_to_point:
        return Standing(name, Rank.TUNNEL, reason="which is point-to-point, as tunnels are")
    for beginning, rank, what in HINTS:
        if name.startswith(beginning) or interface.name.startswith(beginning):
            return Standing(name, rank, 1, f"whose name suggests {what} (a hint only)", what)
    return Standing(name, Rank.ORDINARY)
