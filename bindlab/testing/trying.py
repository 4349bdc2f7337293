"""Assertions that try a port on every address of this machine, from this machine itself."""

from collections.abc import Callable, Collection, Sequence

from bindlab.binding import Binding
from bindlab.endpoint import Endpoint, IPAddress, address_text, parse_address, parse_port, unmap
from bindlab.reach import Reach
from bindlab.reachable import reachable_from
from bindlab.scanning import Attempt, LocalAddress, Observation, local_addresses, observe
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

    *timeout* is in seconds. Silence within it fails, on any address: a full backlog or a
    firewall, but no proof that nobody listens. So does a server that stops while it is tried,
    such as one that accepts once: what is refused after that proves nothing.
    """
    __tracebackhide__ = True
    port, reach = _port_of(target)
    wanted = _parsed(where, port)
    addresses = list(local_addresses(this_host()))
    for ip in wanted:
        if any(address.is_at(ip) for address in addresses):
            continue
        if kind_of_address(ip) is not Kind.LOOPBACK:
            have = ", ".join(address_text(address.ip) for address in addresses)
            raise ValueError(f"{address_text(ip)} is no address of this machine, which has {have}")
        addresses.append(LocalAddress(ip))

    seen = observe(addresses, port, timeout)
    words = " and ".join(dict.fromkeys(map(address_text, wanted)))
    _check(port, words, seen, lambda address: any(map(address.is_at, wanted)), reach)


def assert_answers_on_loopback_only(port: int) -> None:
    """Assert that *port* answers on a loopback address, and on nothing else."""
    __tracebackhide__ = True
    number, _ = _port_of(port)
    seen = observe(tuple(local_addresses(this_host())), number, 1.0)
    answers = [each.address for each in seen.attempts if each.probe.accepted]
    if not answers:
        table = _listed(seen.attempts)
        raise AssertionError(f"nothing answers on port {number} of this machine\n\n{table}")
    expected = {a.ip for a in answers if a.is_loopback and not a.is_unused}
    _check(number, "loopback", seen, lambda address: address.ip in expected, None)


def _check(
    port: int,
    words: str,
    seen: Observation,
    expected: Callable[[LocalAddress], bool],
    reach: Reach | None,
) -> None:
    """Raise ``AssertionError`` unless only what is *expected* accepted, from first to last."""
    __tracebackhide__ = True
    attempts = seen.attempts
    too_much = [a for a in attempts if a.probe.accepted and not expected(a.address)]
    missing = [a for a in attempts if not a.probe.accepted and expected(a.address)]
    silent = [a for a in attempts if a.is_silent and not expected(a.address)]
    faults = [
        f"{verb} {', '.join(str(each.address) for each in found)}"
        for verb, found in (
            ("it answers on", too_much),
            ("it does not answer on", missing),
            ("it keeps silent, which is no refusal, on", silent),
        )
        if found
    ]
    if faults:
        sentence = f"port {port} does not answer on {words} only: {'; '.join(faults)}"
    elif seen.what_changed:
        changes = "; ".join(seen.what_changed)
        sentence = f"port {port} changed while it was tried, which proves nothing: {changes}"
    else:
        return
    if reach is None and (answering := _answering(attempts)):
        reach = reachable_from(answering)
    table = _listed(attempts, {each.address.ip for each in (*too_much, *missing, *silent)})
    raise AssertionError("\n\n".join([sentence, table, *([] if reach is None else [str(reach)])]))


def _answering(attempts: Sequence[Attempt]) -> list[Endpoint]:
    """Return the endpoints that a socket must be bound to, where these accepted."""
    accepted = [each for each in attempts if each.probe.accepted]
    endpoints = [each.probe.endpoint for each in accepted]
    if not any(each.address.is_unused for each in accepted):
        return endpoints
    wildcard = Endpoint("0.0.0.0", endpoints[0].port)
    return [wildcard, *(endpoint for endpoint in endpoints if endpoint.ip.version == 6)]


def _listed(attempts: Sequence[Attempt], wrong: Collection[IPAddress] = ()) -> str:
    """Return one line for each address that was tried, with a mark where it should not be so."""
    width = max(len(each.address.name) for each in attempts)
    return "\n".join(
        f"{'>' if each.address.ip in wrong else ' '} {each.address.name:{width}}  {each.probe}"
        for each in attempts
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
