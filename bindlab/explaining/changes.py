"""What can be changed on a machine so that an origin gets in: each change can be made on paper."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeAlias, get_args

from bindlab.binding import Binding
from bindlab.endpoint import Endpoint, address_text
from bindlab.host import Host
from bindlab.interface import Interface, InterfaceAddress
from bindlab.printable import printable
from bindlab.reach import Candidate, Condition, Reach, Verdict
from bindlab.route import Route
from bindlab.value import Value

Kind: TypeAlias = Literal[
    "up",
    "loopback",
    "ipv6",
    "address",
    "route",
    "disconnect",
    "no device",
    "device",
    "bind",
    "listen",
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

_WORDS: Final[Mapping[Kind, str]] = {
    "up": "connect {name}: join its Wi-Fi, or plug its cable in",
    "loopback": "bring loopback up (ip link set {name} up)",
    "ipv6": "turn IPv6 on for {name} (net.ipv6.conf.{name}.disable_ipv6 = 0)",
    "address": "give {name} an address of {family}, in {network} or with a router to it",
    "route": "give this machine a route to {network} by {name}, or put both in one network",
    "disconnect": "use a socket that is not connected",
    "no device": "bind no device (SO_BINDTODEVICE)",
    "device": "bind the device {name} (SO_BINDTODEVICE)",
    "bind": "bind {ip}",
    "listen": "call listen() on the socket",
}


class Change(Value):
    """One thing to do, to the socket or to the machine; ``str()`` says it.

    - *kind*: what is done, as ``"bind"``, ``"listen"``, ``"up"`` or ``"route"``.
    - *value*: what is bound (an :class:`Endpoint`), added (a :class:`Route`), or given to the
      interface (an address, which is only an example of one); ``None`` for the other kinds.
    - *interface*: the name of the interface that it is about, if it is about one.
    """

    kind: Kind
    value: Endpoint | Route | InterfaceAddress | None = None
    interface: str = ""

    def apply(self, bindings: Sequence[Binding], host: Host) -> tuple[tuple[Binding, ...], Host]:
        """Return the bindings and the host after this change, made on paper only."""
        match self.kind, self.value:
            case "bind", Endpoint() as endpoint:
                # Most servers leave IPV6_V6ONLY to the system, whose default lets IPv4 in too.
                v6only = host.bindv6only if endpoint.is_unspecified else None
                old = bindings[0] if bindings else Binding(endpoint, listening=True)
                return (old.replace(endpoint=endpoint, v6only=v6only, groups=None),), host
            case "listen", _:
                return tuple(one.replace(listening=True) for one in bindings), host
            case "disconnect", _:
                return tuple(one.replace(peer=None) for one in bindings), host
            case (("device" | "no device"), _):
                return tuple(one.replace(device=self.interface) for one in bindings), host
            case "route", Route() as route:
                return tuple(bindings), _with_route(host, route)
            case _:
                return tuple(bindings), _with_link(host, self._changed(host))

    def _changed(self, host: Host) -> Interface:
        """Return the interface that this change is about, after it."""
        old = host.interface(self.interface)
        if self.kind == "ipv6":
            return old.replace(disable_ipv6=False)
        if self.value is None:
            return old.replace(is_up=True, is_running=True)
        return old.replace(addresses=(*old.addresses, self.value))

    def __str__(self) -> str:
        value, name = self.value, printable(self.interface)
        network = getattr(value, "network", None)
        if isinstance(value, Route) and value.network.num_addresses == 1:
            network = value.network.network_address
        return _WORDS[self.kind].format(
            ip=address_text(value.ip) if isinstance(value, Endpoint) else "",
            name=name,
            network=network,
            family=f"IPv{network.version}" if network else "",
        )


class Remedy(Value):
    """Changes that are enough together, so that an origin gets in; ``str()`` says them.

    - *verdict*: that on the origin after them: what it dials, and the conditions that are left.
    - *forward*: what is to be done in a guest besides, so that its host forwards the port; "" if
      nothing is. What comes in by the guest's own loopback then is judged as this machine.
    - *opens*: what the origin opens then, in words; "" where the verdict says it.
    """

    changes: tuple[Change, ...]
    verdict: Verdict
    forward: str = ""
    opens: str = ""

    @property
    def bind(self) -> Endpoint | None:
        """What to bind instead; ``None`` where the binding may stay."""
        values = (one.value for one in self.changes if one.kind == "bind")
        return next((value for value in values if isinstance(value, Endpoint)), None)

    @property
    def dial(self) -> Candidate | None:
        """What the origin dials then; behind NAT, where its router has to forward a port to.

        ``None`` where it dials the host of a guest: see *opens*.
        """
        return None if self.forward else self.verdict.endpoints[0]

    def apply(self, bindings: Sequence[Binding], host: Host) -> Reach:
        """Return who can reach *bindings* of *host* after these changes, made on paper only."""
        for change in self.changes:
            bindings, host = change.apply(bindings, host)
        return Reach(bindings, host)

    def __str__(self) -> str:
        best = self.verdict.endpoints[0]
        if Condition.NAT in self.verdict.conditions:
            there = f"it ({self.opens})" if self.forward else best
            then = f"have the router forward a port to {there}"
        else:
            verb = "send to" if best.transport == "udp" else "open"
            then = f"{verb} {self.opens or self.verdict.opens}"
        steps = [*map(str, self.changes), *filter(None, [self.forward])]
        return f"{'; '.join(steps)}; then {then}"


def _with_route(host: Host, route: Route) -> Host:
    """Return *host* with *route*, which takes the place of one that refuses its network."""
    if host.routes is None:
        return host
    others = [one for one in host.routes if not (one.refusal and one.network == route.network)]
    return host.replace(routes=[*others, route])


def _with_link(host: Host, changed: Interface) -> Host:
    """Return *host* with *changed* in the place of its old self, and the routes that follow."""
    links = [changed if one.name == changed.name else one for one in host.interfaces]
    known, found = host.routes, host.replace(interfaces=links)
    if known is None or not changed.is_live:
        return found
    networks = {address.network for address in changed.addresses}
    new = (Route(str(network).partition("%")[0], changed.name) for network in networks)
    return found.replace(routes=[*known, *(route for route in new if route not in known)])
