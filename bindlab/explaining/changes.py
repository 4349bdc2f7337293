"""What to bind instead, so that an origin gets in, and who gets in with it.

Pure: tries other bindings on the same rules, and takes those that let the origin in.
"""

from collections.abc import Collection, Iterator
from ipaddress import IPv4Address, IPv6Address

from bindlab.binding import Binding
from bindlab.endpoint import Endpoint, IPAddress, Transport, address_text
from bindlab.host import Host
from bindlab.reach import (
    BEYOND,
    INTERNET,
    THIS_HOST,
    Candidate,
    Condition,
    Origin,
    Reach,
    Vantage,
    Verdict,
)
from bindlab.value import Value

__all__ = ["Change", "bound_everywhere", "changes"]

_WILDCARDS: tuple[IPAddress, ...] = (IPv4Address("0.0.0.0"), IPv6Address("::"))


class Change(Value):
    """Another endpoint to bind, what the origin meets then, and whom else that lets in.

    *verdict* is the origin's after the change: what it dials, and the conditions that are left.
    *lets_in* has a verdict for each network, and for beyond and the internet, from which
    nothing but a firewall, a router, the link or the want of a route stops anybody then.
    """

    __slots__ = ("bind", "lets_in", "verdict")

    bind: Endpoint
    verdict: Verdict
    lets_in: tuple[Verdict, ...]

    def __init__(self, bind: Endpoint, verdict: Verdict, lets_in: tuple[Verdict, ...]) -> None:
        self._set(bind=bind, verdict=verdict, lets_in=lets_in)

    @property
    def dial(self) -> Candidate:
        """What the origin dials then; behind NAT, where its router has to forward a port to."""
        return self.verdict.endpoints[0]

    def __str__(self) -> str:
        if Condition.NAT in self.verdict.conditions:
            then = f"have the router forward a port to {self.dial}"
        else:
            verb = "send to" if self.dial.transport == "udp" else "open"
            then = f"{verb} {self.verdict.opens}"
        bound = address_text(self.bind.ip)
        return f"bind {bound}; then {then}; that lets in {_audience(self.lets_in)}"


def changes(
    bound: Collection[Binding],
    port: int,
    transport: Transport,
    host: Host,
    origin: Origin,
    judged: Host,
) -> Iterator[Change]:
    """Yield what to bind instead of *bound* so that *origin* gets in, the narrowest first.

    *judged* is *host* with what is known of the way to *origin*.
    """
    bound_now = [binding.endpoint for binding in bound if not binding.device]
    for best in _everywhere(port, transport, judged).verdict(origin).endpoints[:1]:
        wildcard = next(ip for ip in _WILDCARDS if ip.version == best.ip.version)
        for endpoint in (best.endpoint, Endpoint(wildcard, port, transport)):
            verdict = _reach(endpoint, judged).verdict(origin)
            if verdict and endpoint not in bound_now:
                yield Change(endpoint, verdict, _let_in(_reach(endpoint, host)))


def bound_everywhere(port: int, transport: Transport, host: Host, verdict: Verdict) -> Verdict:
    """Return the verdict on the origin of *verdict* if a socket were bound to every address."""
    return _everywhere(port, transport, host).verdict(verdict.origin)


def _everywhere(port: int, transport: Transport, host: Host) -> Reach:
    endpoints = [Endpoint(wildcard, port, transport) for wildcard in _WILDCARDS]
    return Reach([Binding(each, v6only=True, listening=True) for each in endpoints], host)


def _reach(endpoint: Endpoint, host: Host) -> Reach:
    # Most servers leave IPV6_V6ONLY to the system, whose default lets IPv4 in beside IPv6.
    v6only = host.bindv6only if endpoint.is_unspecified else None
    return Reach([Binding(endpoint, v6only=v6only, listening=True)], host)


def _let_in(reach: Reach) -> tuple[Verdict, ...]:
    return tuple(
        row
        for row in reach.rows
        if row and row.origin is not THIS_HOST and Condition.NAT not in row.conditions
    )


def _audience(rows: Collection[Verdict]) -> str:
    by_detour = [row for row in rows if Condition.WEAK_HOST in row.conditions]
    straight = [row for row in rows if row not in by_detour]
    words = [row.who for row in straight if not isinstance(row.origin, Vantage)]
    words[:1] = [f"everyone on {word}" for word in words[:1]]
    vantages = {row.origin for row in straight}
    if BEYOND in vantages:
        words.append("other networks through a router")
    if INTERNET in vantages:
        words.append("the internet")
    networks = [row.who for row in by_detour if not isinstance(row.origin, Vantage)]
    if networks:
        words.append(f"whoever on {', '.join(networks)} has a route to it")
    return ", ".join(words[:-1]) + (" and " if words[1:] else "") + words[-1] if words else "nobody"
