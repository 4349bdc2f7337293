"""Which changes are enough for an origin to get in: all that blocks it is in each set."""

from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_interface
from typing import Final, NamedTuple

from bindlab.binding import Binding
from bindlab.endpoint import Endpoint, IPAddress
from bindlab.explaining.changes import KINDS, Change, Remedy
from bindlab.host import Host
from bindlab.interface import Interface, InterfaceAddress
from bindlab.reach import Condition, Origin, Reach, Reason, Verdict
from bindlab.route import IPNetwork, Route

_WILDCARDS: Final[tuple[IPAddress, ...]] = (IPv4Address("0.0.0.0"), IPv6Address("::"))
_UNUSUAL: Final = frozenset({Condition.WEAK_HOST, Condition.OTHER_LINK})
_ROUNDS: Final = 8  # more than the kinds of changes that one path can need
# An address as a router might give one: only on paper, where nothing says of which network.
_SOME: Final[Mapping[int, InterfaceAddress]] = {
    4: ip_interface("192.168.77.2/24"),
    6: ip_interface("fd77::2/64"),
}


def remedies_for(
    bindings: Sequence[Binding],
    host: Host,
    origin: Origin,
    bind: Endpoint,
    before: Verdict | None,
) -> tuple[Remedy, ...]:
    """Return the sets of changes each of which is enough to let *origin* in, the smallest first.

    *bind* has the port and the transport, *before* is the verdict on *origin* as it is now.
    Where the socket may stay as it is bound, there is one set at most; else one binds the
    address that *origin* dials, and one the wildcard. Where *origin* gets in by a detour, they
    are the sets that spare it. Empty where nothing has to change, and where nothing that is
    changed on this machine is enough.
    """
    search = _Search(tuple(bindings), host, origin)
    # Where the origin's own network is known and down, any other way is a guess.
    first = [Change("up", interface=home.name) for home in dead_homes(host, origin)[:1]]
    if before and any(one.device for one in bindings):
        first.append(Change("no device"))
    if before and not dead_homes(host, origin) and _UNUSUAL.isdisjoint(before.conditions):
        return ()
    kept = search.complete(first) if bindings else None
    if bind.port == 0 or (kept is not None and _UNUSUAL.isdisjoint(kept.verdict.conditions)):
        return () if kept is None else (kept,)
    found: list[Remedy] = []
    if (wide := search.everywhere(first, bind)) is not None:
        best = wide.verdict.endpoints[0].endpoint
        others = [change for change in wide.changes if change.kind != "bind"]
        # An address that has to be given first has no number yet.
        is_new = any(change.kind == "address" for change in others)
        narrow = None if is_new else search.complete([Change("bind", best), *others])
        found = [one for one in (narrow, wide) if one is not None]
    if kept is not None and kept.changes:
        found.append(kept)
    better = [one for one in found if before is None or not before or _spares(one, before)]
    return tuple(sorted(dict.fromkeys(better), key=lambda one: len(one.changes)))


def homes_of(host: Host, origin: Origin) -> list[Interface]:
    """Return the interfaces whose networks *origin* is in, if it is an address."""
    if not isinstance(origin, IPv4Address | IPv6Address) or origin.is_link_local:
        return []
    return [link for link in host.interfaces if any(origin in a.network for a in link.addresses)]


def dead_homes(host: Host, origin: Origin) -> list[Interface]:
    """Return the interfaces on whose network *origin* would be, if none of them is alive."""
    homes = homes_of(host, origin)
    return [] if any(link.is_live for link in homes) else homes


class _Search(NamedTuple):
    """What is to be opened, and to whom."""

    bindings: tuple[Binding, ...]
    host: Host
    origin: Origin

    def everywhere(self, first: list[Change], bind: Endpoint) -> Remedy | None:
        """Return the smallest set of changes that binds a wildcard, of IPv4 where it is alike."""
        spoken = getattr(self.origin, "version", None)  # an interface and a vantage speak both
        wildcards = [ip for ip in _WILDCARDS if spoken in (None, ip.version)]
        starts = ([Change("bind", bind.replace(ip=ip)), *first] for ip in wildcards)
        found = [one for start in starts if (one := self.complete(start))]
        return min(
            found,
            key=lambda one: (len(one.changes), Condition.NAT in one.verdict.conditions),
            default=None,
        )

    def complete(self, start: Sequence[Change]) -> Remedy | None:
        """Return *start* with all else that it takes, and without what it does not take."""
        changes = list(start)
        for _ in range(_ROUNDS):
            if verdict := self._after(changes):
                return self._least(Remedy(tuple(sorted(changes, key=_order)), verdict))
            if (more := self._next(changes, verdict)) is None or more in changes:
                return None
            changes.append(more)
        return None

    def _after(self, changes: Sequence[Change]) -> Verdict:
        bindings, host = _applied(changes, self.bindings, self.host)
        return Reach(bindings, host).verdict(self.origin)

    def _next(self, changes: Sequence[Change], verdict: Verdict) -> Change | None:
        """Return what opens a gate that is still shut, if something here does."""
        bindings, host = _applied(changes, self.bindings, self.host)
        rebound = any(change.kind == "bind" for change in changes)
        if (reason := verdict.reason) is None:
            return None
        return _OPENERS[reason](_Block(reason, verdict, bindings, host, self.origin, rebound))

    def _least(self, remedy: Remedy) -> Remedy:
        """Return *remedy* without the changes that turned out to be needless."""
        for change in remedy.changes if len(remedy.changes) > 1 else ():
            fewer = tuple(one for one in remedy.changes if one is not change)
            verdict = self._after(fewer) if change.kind != "up" else None
            if verdict and _UNUSUAL.isdisjoint(verdict.conditions):
                remedy = Remedy(fewer, verdict)
        return remedy


