"""What type checkers know of targets and origins: read by mypy and pyright, never run."""

import asyncio
import http.server
import socket
from ipaddress import IPv4Address

from bindlab import (
    BEYOND,
    Binding,
    Endpoint,
    Interface,
    Reservation,
    Target,
    answering,
    explain,
    listen,
    reachable_from,
)
from bindlab.testing import (
    assert_answers_only_on,
    assert_loopback_only,
    assert_not_reachable,
    assert_reachable,
)


def targets(
    server: asyncio.Server,
    writer: asyncio.StreamWriter,
    transport: asyncio.DatagramTransport,
    web: http.server.HTTPServer,
    held: Reservation,
    binding: Binding,
    endpoint: Endpoint,
) -> None:
    sockets: list[socket.socket] = [listen()]
    reachable_from(sockets)
    reachable_from(sockets[0])
    reachable_from(server)
    reachable_from(writer)
    reachable_from(transport)
    reachable_from(web)
    reachable_from(held)
    reachable_from(binding)
    reachable_from(endpoint)
    reachable_from(answering(3000))
    reachable_from(reachable_from("0.0.0.0:3000"))
    reachable_from("http://127.0.0.1:3000/x")
    reachable_from(3000)
    reachable_from([3000, "0.0.0.0:80", endpoint, server])
    reachable_from({endpoint})
    explain(3000, "wifi")
    explain(server, "internet")
    assert_loopback_only("0.0.0.0:3000")
    assert_reachable(3000, BEYOND)
    assert_not_reachable(sockets, IPv4Address("192.168.0.50"))
    assert_answers_only_on(server, "127.0.0.1")


def passed_on(target: Target, origin: Interface) -> None:
    reachable_from(target).verdict(origin)


def mistakes() -> None:
    reachable_from(None)  # type: ignore[arg-type]
    reachable_from(object())  # type: ignore[arg-type]
    reachable_from(30.5)  # type: ignore[arg-type]
    reachable_from(b"127.0.0.1:80")  # type: ignore[arg-type]
    reachable_from(IPv4Address("127.0.0.1"))  # type: ignore[arg-type]
    reachable_from(socket.socket)  # type: ignore[arg-type]
    reachable_from([object()])  # type: ignore[list-item]
    reachable_from(("127.0.0.1", 30.5))  # type: ignore[arg-type]
    explain(None)  # type: ignore[arg-type]
    explain(3000, 5)  # type: ignore[arg-type]
    assert_loopback_only(None)  # type: ignore[arg-type]
    assert_answers_only_on(object(), "127.0.0.1")  # type: ignore[arg-type]
    reachable_from("0.0.0.0:80").verdict(None)  # type: ignore[arg-type]
