"""reachable_from(): everything that holds a socket, and what is none."""

import asyncio
import contextlib
import http.server
import socket
from collections.abc import Iterator

import pytest

from bindlab import (
    BEYOND,
    THIS_HOST,
    Answer,
    Binding,
    Endpoint,
    Host,
    Reason,
    Scope,
    allocate,
    bind,
    listen,
    reachable_from,
    this_host,
)


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """A server on loopback."""
    with listen() as sock:
        yield sock


def test_a_socket(server: socket.socket, laptop: Host) -> None:
    """A live socket is asked, and answered for this machine or for another one."""
    port = server.getsockname()[1]
    assert reachable_from(server).urls() == (f"http://127.0.0.1:{port}",)
    assert reachable_from(server).scope is Scope.HOST
    assert "192.168.0.50" not in reachable_from(server, host=laptop)
    assert reachable_from(server).host == this_host()


def test_what_is_dialled_answers(server: socket.socket) -> None:
    """Each endpoint that this machine is told to dial really connects."""
    for endpoint in reachable_from(server).verdict(THIS_HOST).endpoints:
        with socket.create_connection((str(endpoint.ip), endpoint.port), timeout=5):
            pass


def test_servers() -> None:
    """An HTTP server and an asyncio server are asked for their sockets."""
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as web:
        assert reachable_from(web).scope is Scope.HOST

    async def ask() -> tuple[Scope, int]:
        several = await asyncio.start_server(lambda *_: None, ["127.0.0.1", "0.0.0.0"], 0)
        async with several:
            return reachable_from(several).scope, len(reachable_from(several).bindings)

    assert asyncio.run(ask()) == (Scope.GLOBAL, 2)


def test_several(server: socket.socket, laptop: Host) -> None:
    """Several targets are one answer: what any of them lets in."""
    reach = reachable_from([server, "192.168.0.102:8080", Endpoint("::1", 1)], host=laptop)
    assert len(reach.bindings) == 3
    assert [str(e) for e in reach.verdict("192.168.0.50").endpoints] == ["192.168.0.102:8080"]
    with allocate("127.0.0.1", "::1") as held:
        assert reachable_from(held).verdict(THIS_HOST).reason is Reason.NOT_LISTENING


def test_bound_is_not_listening() -> None:
    """A bound TCP socket refuses everybody; a bound UDP socket is open."""
    with bind() as tcp, bind(transport="udp") as udp:
        assert reachable_from(tcp).verdict(THIS_HOST).reason is Reason.NOT_LISTENING
        assert reachable_from(udp).verdict(THIS_HOST).answer is Answer.YES


def test_text_says_what_it_assumes(laptop: Host) -> None:
    """Of text no socket is asked, and the answer says what was assumed instead."""
    reach = reachable_from("[::]:3000", host=laptop)
    assert reach.bindings == (Binding(Endpoint("::", 3000), v6only=False, listening=True),)
    assert reach.assumptions == (
        "a socket listens there (no socket was asked)",
        "IPV6_V6ONLY is as this system sets it by default",
    )
    assert reach.verdict(BEYOND).assumptions[0] == reach.assumptions[0]
    windows = laptop.replace(system="windows")
    assert reachable_from("[::]:3000", host=windows).bindings[0].v6only is None
    assert "192.168.0.50" in reachable_from("[::]:3000", host=windows)


@pytest.mark.parametrize(
    ("target", "error", "says"),
    [
        pytest.param(3000, TypeError, "give a socket", id="port"),
        pytest.param(None, TypeError, "give a socket", id="none"),
        pytest.param("localhost:3000", ValueError, "127.0.0.1", id="name"),
        pytest.param("3000", ValueError, "no port", id="number"),
        pytest.param([], ValueError, "one at least", id="nothing"),
        pytest.param(object(), TypeError, "give a socket", id="object"),
    ],
)
def test_bad_targets(target: object, error: type[Exception], says: str) -> None:
    """What holds no socket is an error that says what does."""
    with pytest.raises(error, match=says):
        reachable_from(target)


def test_bad_sockets() -> None:
    """A closed socket and an unbound one are refused with advice."""
    closed = listen()
    closed.close()
    with pytest.raises(ValueError, match="closed"):
        reachable_from(closed)
    with contextlib.closing(socket.socket()) as unbound, pytest.raises(ValueError, match="bind it"):
        reachable_from(unbound)


@pytest.mark.parametrize(
    "details",
    [
        {"v6only": "no"},
        {"listening": 2},
        {"device": 5},
        {"peer": "1.2.3.4:5"},
        {"groups": ["224.0.0.1"]},
        {"groups": [("10.0.0.1", "eth0")]},
    ],
    ids=str,
)
def test_bad_bindings(details: dict[str, object]) -> None:
    """A binding made by hand is checked like anything else."""
    with pytest.raises((TypeError, ValueError), match=r"is|are|pairs"):
        Binding(Endpoint("::", 80)).replace(**details)


def test_numbers_are_flags() -> None:
    """``getsockopt()`` says 1 and 0, and so may who writes a binding by hand."""
    made = Binding(Endpoint("::", 80), v6only=1, listening=0)  # type: ignore[arg-type]
    assert made == Binding(Endpoint("::", 80), v6only=True, listening=False)


@pytest.mark.parametrize("host", ["laptop", 3, ()])
def test_bad_hosts(host: object) -> None:
    """A host is a Host, and nothing that merely sounds like one."""
    with pytest.raises(TypeError, match="host is a Host"):
        reachable_from("127.0.0.1:80", host=host)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("origin", "error", "says"),
    [
        pytest.param("", ValueError, "write an address", id="empty"),
        pytest.param("phone", ValueError, "write an address", id="name"),
        pytest.param("eth0", ValueError, "write an address", id="interface-name"),
        pytest.param("192.168.0.50:80", ValueError, "write an address", id="endpoint"),
        pytest.param("192.168.0.50/24", ValueError, "host bits", id="host-bits"),
        pytest.param("0.0.0.0", ValueError, "nothing sends", id="unspecified"),
        pytest.param("::", ValueError, "nothing sends", id="unspecified-v6"),
        pytest.param("::ffff:0.0.0.0", ValueError, "nothing sends", id="mapped-unspecified"),
        pytest.param("224.0.0.1", ValueError, "nothing sends", id="multicast"),
        pytest.param("224.0.0.0/4", ValueError, "nothing sends", id="multicast-network"),
        pytest.param("255.255.255.255", ValueError, "nothing sends", id="broadcast"),
        pytest.param("192.168.0.255", ValueError, "broadcast", id="subnet-broadcast"),
        pytest.param("fe80::1%nope", ValueError, "no interface 'nope'", id="zone"),
        pytest.param(None, TypeError, "write an address", id="none"),
        pytest.param(3232235570, TypeError, "write an address", id="int"),
        pytest.param(b"\xc0\xa8\0\x32", TypeError, "write an address", id="bytes"),
    ],
)
def test_bad_origins(laptop: Host, origin: object, error: type[Exception], says: str) -> None:
    """An origin that nothing sends from, or that is none, is an error that says what to write."""
    with pytest.raises(error, match=says):
        reachable_from("0.0.0.0:80", host=laptop).verdict(origin)  # type: ignore[arg-type]
