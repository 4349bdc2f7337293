"""What is explained: sockets, their machine, and what is certain of them from here."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from bindlab.binding import Binding
from bindlab.endpoint import Transport, address_text
from bindlab.explaining.relays import RELAYS, UNKNOWN, Relay
from bindlab.firewall import Firewall
from bindlab.host import Host
from bindlab.linux import owners
from bindlab.reachable import Found
from bindlab.scanning import Answering, LocalAddress, localhost_addresses

_PATIENCE = 1.0  # seconds to look for the processes of all sockets
_VERBS: dict[Transport, tuple[str, str]] = {
    "tcp": ("listens on", "listened on"),
    "udp": ("receives on", "received on"),
}


class Subject(NamedTuple):
    """The sockets, their machine, and in sentences what is certain of them.

    - *judged*: the machine with what is known of the way to the origin that was asked about.
    - *trouble*: in a sentence, what is wrong with the server itself; "" if nothing is known.
    - *relay*: the program that has the port for a server elsewhere, and what it is.
    - *redirected*: whether packets are redirected to a server elsewhere, before any socket here.
    - *firewall*: what could be read of the machine's firewall.
    """

    bindings: tuple[Binding, ...]
    port: int
    transport: Transport
    host: Host
    judged: Host
    certain: tuple[str, ...]
    assumptions: tuple[str, ...]
    trouble: str = ""
    relay: Relay | None = None
    redirected: bool = False
    firewall: Firewall = Firewall()


def subject_of(found: Found) -> Subject:
    """Return what is certain of what was found: what is bound, and whose a port is."""
    first = found.ports[0] if found.ports else found.given[0].endpoint
    whose = {port: _owners(port, port.bindings) for port in found.ports}
    names = [who for owners in whose.values() for who in owners.values()]
    relays = [relay for who in names if (relay := _relay(who)) is not None]
    return Subject(
        bindings=found.bindings,
        port=first.port,
        transport=first.transport,
        host=found.host,
        judged=found.host,
        certain=(
            *(f"the socket is bound to {binding}" for binding in found.given),
            *(sentence for port in found.ports for sentence in _certain(port, whose[port])),
        ),
        assumptions=found.assumptions,
        trouble=next((text for port in found.ports if (text := _trouble(port))), ""),
        relay=relays[0] if relays else None,
        redirected=any(port.redirected for port in found.ports)
        and all(port.redirected == port.bindings for port in found.ports),
    )


def _relay(who: str) -> Relay | None:
    """Return what a process is, if its name is that of a relay."""
    return RELAYS.get(who.rpartition(" (process ")[0])


def _trouble(found: Answering) -> str:
    if not found.closed_at_once or not found.bindings:
        return ""
    ended = [address_text(address.ip) for address in found.closed_at_once]
    taken = [one for one in found.attempts if one.probe.accepted]
    at = f" at {' and '.join(ended)}" if len(ended) < len(taken) else ""
    return f"something is wrong behind it: port {found.port} accepts{at}, and closes at once"


def _certain(found: Answering, owners: Mapping[Binding, str]) -> Iterator[str]:
    listens, listened = _VERBS[found.transport]
    name = f"port {found.port}{'' if found.transport == 'tcp' else '/udp'}"
    relays: list[Relay] = []
    for binding in found.bindings:
        if binding in found.redirected:
            continue
        who = owners.get(binding, "something answers like a server that")
        has = f"{who} {listened if binding in found.ended else listens} {binding}"
        if (relay := _relay(who)) is not None:
            relays.append(relay)
            has += f"; it {relay.does}"
        yield has
    if _trouble(found):
        yield relays[0].behind if relays else UNKNOWN
    if not found.bindings and found.listed is None:
        yield f"no address of this machine answers on {name}"
    elif not found.bindings:
        yield f"nothing {listens} {name} of this machine"
        for binding, who in _owners(found, found.not_listening).items():
            yield f"{who} has bound {binding.endpoint} without listening"
    there = [binding for binding in found.bindings if binding not in found.ended]
    if there and found.transport == "tcp":
        yield from _localhost(there)
    # Where the system lists sockets, the first sentence only names those above.
    yield from found.evidence[0 if found.listed is None else 1 :]


def _localhost(bindings: Sequence[Binding]) -> Iterator[str]:
    """Yield what a program meets that opens localhost, where the hosts file tells."""
    names = [
        f"{address_text(ip)}{'' if LocalAddress(ip).is_served_by(bindings) else _UNSERVED}"
        for ip in localhost_addresses()
    ]
    if names:
        yield f"localhost here is {', then '.join(names)} (hosts file)"


_UNSERVED = " (where nothing listens)"


def _owners(found: Answering, bindings: tuple[Binding, ...]) -> dict[Binding, str]:
    # One of each: a server may have a hundred sockets that are bound alike (SO_REUSEPORT).
    listed = {one.binding: one for one in found.listed or () if one.binding in bindings}
    return dict(zip(listed, owners(listed.values(), _PATIENCE), strict=True))
