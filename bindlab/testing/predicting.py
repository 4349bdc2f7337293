"""Assertions that ask the rules, of sockets, endpoints and ports."""

from collections.abc import Iterable

from bindlab.binding import Binding
from bindlab.endpoint import unmap
from bindlab.explaining import explain
from bindlab.host import Host
from bindlab.interface import Interface
from bindlab.page import listed, shorter
from bindlab.reach import Answer, OriginLike, Reach, Scope, Vantage, Verdict, ranked
from bindlab.reachable import find, machine
from bindlab.scanning import audit
from bindlab.special_addresses import Kind, kind_of_address
from bindlab.target import Target
from bindlab.testing.message import WIDTH, message

__all__ = [
    "assert_loopback_only",
    "assert_not_reachable",
    "assert_only_open",
    "assert_reachable",
]

_NAME = 32

__unittest = True  # unittest ends a traceback above the modules that have this


def assert_loopback_only(target: Target, *, host: Host | None = None) -> None:
    """Assert that nobody but programs on this machine can reach *target*, wherever it runs.

    *target* and *host* are those of :func:`bindlab.reachable_from`. Each socket has to be bound
    to a loopback address (or a loopback device), and the host must let nobody else in there,
    as Linux does with ``route_localnet``. A wildcard fails on a machine without any network
    as well: what is private in the container of a test is not private elsewhere.

    Of a port number, something has to listen there, and not stop while it is tried: else that
    fails as well. Where the system lists no sockets (other than Linux), a socket for IPv6 only
    that is bound to ``::`` on a machine without any network looks like one on ``::1``.
    """
    __tracebackhide__ = True
    reach = _reach(target, host)
    elsewhere = [binding for binding in reach.bindings if not _is_loopback(binding, reach.host)]
    if reach.scope <= Scope.HOST and not elsewhere:
        return
    bound = _bound(elsewhere or reach.bindings)
    if reach.scope <= Scope.HOST:
        sentence = f"{bound} is not loopback: no interface lets others in now, but one may later."
    else:
        sentence = f"{bound} is open to other machines{_ways_in(reach)}."
    bind = f" Bind {_loopback(elsewhere)} to keep it private." if elsewhere else ""
    raise AssertionError(message(sentence + bind, reach.text(width=WIDTH)))


def assert_reachable(target: Target, origin: OriginLike, *, host: Host | None = None) -> None:
    """Assert that nothing on this machine shuts *origin* out of *target*.

    *target* and *host* are those of :func:`bindlab.reachable_from`, *origin* is that of
    :meth:`bindlab.Reach.verdict`: an address, a network, an interface or its name, ``THIS_HOST``,
    ``BEYOND`` or ``INTERNET``, or text for one of these. A firewall or a router may still do so:
    what ``reachable_from(target).verdict(origin).conditions`` names is not known from here.
    """
    __tracebackhide__ = True
    reach, verdict = _judged(target, origin, host)
    if verdict:
        return
    bound = _bound(reach.bindings)
    sentence = f"{_asked(verdict)} cannot reach {bound}: {verdict.explanation}."
    to_do = explain(reach.bindings, verdict.origin, host=reach.host).to_do
    advice = f" To let it in, {to_do}." if to_do else ""
    raise AssertionError(message(sentence + advice, reach.text(width=WIDTH)))


def assert_not_reachable(target: Target, origin: OriginLike, *, host: Host | None = None) -> None:
    """Assert that *origin* is shut out of *target* for certain, whatever is on the way.

    The arguments are those of :func:`assert_reachable`. That a firewall would stop *origin*
    is not enough: bindlab does not read it, and somebody may switch it off.
    """
    __tracebackhide__ = True
    reach, verdict = _judged(target, origin, host)
    if not verdict:
        return
    bound = _bound(reach.bindings)
    at = f" at {verdict.opens}" if verdict.opens else ""
    sentence = f"{_asked(verdict)} can reach {bound}{at}"
    if verdict.answer is Answer.CONDITIONAL:
        sentence += f", if no firewall stops it. Bind {_loopback(reach.bindings)} to keep it out"
    raise AssertionError(message(f"{sentence}.", reach.text(width=WIDTH)))


def assert_only_open(*allowed: int | str, scope: Scope = Scope.HOST) -> None:
    """Assert that no socket of this machine is open to more than *scope*, but the *allowed* ports.

    All sockets that listen count, whoever made them: see :func:`bindlab.audit`, which an
    ``OSError`` comes from where the system does not list them (other than Linux). A port is a
    number, of TCP, or text such as ``"5353/udp"``::

        assert_only_open(22)  # nothing beyond loopback but 22
    """
    __tracebackhide__ = True
    found = audit()
    beyond = found.open_beyond(scope, allowed=allowed)
    if beyond:
        ports = listed(list(dict.fromkeys(each.port for each in beyond)))
        what = "port" if len({each.port for each in beyond}) == 1 else "ports"
        audience = "other machines" if scope <= Scope.HOST else f"more than {scope.name.lower()}"
        table = found.replace(listeners=beyond)
        raise AssertionError(f"open to {audience}: {what} {ports}\n\n{table}")


def _judged(target: Target, origin: OriginLike, host: Host | None) -> tuple[Reach, Verdict]:
    __tracebackhide__ = True
    reach = _reach(target, host)
    return reach, reach.verdict(origin)


def _reach(target: Target, host: Host | None) -> Reach:
    """Return who can reach *target*; a port that nothing serves all the time fails."""
    __tracebackhide__ = True
    found = find(target, machine(host), is_here=host is None)
    for port in found.ports:
        if not port.bindings:
            raise AssertionError(str(port).replace("\n", "\n\n", 1))
        if port.ended:
            changes = "; ".join(port.evidence)
            raise AssertionError(
                f"port {port.port} changed while it was tried, which proves nothing: {changes}"
            )
    return Reach(found.bindings, found.host, found.assumptions)


def _is_loopback(binding: Binding, host: Host) -> bool:
    if kind_of_address(unmap(binding.endpoint.ip)) is Kind.LOOPBACK:
        return True
    device = binding.device
    return device is not None and any(
        interface.has_zone(device) and interface.holds_loopback for interface in host.interfaces
    )


def _ways_in(reach: Reach) -> str:
    """Return by which interfaces others come in, and at which address."""
    found: dict[str, str] = {}
    for interface in reach.host.interfaces:
        if not interface.holds_loopback and (verdict := reach.verdict(interface)):
            at = f" ({verdict.opens})" if verdict.opens else ""
            found[interface.display_name] = shorter(interface.display_name, _NAME) + at
    virtual = {rank.name for _, rank in ranked(reach.host) if rank.is_virtual}
    others = [found.pop(name) for name in list(found) if name in virtual]
    words = [*found.values()] or others
    if others and words is not others:
        words.append(f"{len(others)} virtual interface{'s' * (len(others) > 1)}")
    return f", by {listed(words)}" if words else ""


def _loopback(bindings: Iterable[Binding]) -> str:
    """Return the loopback address to bind instead."""
    return " and ".join(
        dict.fromkeys("::1" if each.endpoint.ip.version == 6 else "127.0.0.1" for each in bindings)
    )


def _bound(bindings: Iterable[Binding]) -> str:
    return " and ".join(dict.fromkeys(str(binding.endpoint) for binding in bindings))


def _asked(verdict: Verdict) -> str:
    origin = verdict.origin
    if isinstance(origin, Vantage):
        return origin.value
    return f"anyone on {origin.display_name}" if isinstance(origin, Interface) else str(origin)
