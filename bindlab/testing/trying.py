"""Assertions that believe nothing: a port is tried on every address of this machine.

Connects from this machine to itself, so that it sees where a server answers, and no firewall
or router on somebody else's way.
"""

from collections.abc import Callable, Sequence

from bindlab.binding import Binding
from bindlab.endpoint import Endpoint, IPAddress, address_text, parse_address, parse_port, unmap
from bindlab.reach import Reach
from bindlab.reachable import reachable_from
from bindlab.scanning import Door, Met, doors_of, try_doors
from bindlab.snapshot import this_host
from bindlab.special_addresses import Kind, kind_of_address

__all__ = ["assert_answers_on_loopback_only", "assert_answers_only_on"]

__unittest = True  # unittest ends a traceback above the modules that have this


def assert_answers_only_on(
    target: object, *where: Endpoint | IPAddress | str, timeout: float = 1.0
) -> None:
    """Assert that a TCP port of this machine answers on all of *where*, and nowhere else on it.

    Really connects, at once, to every address of this machine: the loopbacks, those of each
    interface that is up, IPv4 and IPv6, link-local ones with their zone, and on Linux to one of
    127.0.0.0/8 that nobody uses, where only a wildcard answers. A server of one thread sees
    all of these connections come and go.

    *target* is a port number, or what :func:`bindlab.reachable_from` takes, for its port.
    *where* are addresses (``"127.0.0.1"``) or endpoints (``"127.0.0.1:3000"``) of this machine;
    ``"0.0.0.0"`` and ``"::"`` stand for all of its IPv4 and of its IPv6 addresses. Another
    program's server on one of the others counts: this asks what answers, and not who.

    *timeout* is in seconds. Silence within it fails, on whichever address: a full backlog or a
    firewall, but no proof that nobody listens.
    """
    __tracebackhide__ = True
    port, reach = _port_of(target)
    wanted = _parsed(where, port)
    doors = list(doors_of(this_host()))
    for ip in wanted:
        if any(door.is_at(ip) for door in doors):
            continue
        if kind_of_address(ip) is not Kind.LOOPBACK:
            have = ", ".join(address_text(door.ip) for door in doors)
            raise ValueError(f"{address_text(ip)} is no address of this machine, which has {have}")
        doors.append(Door(ip))

    met = try_doors(doors, port, timeout)
    words = " and ".join(dict.fromkeys(map(address_text, wanted)))
    _check(f"port {port}", words, met, lambda door: any(map(door.is_at, wanted)), reach)


def assert_answers_on_loopback_only(port: int) -> None:
    """Assert that *port* answers on a loopback address, and on nothing else."""
    __tracebackhide__ = True
    number, _ = _port_of(port)
    met = try_doors(tuple(doors_of(this_host())), number, 1.0)
    answers = [each.door for each in met if each.probe.accepted]
    if not answers:
        raise AssertionError(f"nothing answers on port {number} of this machine\n\n{_listed(met)}")
    expected = {door for door in answers if door.is_loopback and not door.is_unused}
    _check(f"port {number}", "loopback", met, expected.__contains__, None)


def _check(
    name: str, words: str, met: Sequence[Met], expected: Callable[[Door], bool], reach: Reach | None
) -> None:
    """Raise ``AssertionError`` unless just what is *expected* was accepted."""
    __tracebackhide__ = True
    too_much = [m for m in met if m.probe.accepted and not expected(m.door)]
    missing = [m for m in met if not m.probe.accepted and expected(m.door)]
    silent = [m for m in met if m.is_silent and not expected(m.door)]
    faults = [
        f"{verb} {', '.join(str(m.door) for m in found)}"
        for verb, found in (
            ("it answers on", too_much),
            ("it does not answer on", missing),
            ("it keeps silent, which is no refusal, on", silent),
        )
        if found
    ]
    if not faults:
        return
    sentence = f"{name} does not answer on {words} only: {'; '.join(faults)}"
    if reach is None and (answering := _answering(met)):
        reach = reachable_from(answering)
    table = _listed(met, {m.door for m in (*too_much, *missing, *silent)})
    raise AssertionError("\n\n".join([sentence, table, *([] if reach is None else [str(reach)])]))


def _answering(met: Sequence[Met]) -> list[Endpoint]:
    """Return what accepted, as that which a socket is bound to."""
    accepted = [m for m in met if m.probe.accepted]
    endpoints = [m.probe.endpoint for m in accepted]
    if not any(m.door.is_unused for m in accepted):
        return endpoints
    wildcard = Endpoint("0.0.0.0", endpoints[0].port)
    return [wildcard, *(endpoint for endpoint in endpoints if endpoint.ip.version == 6)]


def _listed(met: Sequence[Met], wrong: set[Door] | frozenset[Door] = frozenset()) -> str:
    """Return one line for each door that was tried, with a mark where it should not be so."""
    width = max(len(m.door.name) for m in met)
    return "\n".join(
        f"{'>' if m.door in wrong else ' '} {m.door.name:{width}}  {m.probe}" for m in met
    )


def _port_of(target: object) -> tuple[int, Reach | None]:
    """Return the port to try, and what is known of its sockets if *target* holds some."""
    if isinstance(target, int):
        reach, ports = None, {parse_port(target)}
    else:
        reach = reachable_from(target)
        endpoints = [binding.endpoint for binding in reach.bindings]
        if any(endpoint.transport == "udp" for endpoint in endpoints):
            raise ValueError("a UDP server owes no answer: ask assert_not_reachable() instead")
        ports = {endpoint.port for endpoint in endpoints}
    if len(ports) != 1:
        several = ", ".join(map(str, sorted(ports)))
        raise ValueError(f"these sockets have several ports: ask for one of {several}")
    (port,) = ports
    if port == 0:
        raise ValueError("port 0 is none to connect to: give the number that the system chose")
    return port, None if isinstance(target, str | Endpoint | Binding) else reach


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
