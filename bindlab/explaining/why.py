"""From a port of this machine, or a socket, to sentences: where the rules meet the machine."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from bindlab.binding import Binding
from bindlab.endpoint import Transport, address_text
from bindlab.explaining.changes import Change, bound_everywhere, changes, dial_text
from bindlab.explaining.checks import FIREWALLS, REMEDIES, Check, checks_of
from bindlab.explaining.explanation import Explanation
from bindlab.host import Host
from bindlab.interface import Interface
from bindlab.port_users import owner
from bindlab.reach import (
    THIS_HOST,
    Condition,
    OriginLike,
    Reach,
    Reason,
    Vantage,
    Verdict,
    parse_origin,
)
from bindlab.reachable import reachable_from
from bindlab.scanning import Answering, answering
from bindlab.snapshot import has_answered

__all__ = ["explain"]

_NOTHING_THERE = (
    "the server: does it run, and did it not end with an error?",
    "the port: is it {port} that it listens on? Its own output says",
    "containers: a server in one listens there, and its port has to be published here",
)


_OF_THE_SOCKET = (Reason.NOT_LISTENING, Reason.OTHER_PEER)  # whatever it is bound to
_DEAD = "{interface}, on whose network it would be, is down or has no carrier"
_REVIVE = REMEDIES[Reason.LINK_DOWN]


class _Subject(NamedTuple):
    """What is explained: the sockets, the machine, and what is certain of them."""

    bindings: tuple[Binding, ...]
    host: Host
    port: int
    transport: Transport
    certain: tuple[str, ...]
    assumptions: tuple[str, ...]


def explain(
    target: object,
    origin: OriginLike | None = None,
    *,
    host: Host | None = None,
    transport: Transport = "tcp",
    timeout: float = 1.0,
) -> Explanation:
    """Return why *origin* can or cannot reach *target*, and what to do; print it.

    *target* is a port number of this machine, whoever serves there (:func:`answering` finds
    out what it is bound to, with *transport* and *timeout*, in seconds), or what
    :func:`reachable_from` takes: then nothing is tried. *origin* is that of
    :meth:`Reach.verdict`, such as the address of the colleague who cannot connect; ``None``
    explains who gets in from where.

    What is certain stands apart from what has to be looked at elsewhere: firewalls, access
    points and VPNs are a checklist, the likeliest first. Nothing is sent to *origin*. On Linux
    it is said whether *origin* has answered on its link lately (ARP, NDP), and whose the
    socket is as far as this process may see.

    *host* is the machine to answer for; ``None`` is this one, now. Bad input is a
    ``ValueError`` or a ``TypeError``, as in the functions named.
    """
    asked = None if origin is None else parse_origin(origin)
    if isinstance(target, int) and not isinstance(target, bool):
        subject = _of_port(answering(target, host=host, transport=transport, timeout=timeout))
    else:
        subject = _of_reach(reachable_from(target, host=host))
    bindings, where, port, kind, certain, assumptions = subject
    if not bindings:
        unanswered = tuple(Check(None, text.format(port=port)) for text in _NOTHING_THERE)
        serve = () if asked is None else tuple(changes((), port, kind, where, asked))
        return Explanation((), asked, None, certain, serve, (), unanswered, where, assumptions)
    reach = Reach(bindings, where, assumptions)
    verdict = _whom(reach) if asked is None else reach.verdict(asked)
    seen = _has_answered(verdict, where) if host is None else None
    if seen:
        certain = (*certain, f"{verdict.origin} is there: it has answered on {verdict.interface}")
    dead = tuple(link.display_name for link in _dead_links(verdict, where))
    certain = (*certain, *(_DEAD.format(interface=name) for name in dead))
    to_bind = tuple(_changes(subject, verdict)) if _is_hindered(verdict) else ()
    then = to_bind[0].verdict if to_bind else verdict
    words = _words(subject, then)
    checks = (*_by_the_other_family(reach, verdict), *(checks_of(then, words) if then else ()))
    if seen is False:
        absent = "whether {origin} is on and awake: nobody answers for it on {interface} now"
        checks = (Check(None, absent.format(**words)), *checks)
    return Explanation(
        bindings,
        asked,
        None if asked is None else verdict,
        certain,
        to_bind,
        (
            *(_REVIVE.format(interface=name) for name in dead),
            *_remedies(verdict, to_bind, words, subject),
        ),
        checks,
        where,
        assumptions,
    )


def _of_port(found: Answering) -> _Subject:
    name = f"port {found.port}{'' if found.transport == 'tcp' else '/udp'}"
    verb = "listens on" if found.transport == "tcp" else "receives on"
    owners = {one.binding: owner(one.inode, one.uid) for one in found.listed or ()}
    certain = [f"{owners.get(b, 'something')} {verb} {b}" for b in found.bindings]
    if not certain:
        silent = [address_text(m.door.ip) for m in found.met if m.is_silent]
        quiet = f"; no answer from {', '.join(silent)}" if silent else ""
        certain = [f"nothing {verb} {name} of this machine, on none of its addresses{quiet}"]
    certain.extend(found.evidence[0 if found.listed is None else 1 :])
    return _Subject(
        found.bindings,
        found.host,
        found.port,
        found.transport,
        tuple(certain),
        found.assumptions,
    )


def _of_reach(reach: Reach) -> _Subject:
    endpoint = reach.bindings[0].endpoint
    certain = tuple(f"the socket is bound to {binding}" for binding in reach.bindings)
    return _Subject(
        reach.bindings,
        reach.host,
        endpoint.port,
        endpoint.transport,
        certain,
        reach.assumptions,
    )


def _whom(reach: Reach) -> Verdict:
    """Return the verdict to explain where nobody was named: a neighbour's, if there is one."""
    rows = [row for row in reach.rows if row.origin is not THIS_HOST]
    neighbours = [row for row in rows if not isinstance(row.origin, Vantage)]
    return next(filter(None, neighbours), (neighbours or rows)[0])


