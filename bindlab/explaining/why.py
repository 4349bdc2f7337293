"""From a port of this machine, or a socket, to an explanation: where evidence is gathered."""

from ipaddress import IPv4Address, IPv6Address

from bindlab.endpoint import Transport, parse_transport
from bindlab.explaining.explanation import Explanation
from bindlab.explaining.subject import Subject, subject_of
from bindlab.explaining.telling import tell
from bindlab.host import Host
from bindlab.linux import has_answered, read_firewall, tells_programs_apart
from bindlab.reach import (
    BEYOND,
    THIS_HOST,
    Origin,
    OriginLike,
    Reach,
    Vantage,
    Verdict,
    parse_origin,
)
from bindlab.reachable import find, machine
from bindlab.snapshot import route_to
from bindlab.target import Target


def explain(
    target: Target,
    origin: OriginLike | None = None,
    *,
    host: Host | None = None,
    transport: Transport = "tcp",
    timeout: float = 1.0,
) -> Explanation:
    """Return why *origin* can or cannot reach *target*, and what to do; print it.

    *target* is that of :func:`reachable_from`. A port number is tried, with *transport* and
    *timeout* (in seconds), as by :func:`answering`; of anything else a *transport* is a
    ``ValueError``. *origin* is that of :meth:`Reach.verdict`, such as the address of the
    colleague who cannot connect; ``None`` explains who gets in from where.

    What is certain stands apart from what has to be looked at elsewhere: firewalls, access
    points and VPNs are a checklist, the likeliest first. Nothing is sent to *origin*. On Linux
    it is said whether *origin* was heard on its link lately (ARP, NDP), and whose the
    socket is as far as this process may see.

    *host* is the machine to answer for; ``None`` is this one, now. Bad input is a
    ``ValueError`` or a ``TypeError``, as in the functions named.
    """
    kind = parse_transport(transport)
    where = machine(host)
    asked = None if origin is None else parse_origin(origin, where)
    found = find(target, where, is_here=host is None, transport=kind, timeout=timeout)
    if not found.ports and kind != "tcp":
        raise ValueError(f"transport is for a port number: say it in the target, not of {target!r}")
    subject = subject_of(found)
    if host is None:
        subject = subject._replace(firewall=read_firewall())
    if not subject.bindings:
        return tell(subject, asked)
    if host is None and asked is not None:
        subject = subject._replace(judged=_knowing_the_way(subject, asked))
    verdict = _verdict_on(subject, asked)
    return tell(subject, asked, verdict, _is_heard(verdict, subject.host) if host is None else None)


def _verdict_on(subject: Subject, asked: Origin | None) -> Verdict:
    """Return the verdict to explain; where nobody was asked about, a neighbour's, if any."""
    reach = Reach(subject.bindings, subject.judged, subject.assumptions)
    if asked is not None:
        return reach.verdict(asked)
    if subject.host.guest is not None and subject.host.guest.needs_forwarding:
        return reach.verdict(BEYOND)  # others are not on the networks of a guest
    rows = [row for row in reach.rows if row.origin is not THIS_HOST]
    neighbours = [row for row in rows if not isinstance(row.origin, Vantage)]
    return next(filter(None, neighbours), (neighbours or rows)[0])


def _knowing_the_way(subject: Subject, origin: Origin) -> Host:
    """Return the host with the way back to *origin*, asked of the system if its table is unknown.

    Nothing is sent. A socket on a device goes ways of its own, and so may a server where rules
    tell programs apart: that this process finds no way proves nothing then.
    """
    host = subject.host
    if host.routes is not None or any(binding.pin for binding in subject.bindings):
        return host
    if not isinstance(origin, IPv4Address | IPv6Address) or origin.is_link_local:
        return host
    way = route_to(origin, host.interfaces)
    if way.refusal is not None and tells_programs_apart(origin.version) is not False:
        return host
    return host.replace(routes=[way])


def _is_heard(verdict: Verdict, host: Host) -> bool | None:
    """Return whether the origin was heard on its link lately; ``None`` where that is unknown."""
    origin = verdict.origin
    if not isinstance(origin, IPv4Address | IPv6Address) or verdict.interface is None:
        return None
    return has_answered(origin, host.interface(verdict.interface))
