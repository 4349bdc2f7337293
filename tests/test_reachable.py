"""reachable_from(): everything that holds a socket, and what is none."""

import asyncio
import contextlib
import http.server
import socket
from collections.abc import Iterator

import pytest
from attempts import loopback_alone

from bindlab import (
    BEYOND,
    INTERNET,
    THIS_HOST,
    Answer,
    Binding,
    Endpoint,
    Host,
    Interface,
    Reason,
    Scope,
    Vantage,
    allocate,
    answering,
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


def others_are_there() -> bool:
    """Return whether this machine has a way to the internet, as far as it is known."""
    routes = this_host().routes
    return not loopback_alone() and (routes is None or any(not r.network.prefixlen for r in routes))


def test_servers() -> None:
    """An HTTP server and an asyncio server are asked for their sockets."""
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as web:
        assert reachable_from(web).scope is Scope.HOST

    async def ask() -> tuple[Scope, int]:
        several = await asyncio.start_server(lambda *_: None, ["127.0.0.1", "0.0.0.0"], 0)
        async with several:
            return reachable_from(several).scope, len(reachable_from(several).bindings)

    scope, number = asyncio.run(ask())
    assert number == 2
    # Where this machine has loopback alone, nobody else gets in.
    assert (scope is Scope.GLOBAL) is bool(others_are_there())


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
        "a server listens there",
        "IPV6_V6ONLY is as this system sets it by default",
    )
    assert reach.verdict(BEYOND).assumptions[0] == reach.assumptions[0]
    windows = laptop.replace(system="windows")
    assert reachable_from("[::]:3000", host=windows).bindings[0].v6only is None
    assert "192.168.0.50" in reachable_from("[::]:3000", host=windows)


@pytest.mark.parametrize(
    ("target", "error", "says"),
    [
        pytest.param(0, ValueError, "port 0 is not the port of a server", id="port-0"),
        pytest.param("0", ValueError, "port 0 is not the port of a server", id="port-0-as-text"),
        pytest.param(65536, ValueError, "out of range", id="no-port"),
        pytest.param("65536", ValueError, "out of range", id="no-port-as-text"),
        pytest.param("03000", ValueError, "plain decimal", id="octal"),
        pytest.param("3000/sctp", ValueError, "no port", id="transport"),
        pytest.param(True, TypeError, "give a socket", id="bool"),
        pytest.param(b"3000", TypeError, "give a socket", id="bytes"),
        pytest.param({3000: "web"}, TypeError, "give a socket", id="dict"),
        pytest.param(None, TypeError, "give a socket", id="none"),
        pytest.param("localhost:3000", ValueError, "127.0.0.1", id="name"),
        pytest.param("127.0.0.1", ValueError, "no port", id="address"),
        pytest.param("http://localhost:3000/x", ValueError, "127.0.0.1:3000 or", id="name-in-url"),
        pytest.param("ftp://127.0.0.1/", ValueError, "has no port", id="scheme"),
        pytest.param([], ValueError, "one at least", id="nothing"),
        pytest.param(object(), TypeError, "give a socket", id="object"),
    ],
)
def test_bad_targets(target: object, error: type[Exception], says: str) -> None:
    """What holds no socket is an error that says what does."""
    with pytest.raises(error, match=says):
        reachable_from(target)  # type: ignore[arg-type]


def test_a_port_of_this_machine(server: socket.socket) -> None:
    """A port number is tried, and judged by what serves it; text of digits is a port too."""
    port = server.getsockname()[1]
    for target in (port, str(port), f"{port}/tcp", [port], (str(port), server)):
        reach = reachable_from(target)
        assert set(reach.bindings) == {reachable_from(server).bindings[0]}
        assert reach.scope is Scope.HOST
        assert "a socket listens there" not in str(reach)
    with listen(0, "0.0.0.0") as wide:
        assert ("8.8.8.8" in reachable_from(wide.getsockname()[1])) is others_are_there()


def test_a_udp_port_of_this_machine() -> None:
    """``/udp`` behind a number is UDP's port."""
    with bind(transport="udp") as server:
        (binding,) = reachable_from(f"{server.getsockname()[1]}/udp").bindings
        assert (binding.endpoint.transport, str(binding.endpoint.ip)) == ("udp", "127.0.0.1")


def test_a_port_that_nobody_serves() -> None:
    """Where nothing listens there is nobody to reach, and the message says what to write."""
    with allocate() as held:
        port = held.port
        if answering(port).not_listening:  # Linux 6.8 lists what is bound without listening
            assert reachable_from(port).verdict(THIS_HOST).reason is Reason.NOT_LISTENING
    with pytest.raises(ValueError, match=rf"nothing listens on port {port} .* 0\.0\.0\.0:{port}"):
        reachable_from(port)


