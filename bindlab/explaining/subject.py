"""What is explained: sockets, their machine, and what is certain of them from here."""

from collections.abc import Iterator
from typing import NamedTuple

from bindlab.binding import Binding
from bindlab.endpoint import Transport
from bindlab.host import Host
from bindlab.linux import owners
from bindlab.reachable import Found
from bindlab.scanning import Answering

__all__ = ["Subject", "subject_of"]

_PATIENCE = 1.0  # seconds to look for the processes of all sockets
_VERBS: dict[Transport, tuple[str, str]] = {
    "tcp": ("listens on", "listened on"),
    "udp": ("receives on", "received on"),
}


class Subject(NamedTuple):
    """The sockets, their machine, and in sentences what is certain of them.

    *judged* is the machine with what is known of the way to the origin that was asked about.
    """

    bindings: tuple[Binding, ...]
    port: int
    transport: Transport
    host: Host
    judged: Host
    certain: tuple[str, ...]
    assumptions: tuple[str, ...]


def subject_of(found: Found) -> Subject:
    """Return what is certain of what was found: what is bound, and whose a port is."""
    first = found.ports[0] if found.ports else found.given[0].endpoint
    return Subject(
        bindings=found.bindings,
        port=first.port,
        transport=first.transport,
        host=found.host,
        judged=found.host,
        certain=(
            *(f"the socket is bound to {binding}" for binding in found.given),
            *(sentence for port in found.ports for sentence in _certain(port)),
        ),
        assumptions=found.assumptions,
    )


def _certain(found: Answering) -> Iterator[str]:
    listens, listened = _VERBS[found.transport]
    name = f"port {found.port}{'' if found.transport == 'tcp' else '/udp'}"
    if found.bindings:
        owners = _owners(found, found.bindings)
        for binding in found.bindings:
            who = owners.get(binding, "something answers like a server that")
            yield f"{who} {listened if binding in found.ended else listens} {binding}"
    elif found.listed is None:
        yield f"no address of this machine answers on {name}"
    else:
        yield f"nothing {listens} {name} of this machine"
        for binding, who in _owners(found, found.not_listening).items():
            yield f"{who} has bound {binding.endpoint} without listening"
    # Where the system lists sockets, the first sentence only names those above.
    yield from found.evidence[0 if found.listed is None else 1 :]


def _owners(found: Answering, bindings: tuple[Binding, ...]) -> dict[Binding, str]:
    # One of each: a server may have a hundred sockets that are bound alike (SO_REUSEPORT).
    listed = {one.binding: one for one in found.listed or () if one.binding in bindings}
    return dict(zip(listed, owners(listed.values(), _PATIENCE), strict=True))