class _Block(NamedTuple):
    """A gate that is shut for an origin, and all that surrounds it."""

    reason: Reason
    verdict: Verdict
    bindings: tuple[Binding, ...]
    host: Host
    origin: Origin
    is_rebound: bool

    @property
    def version(self) -> int:
        """The IP version that the socket has to take."""
        return self.bindings[0].endpoint.ip.version

    @property
    def pinned(self) -> list[Interface]:
        """The interfaces that the sockets are bound to, as far as they are still there."""
        names = [one.device for one in self.bindings if one.device]
        return [link for link in self.host.interfaces if any(map(link.has_zone, names))]

    @property
    def links(self) -> list[Interface]:
        """The interfaces by which *origin* may come, the likeliest first."""
        if self.verdict.interface is not None:
            return [self.host.interface(self.verdict.interface)]
        if self.pinned and not self.pinned[0].holds_loopback:
            return self.pinned[:1]
        if isinstance(self.origin, Interface):
            return [self.host.interface(self.origin.name)]
        default = {r.interface for r in self.host.routes or () if not r.network.prefixlen}
        every = [link for link in self.host.interfaces if not link.holds_loopback]
        homes = [link for link in homes_of(self.host, self.origin) if link in every]
        return sorted(
            homes or every,
            key=lambda link: (not link.is_live, bool(link.master), link.name not in default),
        )

    @property
    def entry(self) -> Interface | None:
        """The likeliest interface by which *origin* comes."""
        return self.links[0] if self.links else None


def _bring_up(block: _Block) -> Change | None:
    for link in sorted(block.pinned or block.links, key=lambda link: not _has_version(link, block)):
        if not link.is_live:
            return Change("up", interface=link.name)
        if block.version == 6 and link.disable_ipv6:
            return Change("ipv6", interface=link.name)
    return None


def _has_version(link: Interface, block: _Block) -> bool:
    return any(address.version == block.version for address in link.addresses)


def _bring_loopback_up(block: _Block) -> Change | None:
    link = next((link for link in block.host.interfaces if link.holds_loopback), None)
    if link is None:
        return None
    return Change("loopback" if link.is_up is False else "ipv6", interface=link.name)


def _give_address(block: _Block) -> Change | None:
    """Return an address to add: no other binding is the answer, for this has a wildcard."""
    entry = block.entry
    if not block.is_rebound or entry is None:
        return None
    if not entry.is_live:  # Linux takes IPv6 addresses away with the link
        return Change("up", interface=entry.name)
    return Change("address", _address_beside(block), entry.name)


def _address_beside(block: _Block) -> InterfaceAddress:
    """Return an address in the network of the origin that is not the origin's own."""
    origin = block.origin
    if isinstance(origin, IPv4Address | IPv6Address):
        length = 24 if origin.version == 4 else 64
        near = (type(origin)(int(origin) ^ bit) for bit in (1, 2, 4))
        ip = next(ip for ip in near if int(ip) & 0xFF not in (0, 0xFF))
        return ip_interface(f"{ip}/{length}")
    is_some = isinstance(origin, IPNetwork) and 8 <= origin.prefixlen < origin.max_prefixlen - 1
    if isinstance(origin, IPNetwork) and is_some:
        return ip_interface(f"{origin[2]}/{origin.prefixlen}")
    return _SOME[block.version]


def _route_back(block: _Block) -> Change | None:
    if any(one.device for one in block.bindings) and block.reason is Reason.NO_WAY_BACK:
        return Change("no device")
    entry, origin = block.entry, block.origin
    if entry is None:
        return None
    match origin:
        case IPv4Address() | IPv6Address():
            network = str(origin).partition("%")[0]
        case _ if isinstance(origin, IPNetwork):
            network = str(origin)
        case _:
            network = "0.0.0.0/0" if block.version == 4 else "::/0"
    return Change("route", Route(network, entry.name), entry.name)


def _vrf_device(block: _Block) -> Change | None:
    entry = block.entry
    vrf = entry and (entry.name if entry.kind == "vrf" else entry.master)
    return Change("device", interface=vrf) if vrf else None


# What opens each gate, one change at a time.
_OPENERS: Final[Mapping[Reason, Callable[[_Block], Change | None]]] = {
    Reason.NOT_LISTENING: lambda _: Change("listen"),
    Reason.OTHER_PEER: lambda _: Change("disconnect"),
    Reason.DEVICE: lambda _: Change("no device"),
    Reason.LOOPBACK_DOWN: _bring_loopback_up,
    Reason.LINK_DOWN: _bring_up,
    Reason.NO_WAY_BACK: _route_back,
    Reason.REVERSE_PATH: _route_back,
    Reason.VRF: _vrf_device,
    Reason.FAMILY: _give_address,
    Reason.LOOPBACK: _give_address,
    Reason.ZONE: _give_address,
    Reason.ADDRESS_GONE: _give_address,
    Reason.STRONG_HOST: _give_address,
    Reason.GROUP: _give_address,
}


def _applied(
    changes: Sequence[Change], bindings: tuple[Binding, ...], host: Host
) -> tuple[tuple[Binding, ...], Host]:
    for change in changes:
        bindings, host = change.apply(bindings, host)
    return bindings, host


def _order(change: Change) -> int:
    """Order changes as they are done: first the machine, then the socket."""
    return KINDS.index(change.kind)


def _spares(remedy: Remedy, before: Verdict) -> bool:
    """Whether *remedy* spares the origin a detour that it has to take now."""
    left = _UNUSUAL.intersection(remedy.verdict.conditions)
    return left < _UNUSUAL.intersection(before.conditions) or any(
        change.kind == "up" for change in remedy.changes
    )