def test_a_port_needs_this_machine(laptop: Host) -> None:
    """A port is tried here, so that another machine's host is refused."""
    with pytest.raises(ValueError, match="give an endpoint"):
        reachable_from(3000, host=laptop)
    with pytest.raises(ValueError, match="without interfaces"):
        reachable_from(3000, host=Host.of())


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("http://127.0.0.1:3000/x", "127.0.0.1:3000"),
        ("http://192.168.0.102", "192.168.0.102:80"),
        ("https://192.168.0.102/?q=http://x:1/", "192.168.0.102:443"),
        ("HTTPS://[::1]#top", "[::1]:443"),
        ("ws://[::1]:3000", "[::1]:3000"),
        ("wss://10.0.0.12:/chat", "10.0.0.12:443"),
        ("http://me:secret@10.0.0.12:8080/@1.2.3.4:5", "10.0.0.12:8080"),
        ("http://[fe80::2%25wifi]:3000/", "[fe80::2%wifi]:3000"),
        ("http://[fe80::2%wifi]:3000/", "[fe80::2%wifi]:3000"),
        ("tcp://0.0.0.0:3000", "0.0.0.0:3000"),
        ("udp://0.0.0.0:53", "0.0.0.0:53/udp"),
        ("http://127.0.0.1:3000/udp", "127.0.0.1:3000"),
    ],
)
def test_a_url_is_an_endpoint(url: str, endpoint: str, laptop: Host) -> None:
    """What is pasted from a browser is read: its host, its port, or the scheme's own port."""
    assert Endpoint.parse(url) == Endpoint.parse(endpoint)
    assert reachable_from(url, host=laptop).bindings[0].endpoint == Endpoint.parse(endpoint)


@pytest.mark.parametrize("url", ["http://", "http:///x", "http://:80", "http://::1/", "://1.2.3.4"])
def test_what_is_no_url_of_an_endpoint(url: str) -> None:
    """A URL without an address or a port is refused."""
    with pytest.raises(ValueError, match=r"no address|no IP address|no port|brackets"):
        Endpoint.parse(url)


def test_what_was_found_is_a_target(server: socket.socket) -> None:
    """An Answering and a Reach say themselves what is bound."""
    found = answering(server.getsockname()[1])
    assert reachable_from(found).bindings == found.bindings
    assert reachable_from(reachable_from("[::]:80")).assumptions[0].startswith("a server listens")


ORIGINS = {
    "here": THIS_HOST,
    "this host": THIS_HOST,
    "THIS_HOST": THIS_HOST,
    "this-machine": THIS_HOST,
    "beyond": BEYOND,
    "Internet": INTERNET,
    "the internet": INTERNET,
}


@pytest.mark.parametrize(("text", "origin"), ORIGINS.items(), ids=ORIGINS)
def test_a_vantage_in_words(text: str, origin: Vantage, laptop: Host) -> None:
    """The places that have no address are written as words."""
    reach = reachable_from("0.0.0.0:80", host=laptop)
    assert reach.verdict(text) == reach.verdict(origin)
    assert text in reach


def test_an_interface_by_its_name(laptop: Host) -> None:
    """The name of an interface is anyone on its link, by its own name or the one shown."""
    reach = reachable_from("0.0.0.0:80", host=laptop)
    assert reach.verdict("wifi") == reach.verdict(laptop.interface("wifi"))
    shown = laptop.interface("wifi").replace(display_name="Wi-Fi 2")
    there = Host([shown])
    assert reachable_from("0.0.0.0:80", host=there).verdict("Wi-Fi 2").origin == shown


def test_a_name_that_is_also_something_else() -> None:
    """An address goes before a word, and a word before a name; the interface itself is clear."""
    names = ("10.0.0.7", "beyond", "here")
    odd = Host([Interface(name, addresses=["10.0.0.1/24"]) for name in names])
    reach = reachable_from("0.0.0.0:80", host=odd)
    assert str(reach.verdict("10.0.0.7").origin) == "10.0.0.7"
    assert [reach.verdict(name).origin for name in names[1:]] == [BEYOND, THIS_HOST]
    assert reach.verdict(odd.interface("beyond")).origin == odd.interface("beyond")


def test_a_bad_origin_names_the_choices(laptop: Host) -> None:
    """The message names the words, and the interfaces of the host."""
    with pytest.raises(ValueError, match=r'"this host".*"beyond".*"internet".*here are lo, wifi'):
        reachable_from("0.0.0.0:80", host=laptop).verdict("wlan0")


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
