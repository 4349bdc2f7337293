"""What is certain, what to do and what to check, put together from verdicts."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from bindlab.endpoint import Endpoint, address_text
from bindlab.explaining.changes import Remedy
from bindlab.explaining.checks import (
    BEHIND_A_RULE,
    FIREWALLS,
    FORWARDING,
    NOTHING_THERE,
    REDIRECTED,
    ROUTES,
    Check,
    checks_of,
)
from bindlab.explaining.clients import Case
from bindlab.explaining.explanation import Explanation
from bindlab.explaining.forwarding import through_host
from bindlab.explaining.remedies import dead_homes, homes_of, remedies_for
from bindlab.explaining.subject import Subject
from bindlab.printable import printable
from bindlab.reach import THIS_HOST, Condition, Origin, Reach, Reason, Verdict

__all__ = ["tell"]

_ABSENT = (
    "whether {origin} is on and awake: in the last minute nobody answered for it on {interface}"
)
_PRESENT = "{origin} is there: it was heard on {interface} in the last two minutes"
_DEAD = "{link}, on whose network it would be, is down or has no carrier"
_NOT_ENOUGH = (
    "nothing that is changed on this machine alone lets it in: the machine needs a network first"
)
_HOST, _OURS = "the machine that runs this one", "this machine's address"
_ANY = IPv4Address("0.0.0.0")


def tell(
    subject: Subject,
    asked: Origin | None,
    verdict: Verdict | None = None,
    heard: bool | None = None,
) -> Explanation:
    """Return the explanation of *verdict*, ``None`` where nothing listens.

    *heard* is whether the origin was heard on its link lately, ``None`` where that is unknown.
    """
    certain, kind = list(subject.certain), subject.transport
    remedies: tuple[Remedy, ...] = ()
    then = verdict
    checks: list[Check] = []
    origin = asked if verdict is None else verdict.origin
    if origin is not None:
        remedies, then = _remedies(subject, origin, verdict)
    if verdict is None or then is None:
        taken = [rule for rule in subject.firewall.redirections if rule.takes(subject.port, kind)]
        certain.extend(f"{rule}: {REDIRECTED}" for rule in taken)
        for code, text in ({"relay": BEHIND_A_RULE} if taken else NOTHING_THERE).items():
            checks.append(Check(None, text.format(port=subject.port), code=code))
    else:
        words = _words(subject, then)
        if subject.host.guest is not None:
            certain.append(str(subject.host.guest))
        if heard:
            certain.append(_PRESENT.format(**words))
        for link in dead_homes(subject.host, verdict.origin):
            certain.append(_DEAD.format(link=link.display_name))
        if not (verdict or remedies):
            certain.append(_NOT_ENOUGH)
        if subject.relay is not None and any(remedy.bind for remedy in remedies):
            rebind = subject.relay.rebind.format(port=subject.port)
            told = f"the relay listens where it is told to: {rebind}"
            checks.append(Check(None, told, code="relay"))
        if heard is False:
            checks.append(Check(None, _ABSENT.format(**words), code="heard"))
        checks.extend(_by_the_other_family(subject, verdict))
        if then:
            case = Case(then, subject.bindings, subject.host)
            checks.extend(checks_of(case, words, heard is True))
    return Explanation(
        bindings=subject.bindings,
        origin=asked,
        verdict=None if asked is None else verdict,
        certain=tuple(certain),
        remedies=remedies,
        checks=tuple(checks),
        host=subject.host,
        assumptions=subject.assumptions,
        trouble=subject.trouble,
    )


def _remedies(
    subject: Subject, origin: Origin, verdict: Verdict | None
) -> tuple[tuple[Remedy, ...], Verdict | None]:
    """Return what lets *origin* in, by the host of a guest if need be, and the verdict then."""
    bindings, host = subject.bindings, subject.judged
    bind = Endpoint(_ANY, subject.port, subject.transport)
    if subject.redirected:  # no socket here is of the matter
        return (), verdict
    plain = remedies_for(bindings, host, origin, bind, verdict)
    then = plain[0].verdict if plain else verdict
    if host.guest is None or then is None or Condition.GUEST not in then.conditions:
        return plain, then
    inside = Reach(bindings, host).verdict(THIS_HOST) if bindings else None
    local = remedies_for(bindings, host, THIS_HOST, bind, inside)
    if inside and any(endpoint.ip.is_loopback for endpoint in inside.endpoints):
        local = (Remedy((), inside),)
    elif inside:  # what enters by loopback does not reach a server on another address
        anew = remedies_for((), host, THIS_HOST, bind, None)
        local = tuple(one for one in anew if one.bind and one.bind.is_unspecified)
    plain = plain or (Remedy((), then),)
    return through_host(plain, local, host.guest, bind), then


def _by_the_other_family(subject: Subject, verdict: Verdict) -> Iterator[Check]:
    """Yield what the origin's machine may open by an address that nobody asked about."""
    if verdict.reason is Reason.FAMILY and verdict.interface is not None:
        reach = Reach(subject.bindings, subject.host)
        others = reach.verdict(subject.host.interface(verdict.interface))
        if others.opens:
            family = f"IPv{others.endpoints[0].ip.version}"
            words = f"whether its machine has {family} too: then it opens {others.opens} as it is"
            yield Check(None, words, code="other_family")


def _firewall(subject: Subject) -> str:
    """Return what is known of the firewall, or where it is looked at: evidence, no verdict."""
    firewall = subject.firewall.replace(redirections=())
    return str(firewall) if firewall.sentences else FIREWALLS[subject.host.system]


def _words(subject: Subject, verdict: Verdict) -> dict[str, object]:
    """Return what the sentences of the checklist may speak of."""
    origin, system = verdict.origin, subject.host.system
    is_address = isinstance(origin, IPv4Address | IPv6Address)
    homes = [link.display_name for link in homes_of(subject.host, origin)]
    best = verdict.endpoints[0] if verdict.endpoints else None
    in_guest = Condition.GUEST in verdict.conditions
    by = verdict.interface or (best.interface if best else None)
    return {
        "transport": subject.transport.upper(),
        "port": subject.port,
        "firewall": FORWARDING if subject.redirected else _firewall(subject),
        "origin": str(origin) if is_address else "the other machine",
        "homes": " and ".join(homes) if len(homes) > 1 else "several networks",
        "route": ROUTES[system].format(origin=origin) if is_address else "",
        "interface": printable(by) if by else "its interface",
        "address": _HOST if in_guest else address_text(best.ip) if best else _OURS,
        "dial": verdict.opens,
        "family": f"IPv{getattr(origin, 'version', 4)}",
    }
