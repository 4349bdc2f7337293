"""What a port is bound to, deduced from where it answers and from what the system lists."""

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from bindlab.binding import Binding
from bindlab.endpoint import Endpoint, IPAddress, Transport
from bindlab.scanning.addresses import LocalAddress
from bindlab.scanning.observing import Attempt, Observation

_WILDCARDS: dict[int, IPAddress] = {4: IPv4Address("0.0.0.0"), 6: IPv6Address("::")}


class Deduction(NamedTuple):
    """What the port must be bound to, and in words why.

    - *ended*: those bindings that nothing had any more when the attempts were over.
    - *redirected*: those that no listed socket has, though they answer: packets for them are
      redirected, as those for a published port of a container are.
    """

    bindings: tuple[Binding, ...]
    evidence: tuple[str, ...]
    ended: tuple[Binding, ...] = ()
    redirected: tuple[Binding, ...] = ()


def deduce(port: int, transport: Transport, seen: Observation) -> Deduction:
    """Return what *port* is bound to, where *seen* is what was observed of it.

    What the system lists is believed. Where it does not tell, the widest binding is taken that
    the attempts allow. Silence counts as an answer beside one that is none, because what keeps
    silent may be behind a firewall; and where a server stopped, refusals count for nothing.
    Where nothing answers at all, there is no binding, and the evidence names what keeps silent.
    """
    attempts = [attempt for attempt in seen.attempts if not attempt.is_absent]
    if seen.listed is None:
        return _from_outside(port, transport, attempts, seen)
    listed = (one.binding for one in seen.listed if one.is_open)
    sockets = sorted({*listed, *seen.ended}, key=str)
    named = " and ".join(map(str, sockets)) or "no server"
    evidence = [f"the system lists {named} on this port", *seen.what_changed]
    steady = [socket for socket in sockets if socket not in (*seen.ended, *seen.begun)]
    beside: list[Attempt] = []
    deaf: list[LocalAddress] = []
    for attempt in attempts:
        address = attempt.address
        if not address.is_served_by(sockets):
            # UDP that keeps silent without a socket is no server.
            if attempt.probe.accepted or not attempt.is_taken:
                beside.append(attempt)
        elif not (attempt.is_taken or address.is_unused) and address.is_served_by(steady):
            deaf.append(address)
    stopped = {address.ip for address in seen.stopped}
    accepted = (attempt.address for attempt in beside if attempt.probe.accepted)
    if where := _joined(address for address in accepted if address.ip not in stopped):
        evidence.append(_REDIRECTED.format(where=where, port=port))
    if deaf:
        evidence.append(f"yet no answer from {_joined(deaf)}: {_DEAF}")
    others = tuple(binding for binding, _ in _bindings(port, transport, beside, seen))
    ended = (*seen.ended, *(others if seen.stopped else ()))
    redirected = others if where and not seen.stopped else ()
    return Deduction((*sockets, *others), tuple(evidence), ended, redirected)


_REDIRECTED = (
    "{where} answers on port {port}, though no socket here does: the packets are redirected "
    "(DNAT), as a published port's to its container, and neither ufw nor the rules of INPUT "
    "govern them"
)
_DEAF = "a firewall on this machine, a server too busy to accept, or loopback is down"
_WHY = {  # by whether every IPv4 and every IPv6 address answers
    (True, False): "every IPv4 address {answers}, so it is a wildcard",
    (False, True): "every IPv6 address {answers} and not every IPv4 one: a wildcard of IPv6 only",
    (True, True): ("every address {answers}, IPv4 and IPv6: a dual-stack wildcard, or one of each"),
}
_UNUSED = "even 127.255.255.254 {answers}, which nobody serves by itself"
_ALIKE = "::1 is the only IPv6 address here, so that ::1 and :: look alike: the wider one is taken"
_STOPPED = "refusals after the end of a server prove nothing, so the widest binding is taken"
_ANSWERS: dict[Transport, str] = {"tcp": "answers", "udp": "takes datagrams"}


def _from_outside(
    port: int, transport: Transport, attempts: Sequence[Attempt], seen: Observation
) -> Deduction:
    found = tuple(_bindings(port, transport, attempts, seen))
    evidence = [why.format(answers=_ANSWERS[transport]) for _, why in found]
    if where := _joined(a.address for a in attempts if not a.is_taken and a.is_silent):
        evidence.append(f"no answer from {where}, where a server may be all the same: {_DEAF}")
    bindings = tuple(dict.fromkeys(binding for binding, _ in found))
    return Deduction(
        bindings,
        tuple(dict.fromkeys([*seen.what_changed, *evidence])),
        bindings if seen.stopped else (),
    )


def _bindings(
    port: int, transport: Transport, attempts: Sequence[Attempt], seen: Observation
) -> Iterator[tuple[Binding, str]]:
    """Yield what accounts for all that answers, and why; the widest where several would."""
    listening = True if transport == "tcp" else None
    if seen.stopped:
        endpoint = Endpoint(_WILDCARDS[6], port, transport)
        yield Binding(endpoint, v6only=False, listening=listening), _STOPPED
        return
    v4, v6 = _is_everywhere(4, attempts), _is_everywhere(6, attempts)
    if v4 or v6:
        endpoint = Endpoint(_WILDCARDS[6 if v6 else 4], port, transport)
        binding = Binding(endpoint, v6only=v6 and not v4, listening=listening)
        yield binding, _WHY[v4, v6]
        if v4 and any(a.address.is_unused for a in attempts):
            yield binding, _UNUSED
        if v6 and [int(a.address.ip) for a in attempts if a.address.ip.version == 6] == [1]:
            yield binding, _ALIKE
    for attempt in attempts:
        ip = attempt.address.ip
        if attempt.is_taken and not (v4 if ip.version == 4 else v6):
            why = f"{attempt.address} {{answers}}, and not all others do"
            yield Binding(Endpoint(ip, port, transport), listening=listening), why


def _is_everywhere(version: int, attempts: Sequence[Attempt]) -> bool:
    """Whether a wildcard of *version* may be there, for all that can be seen.

    Where the machine has an address that nobody uses, that one tells.
    """
    ours = [attempt for attempt in attempts if attempt.address.ip.version == version]
    telling = [attempt for attempt in ours if attempt.address.is_unused] or ours
    return any(a.is_taken for a in ours) and all(a.is_taken or a.is_silent for a in telling)


def _joined(items: Iterable[object]) -> str:
    return ", ".join(map(str, items))
