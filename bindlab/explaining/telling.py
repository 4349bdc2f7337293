"""What is certain, what to do and what to check, put together from verdicts. Pure."""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from bindlab.binding import Binding
from bindlab.endpoint import IPAddress, Transport, address_text
from bindlab.explaining.changes import Change, bound_everywhere, changes
from bindlab.explaining.checks import FIREWALLS, REMEDIES, ROUTES, Check, checks_of
from bindlab.explaining.explanation import Explanation
from bindlab.host import Host
from bindlab.interface import Interface
from bindlab.printable import printable
from bindlab.reach import THIS_HOST, Condition, Origin, Reach, Reason, Vantage, Verdict

__all__ = ["Subject", "tell", "verdict_on"]

_NOTHING_THERE = (
    "the server: does it run, and did it not end with an error?",
    "the port: is it {port} that it listens on? Its own output says",
    "containers: a server in one listens there, and its port has to be published here",
)
_ABSENT = (
    "whether {origin} is on and awake: in the last minute nobody answered for it on {interface}"
)
_PRESENT = "{origin} is there: it was heard on {interface} in the last two minutes"
_NO_DEVICE = "with either, bind no device (SO_BINDTODEVICE): it shuts out what comes by others"
_DEAD = "{link}, on whose network it would be, is down or has no carrier"
_OF_THE_SOCKET = (Reason.NOT_LISTENING, Reason.OTHER_PEER)  # whatever it is bound to


class Subject(NamedTuple):
    """What is explained: the sockets, their machine, and what is certain of them.

    *judged* is the machine with what is known of the way to the one origin.
    """

    bindings: tuple[Binding, ...]
    host: Host
    judged: Host
    port: int
    transport: Transport
    certain: tuple[str, ...]
    assumptions: tuple[str, ...]


def verdict_on(subject: Subject, asked: Origin | None) -> Verdict:
    """Return the verdict to explain; where nobody was asked about, a neighbour's, if any."""
    reach = Reach(subject.bindings, subject.judged, subject.assumptions)
    if asked is not None:
        return reach.verdict(asked)
    rows = [row for row in reach.rows if row.origin is not THIS_HOST]
    neighbours = [row for row in rows if not isinstance(row.origin, Vantage)]
    return next(filter(None, neighbours), (neighbours or rows)[0])


def tell(
    subject: Subject,
    asked: Origin | None,
    verdict: Verdict | None = None,
    seen: bool | None = None,
) -> Explanation:
    """Return the explanation of *verdict*, ``None`` where nothing listens.

    *seen* is whether the origin was heard on its link lately, ``None`` where that is not known.
    """
    if verdict is None:
        serve = () if asked is None else _changes(subject, asked)
        checks = tuple(Check(None, text.format(port=subject.port)) for text in _NOTHING_THERE)
        return _explanation(subject, asked, None, serve, (), checks)
    hindered = not verdict or Condition.WEAK_HOST in verdict.conditions
    rebind = hindered and verdict.reason not in _OF_THE_SOCKET and subject.port != 0
    to_bind = _changes(subject, verdict.origin) if rebind else ()
    then = to_bind[0].verdict if to_bind else verdict
    words = _words(subject, then)
    certain = [_PRESENT.format(**words)] if seen else []
    dead = _dead_links(verdict, subject.host)
    certain.extend(_DEAD.format(link=link) for link in dead)
    checks = (
        *((Check(None, _ABSENT.format(**words)),) if seen is False else ()),
        *_by_the_other_family(subject, verdict),
        *(checks_of(then, words, seen is True) if then else ()),
    )
    remedies = _rebinding(verdict) if to_bind else tuple(_remedies(subject, verdict, words, dead))
    subject = subject._replace(certain=(*subject.certain, *certain))
    return _explanation(subject, asked, verdict, to_bind, remedies, checks)


def _explanation(
    subject: Subject,
    asked: Origin | None,
    verdict: Verdict | None,
    to_bind: tuple[Change, ...],
    remedies: tuple[str, ...],
    checks: tuple[Check, ...],
) -> Explanation:
    return Explanation(
        subject.bindings,
        asked,
        None if asked is None else verdict,
        subject.certain,
        to_bind,
        remedies,
        checks,
        subject.host,
        subject.assumptions,
    )


def _changes(subject: Subject, origin: Origin) -> tuple[Change, ...]:
    bindings, host, judged, port, transport, *_ = subject
    return tuple(changes(bindings, port, transport, host, origin, judged))


def _dead_links(verdict: Verdict, host: Host) -> list[str]:
    """Return the interfaces on whose network the origin would be, if none of them is alive."""
    ip = verdict.origin
    home = _homes(ip, host) if isinstance(ip, IPv4Address | IPv6Address) else []
    return [] if any(link.is_live for link in home) else [link.display_name for link in home]


def _homes(ip: IPAddress, host: Host) -> list[Interface]:
    """Return the interfaces whose networks *ip* is in."""
    return [link for link in host.interfaces if any(ip in a.network for a in link.addresses)]


def _by_the_other_family(subject: Subject, verdict: Verdict) -> Iterator[Check]:
    """Yield what the origin's machine may open by an address that nobody asked about."""
    if verdict.reason is Reason.FAMILY and verdict.interface is not None:
        reach = Reach(subject.bindings, subject.host)
        others = reach.verdict(subject.host.interface(verdict.interface))
        if others.opens:
            family = f"IPv{others.endpoints[0].ip.version}"
            words = f"whether its machine has {family} too: then it opens {others.opens} as it is"
            yield Check(None, words)


def _rebinding(verdict: Verdict) -> tuple[str, ...]:
    """Return what to do besides where another address to bind is not all of the answer."""
    return (_NO_DEVICE,) if verdict.reason is Reason.DEVICE else ()


def _remedies(
    subject: Subject, verdict: Verdict, words: dict[str, object], dead: Sequence[str]
) -> Iterator[str]:
    """Yield what to do where another address to bind is not the answer."""
    for link in dead:
        yield REMEDIES[Reason.LINK_DOWN].format(interface=link)
    reason = verdict.reason
    if reason is not None and reason not in _OF_THE_SOCKET:
        _, _, judged, port, transport, *_ = subject
        reason = bound_everywhere(port, transport, judged, verdict).reason
    if reason is not None and not (reason is Reason.LINK_DOWN and dead):
        yield REMEDIES[reason].format(**words)


def _words(subject: Subject, verdict: Verdict) -> dict[str, object]:
    """Return what the sentences of the checklist may speak of."""
    best = verdict.endpoints[0] if verdict.endpoints else None
    origin, homes, route = "the other machine", ["several networks"], ""
    if isinstance(verdict.origin, IPv4Address | IPv6Address):
        origin = str(verdict.origin)
        found = [link.display_name for link in _homes(verdict.origin, subject.host)]
        homes = found if len(found) > 1 else homes
        route = ROUTES[subject.host.system].format(origin=origin)
    version = getattr(verdict.origin, "version", 4)
    by = verdict.interface or (best.interface if best else None)
    return {
        "transport": subject.transport.upper(),
        "port": subject.port,
        "firewall": FIREWALLS[subject.host.system],
        "origin": origin,
        "homes": " and ".join(homes),
        "route": route,
        "interface": printable(by) if by else "its interface",
        "address": address_text(best.ip) if best else "this machine's address",
        "dial": verdict.opens,
        "family": f"IPv{version}",
    }
