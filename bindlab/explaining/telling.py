"""What is certain, what to do and what to check, put together from verdicts."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from bindlab.endpoint import address_text
from bindlab.explaining.changes import Change, bound_everywhere, changes
from bindlab.explaining.checks import (
    FIREWALLS,
    NOTHING_THERE,
    REMEDIES,
    ROUTES,
    Check,
    checks_of,
)
from bindlab.explaining.explanation import Explanation
from bindlab.explaining.subject import Subject
from bindlab.interface import Interface
from bindlab.printable import printable
from bindlab.reach import Condition, Origin, Reach, Reason, Verdict

__all__ = ["tell"]

_ABSENT = (
    "whether {origin} is on and awake: in the last minute nobody answered for it on {interface}"
)
_PRESENT = "{origin} is there: it was heard on {interface} in the last two minutes"
_NO_DEVICE = "with either, bind no device (SO_BINDTODEVICE): it shuts out what comes by others"
_DEAD = "{link}, on whose network it would be, is down or has no carrier"
_OF_THE_SOCKET = (Reason.NOT_LISTENING, Reason.OTHER_PEER)  # on any address


def tell(
    subject: Subject,
    asked: Origin | None,
    verdict: Verdict | None = None,
    heard: bool | None = None,
) -> Explanation:
    """Return the explanation of *verdict*, ``None`` where nothing listens.

    *heard* is whether the origin was heard on its link lately, ``None`` where that is unknown.
    """
    certain = list(subject.certain)
    to_bind: tuple[Change, ...] = ()
    remedies: list[str] = []
    checks: list[Check] = []
    if verdict is None:
        if asked is not None:
            to_bind = tuple(changes(subject, asked))
        checks.extend(Check(None, text.format(port=subject.port)) for text in NOTHING_THERE)
    else:
        if _may_bind_elsewhere(subject, verdict):
            to_bind = tuple(changes(subject, verdict.origin))
        then = to_bind[0].verdict if to_bind else verdict
        words = _words(subject, then)
        dead = _dead_links(subject, verdict)
        if heard:
            certain.append(_PRESENT.format(**words))
        certain.extend(_DEAD.format(link=link) for link in dead)
        if heard is False:
            checks.append(Check(None, _ABSENT.format(**words)))
        checks.extend(_by_the_other_family(subject, verdict))
        checks.extend(checks_of(then, words, heard is True) if then else ())
        if not to_bind:
            remedies.extend(_remedies(subject, verdict, words, dead))
        elif any(binding.device for binding in subject.bindings):
            remedies.append(_NO_DEVICE)
    return Explanation(
        bindings=subject.bindings,
        origin=asked,
        verdict=None if asked is None else verdict,
        certain=tuple(certain),
        changes=to_bind,
        remedies=tuple(remedies),
        checks=tuple(checks),
        host=subject.host,
        assumptions=subject.assumptions,
    )


def _may_bind_elsewhere(subject: Subject, verdict: Verdict) -> bool:
    """Whether another address to bind may let the origin in, or let it in directly."""
    unusual = {Condition.WEAK_HOST, Condition.OTHER_LINK}
    hindered = not verdict or not unusual.isdisjoint(verdict.conditions)
    return hindered and verdict.reason not in _OF_THE_SOCKET and subject.port != 0


def _dead_links(subject: Subject, verdict: Verdict) -> list[str]:
    """Return the interfaces on whose network the origin would be, if none of them is alive."""
    homes = _homes(subject, verdict.origin)
    return [] if any(link.is_live for link in homes) else [link.display_name for link in homes]


def _homes(subject: Subject, origin: Origin) -> list[Interface]:
    """Return the interfaces whose networks *origin* is in, if it is an address."""
    if not isinstance(origin, IPv4Address | IPv6Address):
        return []
    links = subject.host.interfaces
    return [link for link in links if any(origin in a.network for a in link.addresses)]


def _by_the_other_family(subject: Subject, verdict: Verdict) -> Iterator[Check]:
    """Yield what the origin's machine may open by an address that nobody asked about."""
    if verdict.reason is Reason.FAMILY and verdict.interface is not None:
        reach = Reach(subject.bindings, subject.host)
        others = reach.verdict(subject.host.interface(verdict.interface))
        if others.opens:
            family = f"IPv{others.endpoints[0].ip.version}"
            words = f"whether its machine has {family} too: then it opens {others.opens} as it is"
            yield Check(None, words)


def _remedies(
    subject: Subject, verdict: Verdict, words: dict[str, object], dead: list[str]
) -> Iterator[str]:
    """Yield what to do where another address to bind is not the answer."""
    for link in dead:
        yield REMEDIES[Reason.LINK_DOWN].format(interface=link)
    reason = verdict.reason
    if reason is not None and reason not in _OF_THE_SOCKET:
        reason = bound_everywhere(subject, verdict.origin).reason
    if reason is not None and not (reason is Reason.LINK_DOWN and dead):
        yield REMEDIES[reason].format(**words)


def _words(subject: Subject, verdict: Verdict) -> dict[str, object]:
    """Return what the sentences of the checklist may speak of."""
    origin, system = verdict.origin, subject.host.system
    is_address = isinstance(origin, IPv4Address | IPv6Address)
    homes = [link.display_name for link in _homes(subject, origin)]
    best = verdict.endpoints[0] if verdict.endpoints else None
    by = verdict.interface or (best.interface if best else None)
    return {
        "transport": subject.transport.upper(),
        "port": subject.port,
        "firewall": FIREWALLS[system],
        "origin": str(origin) if is_address else "the other machine",
        "homes": " and ".join(homes) if len(homes) > 1 else "several networks",
        "route": ROUTES[system].format(origin=origin) if is_address else "",
        "interface": printable(by) if by else "its interface",
        "address": address_text(best.ip) if best else "this machine's address",
        "dial": verdict.opens,
        "family": f"IPv{getattr(origin, 'version', 4)}",
    }
