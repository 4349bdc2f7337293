"""From a port of this machine, or a socket, to sentences: where the rules meet the machine."""

from ipaddress import IPv4Address, IPv6Address

from bindlab.endpoint import Transport, parse_transport
from bindlab.explaining.explanation import Explanation
from bindlab.explaining.telling import Subject, tell, verdict_on
from bindlab.host import Host
from bindlab.linux import has_answered, tells_programs_apart
from bindlab.reach import Origin, OriginLike, Reach, Verdict, parse_origin
from bindlab.reachable import reachable_from
from bindlab.scanning import Answering, answering
from bindlab.snapshot import route_to

__all__ = ["explain"]


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
    :func:`reachable_from` takes: then nothing is tried, and a *transport* of its own is a
    ``ValueError``. *origin* is that of
    :meth:`Reach.verdict`, such as the address of the colleague who cannot connect; ``None``
    explains who gets in from where.

    What is certain stands apart from what has to be looked at elsewhere: firewalls, access
    points and VPNs are a checklist, the likeliest first. Nothing is sent to *origin*. On Linux
    it is said whether *origin* was heard on its link lately (ARP, NDP), and whose the
    socket is as far as this process may see.

    *host* is the machine to answer for; ``None`` is this one, now. Bad input is a
    ``ValueError`` or a ``TypeError``, as in the functions named.
    """
    asked = None if origin is None else parse_origin(origin)
    if isinstance(target, int) and not isinstance(target, bool):
        subject = _of_port(answering(target, host=host, transport=transport, timeout=timeout))
    elif isinstance(target, str) and target.isdecimal():
        raise ValueError(f"{target!r} is text: give a port as a number, {target}")
    elif parse_transport(transport) != "tcp":
        raise ValueError(f"transport is for a port number: say it in the target, not of {target!r}")
    else:
        subject = _of_reach(reachable_from(target, host=host))
    if not subject.bindings:
        return tell(subject, asked)
    if host is None and asked is not None:
        subject = subject._replace(judged=_knowing_the_way(subject, asked))
    verdict = verdict_on(subject, asked)
    seen = _has_answered(verdict, subject.host) if host is None else None
    return tell(subject, asked, verdict, seen)


def _of_port(found: Answering) -> Subject:
    from bindlab.port_users import owner  # nobody else needs it, but when opening fails

    name = f"port {found.port}{'' if found.transport == 'tcp' else '/udp'}"
    verb = "listens on" if found.transport == "tcp" else "receives on"
    verbs = dict.fromkeys(found.ended, "listened on" if found.transport == "tcp" else "received on")
    told_of = found.bindings or found.not_listening  # to find an owner means to read all of /proc
    owners = {
        one.binding: owner(one.inode, one.uid)
        for one in found.listed or ()
        if one.binding in told_of
    }
    seen = "something answers like a server that"
    certain = [f"{owners.get(b, seen)} {verbs.get(b, verb)} {b}" for b in found.bindings]
    if not certain and found.listed is None:
        certain = [f"no address of this machine answers on {name}"]
    elif not certain:
        certain = [f"nothing {verb} {name} of this machine, on none of its addresses"]
    if not found.bindings:
        certain.extend(
            f"{owners[b]} has bound {b.endpoint} without listening" for b in found.not_listening
        )
    certain.extend(found.evidence[0 if found.listed is None else 1 :])
    return Subject(
        found.bindings,
        found.host,
        found.host,
        found.port,
        found.transport,
        tuple(certain),
        found.assumptions,
    )


def _of_reach(reach: Reach) -> Subject:
    endpoint = reach.bindings[0].endpoint
    certain = tuple(f"the socket is bound to {binding}" for binding in reach.bindings)
    return Subject(
        reach.bindings,
        reach.host,
        reach.host,
        endpoint.port,
        endpoint.transport,
        certain,
        reach.assumptions,
    )


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
    way = route_to(origin)
    if way.refusal is not None and tells_programs_apart(origin.version) is not False:
        return host
    return host.replace(routes=[way])


def _has_answered(verdict: Verdict, host: Host) -> bool | None:
    origin = verdict.origin
    if not isinstance(origin, IPv4Address | IPv6Address) or verdict.interface is None:
        return None
    return has_answered(origin, host.interface(verdict.interface))
