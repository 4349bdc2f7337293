"""What a caller asks to have dialled, checked before any system call."""

import sys

from bindlab.binding import Binding
from bindlab.endpoint import Endpoint, IPAddress, lacks_zone, parse_address, unmap
from bindlab.inspect_socket import binding_of
from bindlab.sockaddr import family_of
from bindlab.target import OneTarget, Port, has_bindings, parse_target, sockets_of

_LOOPBACKS = ("127.0.0.1", "::1")  # what a browser tries for localhost (RFC 6761 section 6.3)


def parse_dialled(target: OneTarget) -> tuple[Endpoint, ...]:
    """Return the endpoints at which a program here finds *target*, the likeliest first.

    A port of this machine is tried on both loopback addresses; a socket is asked what it is
    bound to, and a wildcard means the loopback address of its family. The text of a wildcard
    is a ``ValueError``, because nobody can dial one.
    """
    match parse_target(target):
        case Port(number, transport):
            return tuple(Endpoint(ip, number, transport) for ip in _LOOPBACKS)
        case Endpoint() as endpoint:
            return (_checked(endpoint),)
        case Binding() as binding:
            return (_to_dial(binding),)
        case finding if has_bindings(finding):
            found = finding.bindings
        case holder:
            found = tuple(map(binding_of, sockets_of(holder)))
    if not found:
        raise ValueError("nothing is bound there that could be dialled")
    return tuple(dict.fromkeys(map(_to_dial, found)))


def parse_timeout(timeout: object) -> float:
    """Return *timeout* in seconds, if it is a finite number above 0 and no bool."""
    if isinstance(timeout, bool) or not isinstance(timeout, int | float):
        raise TypeError(f"a timeout is a number of seconds, not {type(timeout).__name__}")
    if not 0 < timeout <= sys.float_info.max:
        raise ValueError(f"timeout {timeout} is not a finite number of seconds above 0")
    return float(timeout)


def parse_source(source: IPAddress | str | None, target: Endpoint) -> Endpoint | None:
    """Return *source* as an endpoint with a port that the system chooses."""
    if source is None:
        return None
    ip = parse_address(source)
    if unmap(ip).is_unspecified:
        raise ValueError(f"source {ip} is a wildcard: write None to let the system choose")
    if unmap(ip).is_multicast:
        raise ValueError(f"source {ip} is a multicast group: nothing is sent from one")
    if lacks_zone(ip):
        raise ValueError(f"source {ip}: a link-local address needs its zone, as in {ip}%eth0")
    if (family_of(ip), unmap(ip).version) != (family_of(target.ip), unmap(target.ip).version):
        raise ValueError(f"source {ip} and target {target} are of different families")
    return Endpoint(ip, 0, target.transport)


def _to_dial(binding: Binding) -> Endpoint:
    endpoint = binding.endpoint
    return _checked(_loopback(endpoint) if endpoint.is_unspecified else endpoint)


def _checked(endpoint: Endpoint) -> Endpoint:
    if endpoint.is_unspecified:
        raise ValueError(
            f"{endpoint} is a wildcard, which is for listening and cannot be dialled: "
            f"write one of its addresses, such as {_loopback(endpoint)}"
        )
    if endpoint.port == 0:
        raise ValueError(f"{endpoint}: nothing has port 0: write the port that the server has")
    if unmap(endpoint.ip).is_multicast:
        raise ValueError(f"{endpoint} is a multicast group, and nobody answers from it")
    if lacks_zone(endpoint.ip):
        raise ValueError(
            f"{endpoint}: a link-local address needs its zone: "
            f"write {Endpoint(f'{endpoint.ip}%eth0', endpoint.port, endpoint.transport)}"
        )
    return endpoint


def _loopback(endpoint: Endpoint) -> Endpoint:
    return endpoint.replace(ip="127.0.0.1" if unmap(endpoint.ip).version == 4 else "::1")
