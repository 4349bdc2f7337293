"""What a port is bound to, deduced from where it answers and from what the system lists.

Pure: knows what was met at each address, and asks nobody.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from bindlab.binding import Binding
from bindlab.endpoint import Endpoint, IPAddress, Transport, unmap
from bindlab.scanning.doors import Door, Met

__all__ = ["Deduction", "deduce"]

_WILDCARDS: dict[int, IPAddress] = {4: IPv4Address("0.0.0.0"), 6: IPv6Address("::")}


class Deduction(NamedTuple):
    """What the port must be bound to, and in words what that follows from."""

    bindings: tuple[Binding, ...]
    evidence: tuple[str, ...]


def deduce(
    port: int, transport: Transport, met: Sequence[Met], listed: Collection[Binding] | None
) -> Deduction:
    """Return what *port* is bound to, where *met* is what each address of the machine did.

    *listed* are the sockets that the system lists on the port, ``None`` where it does not
    tell. Without them the widest binding is taken that *met* allows, silence counting as an
    answer beside one that is none: what keeps silent may be behind a firewall. Where nothing
    answers at all, there is no binding, and the evidence names what keeps silent.
    """
    met = [m for m in met if not m.is_absent]
    if listed is None:
        return _from_outside(port, transport, met)
    sockets = sorted(set(listed), key=str)
    named = " and ".join(map(str, sockets)) or "no server"
    evidence = [f"the system lists {named} on this port"]
    theirs = [m for m in met if any(_covers(socket, m.door) for socket in sockets)]
    # UDP that keeps silent without a socket is no server.
    beside = [m for m in met if m not in theirs and (m.probe.accepted or not m.is_taken)]
    if where := _joined(m.door for m in beside if m.probe.accepted):
        evidence.append(f"yet {where} answers, so something redirects its packets (NAT)")
    if where := _joined(m.door for m in theirs if not m.is_taken and not m.door.is_unused):
        evidence.append(f"yet no answer from {where}: {_DEAF}")
    return Deduction(
        (*sockets, *(binding for binding, _ in _bindings(port, transport, beside))),
        tuple(evidence),
    )


_DEAF = "a firewall on this machine, a server too busy to accept, or loopback is down"
_WHY = {  # by whether every IPv4 and every IPv6 address answers
    (True, False): "every IPv4 address {answers}, so it is a wildcard",
    (False, True): "every IPv6 address {answers} and not every IPv4 one: a wildcard of IPv6 only",
    (True, True): ("every address {answers}, IPv4 and IPv6: a dual-stack wildcard, or one of each"),
}
_UNUSED = "even 127.255.255.254 {answers}, which nobody serves by itself"
_ALIKE = "::1 is the only IPv6 address here, so that ::1 and :: look alike: the wider one is taken"
_ANSWERS: dict[Transport, str] = {"tcp": "answers", "udp": "takes datagrams"}


def _from_outside(port: int, transport: Transport, met: Sequence[Met]) -> Deduction:
    found = tuple(_bindings(port, transport, met))
    evidence = [why.format(answers=_ANSWERS[transport]) for _, why in found]
    if where := _joined(m.door for m in met if not m.is_taken and m.is_silent):
        evidence.append(f"no answer from {where}, where a server may be all the same: {_DEAF}")
    return Deduction(
        tuple(dict.fromkeys(binding for binding, _ in found)), tuple(dict.fromkeys(evidence))
    )


def _bindings(port: int, transport: Transport, met: Sequence[Met]) -> Iterator[tuple[Binding, str]]:
    """Yield what accounts for all that answers, and why; the widest where several would."""
    listening = True if transport == "tcp" else None
    v4, v6 = _is_everywhere(4, met), _is_everywhere(6, met)
    if v4 or v6:
        endpoint = Endpoint(_WILDCARDS[6 if v6 else 4], port, transport)
        binding = Binding(endpoint, v6only=v6 and not v4, listening=listening)
        yield binding, _WHY[v4, v6]
        if v4 and any(m.door.is_unused for m in met):
            yield binding, _UNUSED
        if v6 and [int(m.door.ip) for m in met if m.door.ip.version == 6] == [1]:
            yield binding, _ALIKE
    for m in met:
        if m.is_taken and not (v4 if m.door.ip.version == 4 else v6):
            endpoint = Endpoint(m.door.ip, port, transport)
            why = f"{m.door} {{answers}}, and not all others do"
            yield Binding(endpoint, listening=listening), why


def _is_everywhere(version: int, met: Sequence[Met]) -> bool:
    """Whether a wildcard of *version* may be there, for all that can be seen.

    Where the machine has an address that nobody uses, that one tells.
    """
    ours = [m for m in met if m.door.ip.version == version]
    telling = [m for m in ours if m.door.is_unused] or ours
    return any(m.is_taken for m in ours) and all(m.is_taken or m.is_silent for m in telling)


def _covers(binding: Binding, door: Door) -> bool:
    """Return whether a socket bound so gets what programs on this machine send to *door*."""
    ip = unmap(binding.endpoint.ip)
    dual = ip == _WILDCARDS[6] and binding.v6only is False
    pinned = binding.device is not None and not (
        door.interface.has_zone(binding.device) if door.interface else binding.device == "lo"
    )
    return (dual or door.is_at(ip)) and not pinned


def _joined(items: Iterable[object]) -> str:
    return ", ".join(map(str, items))