def _has_answered(verdict: Verdict, host: Host) -> bool | None:
    origin = verdict.origin
    if not isinstance(origin, IPv4Address | IPv6Address) or verdict.interface is None:
        return None
    return has_answered(origin, host.interface(verdict.interface))


def _dead_links(verdict: Verdict, host: Host) -> Iterator[Interface]:
    """Yield the interfaces on whose network the origin would be, and which carry nothing now."""
    ip = verdict.origin
    for link in host.interfaces:
        dead = link.is_up is False or link.is_running is False
        at_home = isinstance(ip, IPv4Address | IPv6Address) and any(
            ip in address.network for address in link.addresses
        )
        if dead and at_home:
            yield link


def _is_hindered(verdict: Verdict) -> bool:
    """Whether another address to bind would serve the origin better."""
    return not verdict or Condition.WEAK_HOST in verdict.conditions


def _changes(subject: _Subject, verdict: Verdict) -> Iterator[Change]:
    bindings, host, port, transport, *_ = subject
    if verdict.reason in _OF_THE_SOCKET or port == 0:
        return
    yield from changes(bindings, port, transport, host, verdict.origin)


def _by_the_other_family(reach: Reach, verdict: Verdict) -> Iterator[Check]:
    """Yield what the origin's machine may open by an address that nobody asked about."""
    if verdict.reason is Reason.FAMILY and verdict.interface is not None:
        others = reach.verdict(reach.host.interface(verdict.interface)).endpoints
        for best in others[:1]:
            yield Check(
                None,
                f"whether its machine has IPv{best.ip.version} too: then it opens "
                f"{dial_text(best)} as things are",
            )


def _remedies(
    verdict: Verdict, to_bind: tuple[Change, ...], words: dict[str, object], subject: _Subject
) -> Iterator[str]:
    """Yield what to do where another address to bind is not the answer."""
    if verdict.reason is None or to_bind:
        return
    if verdict.reason in _OF_THE_SOCKET:
        reason = verdict.reason
    else:
        reason = bound_everywhere(subject.port, subject.transport, subject.host, verdict).reason
    if reason is not None and reason is not Reason.LINK_DOWN:
        yield REMEDIES[reason].format(**words)


def _words(subject: _Subject, verdict: Verdict) -> dict[str, object]:
    """Return what the sentences of the checklist may speak of."""
    best = verdict.endpoints[0] if verdict.endpoints else None
    is_address = isinstance(verdict.origin, IPv4Address | IPv6Address)
    version = getattr(verdict.origin, "version", 4)
    return {
        "transport": subject.transport.upper(),
        "port": subject.port,
        "firewall": FIREWALLS[subject.host.system],
        "origin": verdict.origin if is_address else "the other machine",
        "interface": verdict.interface or (best.interface if best else None) or "its interface",
        "address": address_text(best.ip) if best else "this machine's address",
        "dial": dial_text(best) if best else "",
        "family": f"IPv{version}",
    }
