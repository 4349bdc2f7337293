"""What to bind instead, so that an origin gets in, and who gets in with it."""

from collections.abc import Collection, Iterator
from ipaddress import IPv4Address, IPv6Address

from bindlab.binding import Binding
from bindlab.endpoint import Endpoint, IPAddress, address_text
from bindlab.explaining.subject import Subject
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
    """Another endpoint to bind, what the origin meets then, and who else gets in.

    *verdict* is the origin's after the change: what it dials, and the conditions that are left.
    *lets_in* has a verdict for each network, for beyond and for the internet, if a machine
    there is let in: only a firewall, a router, the link or a missing route may stop it then.
    """

    bind: Endpoint
    verdict: Verdict
    lets_in: tuple[Verdict, ...]

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


def changes(subject: Subject, origin: Origin) -> Iterator[Change]:
    """Yield what to bind instead so that *origin* gets in, the narrowest first."""
    bound_now = [binding.endpoint for binding in subject.bindings if not binding.device]
    for best in bound_everywhere(subject, origin).endpoints[:1]:
        wildcard = next(ip for ip in _WILDCARDS if ip.version == best.ip.version)
        for endpoint in (best.endpoint, Endpoint(wildcard, subject.port, subject.transport)):
            reach = _reach(endpoint, subject.judged)
            verdict = reach.verdict(origin)
            if verdict and endpoint not in bound_now:
                is_all_known = subject.host is subject.judged
                others = reach if is_all_known else _reach(endpoint, subject.host)
                yield Change(endpoint, verdict, _let_in(others))


def bound_everywhere(subject: Subject, origin: Origin) -> Verdict:
    """Return the verdict on *origin* if a socket were bound to every address."""
    endpoints = [Endpoint(ip, subject.port, subject.transport) for ip in _WILDCARDS]
    bindings = [Binding(endpoint, v6only=True, listening=True) for endpoint in endpoints]
    return Reach(bindings, subject.judged).verdict(origin)


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
