"""What type checkers know of targets and origins: read by mypy and pyright, never run."""

import asyncio
import http.server
import socket
import subprocess
from ipaddress import IPv4Address
from typing import assert_type

from bindlab import (
    BEYOND,
    Banner,
    Binding,
    Endpoint,
    Interface,
    Probe,
    Reservation,
    Target,
    answering,
    banner,
    explain,
    listen,
    probe,
    probe_async,
    reachable_from,
    wait_until_listening,
    wait_until_listening_async,
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


async def dialled(
    server: asyncio.Server,
    popen: "subprocess.Popen[bytes]",
    process: asyncio.subprocess.Process,
) -> None:
    assert_type(probe(3000), Probe)
    assert_type(await probe_async(server), Probe)
    assert_type(wait_until_listening("http://127.0.0.1:3000/", process=popen), Probe)
    assert_type(await wait_until_listening_async(listen(), process=process), Probe)
    assert_type(banner(server, scheme="https", path="/docs"), Banner)

    probe(None)  # type: ignore[arg-type]
    await probe_async(b"127.0.0.1:80")  # type: ignore[arg-type]
    wait_until_listening(3000, process="node")  # type: ignore[arg-type]
    banner(None)  # type: ignore[arg-type]


def passed_on(target: Target, origin: Interface) -> None:
    reachable_from(target).verdict(origin)


def mistakes() -> None:
    listen(host="127.0.0.1")  # type: ignore[call-arg]
    listen("127.0.0.1", 3000)  # type: ignore[arg-type]
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
