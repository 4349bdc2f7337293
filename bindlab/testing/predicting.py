"""Assertions that ask the rules, and try only a bare port number, which says nothing by itself."""

from collections.abc import Iterable

from bindlab.binding import Binding
from bindlab.endpoint import unmap
from bindlab.host import Host
from bindlab.interface import Interface
from bindlab.reach import Origin, Reach, Scope, Vantage, Verdict
from bindlab.reachable import reachable_from
from bindlab.special_addresses import Kind, kind_of_address
from bindlab.testing.trying import assert_answers_on_loopback_only

__all__ = ["assert_loopback_only", "assert_not_reachable", "assert_reachable"]

__unittest = True  # unittest ends a traceback above the modules that have this


def assert_loopback_only(target: object, *, host: Host | None = None) -> None:
    """Assert that nobody but programs on this machine can reach *target*, wherever it runs.

    *target* and *host* are those of :func:`bindlab.reachable_from`. Each socket has to be bound
    to a loopback address (or a loopback device), and the host must let nobody else in there,
    as Linux does with ``route_localnet``. A wildcard fails on a machine without any network
    as well: what is private in the container of a test is not private elsewhere.

    A port number is tried as by :func:`assert_answers_only_on`, without *host*: it has to
    answer on a loopback address and on no other, and not on the whole of 127.0.0.0/8 (Linux),
    as a wildcard does; a server that stops while it is tried fails. That proves less than to
    ask the server: a socket for IPv6 only, bound to ``::`` on a machine without any network,
    looks like one on ``::1``.
    """
    __tracebackhide__ = True
    if isinstance(target, int):
        if host is not None:
            raise ValueError("a port number is tried on this machine: leave host out")
        assert_answers_on_loopback_only(target)
        return
    reach = reachable_from(target, host=host)
    elsewhere = [binding for binding in reach.bindings if not _is_loopback(binding, reach.host)]
    if reach.scope <= Scope.HOST and not elsewhere:
        return
    bound = _bound(elsewhere or reach.bindings)
    if reach.scope <= Scope.HOST:
        sentence = f"{bound} is not loopback: no interface lets others in now, but one may later"
    else:
        sentence = f"{bound} is open to other machines{_ways_in(reach)}"
    raise AssertionError(f"{sentence}\n\n{reach}")


def assert_reachable(target: object, origin: Origin | str, *, host: Host | None = None) -> None:
    """Assert that nothing on this machine shuts *origin* out of *target*.

    *target* and *host* are those of :func:`bindlab.reachable_from`, *origin* is that of
    :meth:`bindlab.Reach.verdict`: an address, a network, an interface, ``THIS_HOST``,
    ``BEYOND`` or ``INTERNET``. A firewall or a router may still do so: what
    ``reachable_from(target).verdict(origin).conditions`` names is not known from here.
    """
    __tracebackhide__ = True
    reach, verdict = _judged(target, origin, host)
    if verdict:
        return
    bound = _bound(reach.bindings)
    sentence = f"{_asked(origin)} cannot reach {bound}: {verdict.explanation}"
    raise AssertionError(f"{sentence}\n\n{reach}")


def assert_not_reachable(target: object, origin: Origin | str, *, host: Host | None = None) -> None:
    """Assert that *origin* is shut out of *target* for certain, whatever is on the way.

    The arguments are those of :func:`assert_reachable`. That a firewall would stop *origin*
    is not enough: bindlab does not read it, and somebody may switch it off.
    """
    __tracebackhide__ = True
    reach, verdict = _judged(target, origin, host)
    if not verdict:
        return
    bound = _bound(reach.bindings)
    sentence = f"{_asked(origin)} can reach {bound} {verdict.explanation}"
    raise AssertionError(f"{sentence}\n\n{reach}")


def _judged(target: object, origin: Origin | str, host: Host | None) -> tuple[Reach, Verdict]:
    if isinstance(target, int):
        raise TypeError(
            f"a port number says nothing of who can reach it: give the socket, the server or "
            f'"127.0.0.1:{target}", or try it with assert_answers_only_on({target}, ...)'
        )
    reach = reachable_from(target, host=host)
    return reach, reach.verdict(origin)


def _is_loopback(binding: Binding, host: Host) -> bool:
    if kind_of_address(unmap(binding.endpoint.ip)) is Kind.LOOPBACK:
        return True
    device = binding.device
    return device is not None and any(
        interface.has_zone(device) and interface.holds_loopback for interface in host.interfaces
    )


def _ways_in(reach: Reach) -> str:
    """Return by which interfaces others come in, and at which address."""
    found: list[str] = []
    for interface in reach.host.interfaces:
        if not interface.holds_loopback and (verdict := reach.verdict(interface)):
            at = f" at {verdict.endpoints[0]}" if verdict.endpoints else ""
            found.append(f"by {interface.display_name}{at}")
    return f": {' and '.join(found)}" if found else ""


def _bound(bindings: Iterable[Binding]) -> str:
    return " and ".join(dict.fromkeys(str(binding) for binding in bindings))


def _asked(origin: Origin | str) -> str:
    if isinstance(origin, Vantage):
        return origin.value
    return f"anyone on {origin.display_name}" if isinstance(origin, Interface) else str(origin)
