"""What type checkers see of the values: read by mypy and pyright, never run."""

import socket
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from typing import assert_type

from bindlab import (
    THIS_HOST,
    Answer,
    Binding,
    Candidate,
    Endpoint,
    Host,
    Interface,
    Reach,
    Reason,
    Route,
    Scope,
    Transport,
    Verdict,
    allocate,
    bind,
    binding_of,
    interfaces,
    listen,
    reachable_from,
    this_host,
)


def values(endpoint: Endpoint, host: Host) -> None:
    assert_type(endpoint.ip, IPv4Address | IPv6Address)
    assert_type(endpoint.transport, Transport)
    assert_type(Endpoint.parse("127.0.0.1:80"), Endpoint)
    assert_type(endpoint.replace(port=81), Endpoint)
    assert_type(host.interfaces, tuple[Interface, ...])
    assert_type(host.route_localnet, bool | None)
    assert_type(host.routes, tuple[Route, ...] | None)
    assert_type(Route("0.0.0.0/0", "wifi", "10.0.0.1").network, IPv4Network | IPv6Network)
    assert_type(host.replace(routes=()), Host)
    assert_type(Host.of(lo="127.0.0.1/8", wifi=["10.0.0.1/8"], system="windows"), Host)
    assert_type(Binding(endpoint, v6only=True).peer, Endpoint | None)
    eth0 = Interface("eth0", addresses=["10.0.0.1/8"])
    assert_type(eth0.addresses, tuple[IPv4Interface | IPv6Interface, ...])
    assert_type(eth0.display_name, str)
    assert_type(Candidate("10.0.0.1", 80, reason="the only one").ip, IPv4Address | IPv6Address)


def answers(reach: Reach) -> None:
    assert_type(reach.verdict("192.168.0.50"), Verdict)
    assert_type(reach.verdict(THIS_HOST).answer, Answer)
    assert_type(reach.verdict(IPv4Address("10.0.0.1")).reason, Reason | None)
    assert_type("192.168.0.50" in reach, bool)
    assert_type(reach.scope <= Scope.HOST, bool)
    assert_type(reach.rows, tuple[Verdict, ...])
    assert_type(reach.endpoints, tuple[Candidate, ...])
    assert_type(reach.urls(), tuple[str, ...])


def edges() -> None:
    assert_type(interfaces(), tuple[Interface, ...])
    assert_type(this_host(), Host)
    assert_type(bind(0, "127.0.0.1", transport="udp"), socket.socket)
    assert_type(listen(0, IPv6Address("::1"), backlog=5), socket.socket)
    assert_type(binding_of(listen()), Binding)
    assert_type(reachable_from(listen(), host=None), Reach)
    with allocate("127.0.0.1", "::1", transports=("tcp", "udp")) as held:
        assert_type(held.port, int)


def mistakes(endpoint: Endpoint) -> None:
    endpoint.port = 81  # type: ignore[misc]
    Endpoint("127.0.0.1", "80")  # type: ignore[arg-type]
    Endpoint(2130706433, 80)  # type: ignore[arg-type]
    Endpoint("127.0.0.1", host="eth0")  # type: ignore[call-arg]
    bind(0, transport="sctp")  # type: ignore[arg-type]
    listen(0, None)  # type: ignore[arg-type]
    Host.of(system="beos")  # type: ignore[arg-type]
    Route("0.0.0.0/0", refusal="nowhere")  # type: ignore[arg-type]
