"""Where the edges meet the core: from a live socket on this machine to the pure answer."""

from collections.abc import Collection
from ipaddress import IPv6Address
from typing import Protocol, TypeGuard

from bindlab.binding import Binding
from bindlab.endpoint import Endpoint, unmap
from bindlab.find_sockets import sockets_of
from bindlab.host import Host
from bindlab.inspect_socket import binding_here, binding_of
from bindlab.reach import Reach

__all__ = ["reachable_from"]

_V6ONLY_BY_DEFAULT = "IPV6_V6ONLY is as this system sets it by default"
_TAKEN_TO_LISTEN = "a socket listens there (no socket was asked)"


def reachable_from(target: object, *, host: Host | None = None) -> Reach:
    """Return who can reach *target*: ask the answer about origins, or print it.

    *target* is a bound socket, anything that holds sockets (an ``asyncio.Server``, a
    ``socketserver`` server), a :class:`Binding`, an :class:`Endpoint`, its text
    (``"0.0.0.0:3000"``), what :func:`answering` found out about a port, or several of these. Of
    an endpoint or text no socket is asked: it is taken to be listening, and what was assumed is
    said in the answer.

    *host* is the machine to answer for; ``None`` is this one, now, in the calling thread's
    network namespace. A socket of another network namespace needs the host of that one
    (``ValueError``): interfaces here say nothing about it.

    >>> from bindlab import Host
    >>> laptop = Host.of(lo="127.0.0.1/8", wifi="192.168.0.102/24")
    >>> "192.168.0.50" in reachable_from("127.0.0.1:3000", host=laptop)
    False
    """
    where = _this_host() if host is None else host
    if not isinstance(where, Host):
        raise TypeError(f"host is a Host, or None for this machine, not {host!r}")
    bindings: list[Binding] = []
    assumptions: list[str] = []
    for one in target if _are_several(target) else (target,):
        match one:
            case Binding():
                bindings.append(one)
            case str() | Endpoint():
                endpoint = Endpoint.parse(one) if isinstance(one, str) else one
                bindings.append(_presumed(endpoint, where))
                assumptions.append(_TAKEN_TO_LISTEN)
                if bindings[-1].v6only is not None:
                    assumptions.append(_V6ONLY_BY_DEFAULT)
            case _ if _is_finding(one):
                bindings.extend(one.bindings)
                assumptions.extend(one.assumptions)
            case _:
                ask = binding_here if host is None else binding_of
                bindings.extend(map(ask, sockets_of(one)))
    return Reach(bindings, where, assumptions)


def _this_host() -> Host:
    # A machine on paper needs nothing of this.
    from bindlab.snapshot import this_host

    return this_host()


class _Finding(Protocol):
    """What somebody else found out, such as an ``Answering``."""

    @property
    def bindings(self) -> tuple[Binding, ...]: ...
    @property
    def assumptions(self) -> tuple[str, ...]: ...


def _is_finding(target: object) -> TypeGuard[_Finding]:
    return hasattr(target, "bindings") and hasattr(target, "assumptions")


def _are_several(target: object) -> TypeGuard[Collection[object]]:
    return isinstance(target, list | tuple | set | frozenset)


def _presumed(endpoint: Endpoint, host: Host) -> Binding:
    """Return the binding that a socket on *endpoint* has by default; if unsure, the widest."""
    wildcard = isinstance(unmap(endpoint.ip), IPv6Address) and endpoint.is_unspecified
    v6only = False if wildcard and host.bindv6only is False else None
    return Binding(endpoint, v6only=v6only, listening=True)
