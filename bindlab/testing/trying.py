"""Assertions that try a port on every address of this machine, from this machine itself."""

from collections.abc import Collection, Sequence

from bindlab.binding import Binding
from bindlab.endpoint import Endpoint, IPAddress, address_text, parse_address, unmap
from bindlab.page import columns
from bindlab.reach import Reach
from bindlab.reachable import reachable_from
from bindlab.scanning import (
    Attempt,
    LocalAddress,
    Observation,
    deduce,
    local_addresses,
    observe,
)
from bindlab.snapshot import this_host
from bindlab.special_addresses import Kind, kind_of_address
from bindlab.target import Port, Target, parse_target
from bindlab.testing.message import WIDTH, message

__unittest = True  # unittest ends a traceback above the modules that have this


def assert_answers_only_on(
    target: Target, *where: Endpoint | IPAddress | str, timeout: float = 1.0
) -> None:
    """Assert that a TCP port of this machine answers on all of *where*, and nowhere else on it.

    Really connects to every address of this machine, a few at a time: the loopbacks, those of each
    interface that is up, IPv4 and IPv6, link-local ones with their zone, and on Linux to one of
    127.0.0.0/8 that nobody uses, where only a wildcard answers. A server of one thread sees
    all of these connections come and go.

    *target* is a port number, or what :func:`bindlab.reachable_from` takes, for its port.
    *where* are addresses (``"127.0.0.1"``) or endpoints (``"127.0.0.1:3000"``) of this machine;
    ``"0.0.0.0"`` and ``"::"`` stand for all of its IPv4 and of its IPv6 addresses. Another
    program's server on one of the others counts: this asks what answers, and not who.

    *timeout* is in seconds. Silence within it fails, on any address: a full backlog or a
    firewall, but no proof that nobody listens. So does a server that stops while it is tried,
    such as one that accepts once: what is refused after that proves nothing.
    """
    __tracebackhide__ = True
    port, reach = _port_of(target)
    wanted = _parsed(where, port)
    host = this_host()
    addresses = list(local_addresses(host))
    for ip in wanted:
        if any(address.is_at(ip) for address in addresses):
            continue
        if kind_of_address(ip) is not Kind.LOOPBACK:
            have = ", ".join(address_text(address.ip) for address in addresses)
            raise ValueError(f"{address_text(ip)} is no address of this machine, which has {have}")
        addresses.append(LocalAddress(ip))

    seen = observe(addresses, port, timeout)
    faults, wrong = _faults(wanted, seen)
    if faults:
        words = " and ".join(dict.fromkeys(map(address_text, wanted)))
        sentence = f"port {port} does not answer on {words} only: {'; '.join(faults)}."
    elif seen.what_changed:
        changes = "; ".join(seen.what_changed)
        sentence = f"port {port} changed while it was tried, which proves nothing: {changes}."
    else:
        return
    if reach is None and (bindings := deduce(port, "tcp", seen).bindings):
        reach = Reach(bindings, host)
    table = _listed(seen.attempts, wrong)
    evidence = [table] if reach is None else [table, reach.text(width=WIDTH)]
    raise AssertionError(message(sentence, *evidence))


def _faults(
    wanted: Collection[IPAddress], seen: Observation
) -> tuple[list[str], Collection[IPAddress]]:
    """Return in words what is not as it should be, and the addresses where that is so."""
    on = [attempt for attempt in seen.attempts if any(map(attempt.address.is_at, wanted))]
    off = [attempt for attempt in seen.attempts if attempt not in on]
    kinds = (
        ("it answers on", [each for each in off if each.probe.accepted]),
        ("it does not answer on", [each for each in on if not each.probe.accepted]),
        ("it keeps silent, which is no refusal, on", [each for each in off if each.is_silent]),
    )
    faults = [
        f"{verb} {', '.join(str(each.address) for each in found)}" for verb, found in kinds if found
    ]
    return faults, {each.address.ip for _, found in kinds for each in found}


def _listed(attempts: Sequence[Attempt], wrong: Collection[IPAddress] = ()) -> str:
    """Return one line for each address that was tried, with a mark where it should not be so."""
    rows = [
        (f"{'>' if each.address.ip in wrong else ' '} {each.address.name}", str(each.probe))
        for each in attempts
    ]
    return "\n".join(columns(rows, WIDTH, ""))


def _port_of(target: Target) -> tuple[int, Reach | None]:
    """Return the port to try, and what is known of its sockets if *target* holds some."""
    one = parse_target(target) if isinstance(target, int | str) else target
    if isinstance(one, Port):
        reach, places = None, [one]
    else:
        reach = reachable_from(one)
        places = [Port(each.endpoint.port, each.endpoint.transport) for each in reach.bindings]
    if any(place.transport == "udp" for place in places):
        raise ValueError("a UDP server owes no answer: ask assert_not_reachable() instead")
    if len(ports := {place.number for place in places}) != 1:
        several = ", ".join(map(str, sorted(ports)))
        raise ValueError(f"these sockets have several ports: ask for one of {several}")
    (port,) = ports
    if port == 0:
        raise ValueError("port 0 means that the system chooses: give the number that it chose")
    return port, None if isinstance(one, Endpoint | Binding) else reach


def _parsed(where: Sequence[Endpoint | IPAddress | str], port: int) -> tuple[IPAddress, ...]:
    if not where:
        raise ValueError('name at least one address that has to answer, such as "127.0.0.1"')
    wanted: list[IPAddress] = []
    for one in where:
        is_endpoint = isinstance(one, str) and (one.startswith("[") or one.count(":") == 1)
        endpoint = Endpoint.parse(one) if isinstance(one, str) and is_endpoint else one
        if isinstance(endpoint, Endpoint):
            if (endpoint.port, endpoint.transport) != (port, "tcp"):
                raise ValueError(f"{endpoint} is not on port {port}, the TCP port to try")
            endpoint = endpoint.ip
        wanted.append(unmap(parse_address(endpoint)))
    return tuple(wanted)
