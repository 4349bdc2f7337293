"""binding_of() against live sockets of every kind, and what is no such socket."""

import asyncio
import contextlib
import errno
import os
import socket
import socketserver
import ssl
import sys
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

import pytest
from attempts import COOKIES
from namespace import Namespace, needs_namespaces, ns

from bindlab import descriptor, inspect_socket
from bindlab.binding import Binding
from bindlab.endpoint import Endpoint
from bindlab.inspect_socket import binding_here, binding_of
from bindlab.target import sockets_of

__all__ = ["ns"]

linux = pytest.mark.skipif(sys.platform != "linux", reason="an option that Linux has")
INET, INET6 = socket.AF_INET, socket.AF_INET6
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM


@contextlib.contextmanager
def bound(
    family: int, kind: int, address: tuple[object, ...], *, v6only: int | None = None
) -> Iterator[socket.socket]:
    with socket.socket(family, kind) as sock:
        if v6only is not None:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
        sock.bind(address)
        yield sock


# What it is bound to


@pytest.mark.parametrize(
    ("family", "kind", "address", "v6only", "expected"),
    [
        pytest.param(INET, TCP, "127.0.0.1", None, ("127.0.0.1", "tcp", None), id="loopback"),
        pytest.param(INET, UDP, "127.0.0.1", None, ("127.0.0.1", "udp", None), id="udp"),
        pytest.param(INET, TCP, "0.0.0.0", None, ("0.0.0.0", "tcp", None), id="wildcard"),
        pytest.param(INET6, TCP, "::1", 1, ("::1", "tcp", True), id="ipv6 loopback"),
        pytest.param(INET6, TCP, "::", 0, ("::", "tcp", False), id="dual stack"),
        pytest.param(INET6, UDP, "::", 1, ("::", "udp", True), id="ipv6 only"),
        pytest.param(
            INET6, TCP, "::ffff:127.0.0.1", 0, ("::ffff:127.0.0.1", "tcp", False), id="mapped"
        ),
    ],
)
def test_endpoint_and_v6only(
    family: int,
    kind: int,
    address: str,
    v6only: int | None,
    expected: tuple[str, str, bool | None],
) -> None:
    """The address, the port, the transport and IPV6_V6ONLY are what the system says."""
    with bound(family, kind, (address, 0), v6only=v6only) as sock:
        binding = binding_of(sock)
        ip, transport, only = expected
        assert binding.endpoint.ip == type(binding.endpoint.ip)(ip)
        assert binding.endpoint.port == sock.getsockname()[1]
        assert (binding.endpoint.transport, binding.v6only) == (transport, only)
        assert (binding.device, binding.peer, binding.groups) == (None, None, None)
        assert binding.listening is (False if kind == TCP else None)


def test_listening_is_asked() -> None:
    """A TCP socket listens after listen(), and says so; it means nothing for UDP."""
    with bound(INET, TCP, ("127.0.0.1", 0)) as sock:
        assert binding_of(sock).listening is False
        sock.listen()
        assert binding_of(sock).listening is True


@pytest.mark.parametrize(("family", "ip"), [(INET, "127.0.0.1"), (INET6, "::1")])
def test_the_peer_of_a_connected_socket(family: int, ip: str) -> None:
    """A connected socket names its peer, by UDP and by TCP, at both ends."""
    with bound(family, UDP, (ip, 0)) as server, bound(family, UDP, (ip, 0)) as client:
        client.connect(server.getsockname())
        assert binding_of(client).peer == Endpoint(ip, server.getsockname()[1], "udp")
        assert binding_of(server).peer is None
    with socket.create_server((ip, 0), family=family) as server:
        with socket.create_connection(server.getsockname()[:2]) as client:
            accepted, _ = server.accept()
            with accepted:
                assert binding_of(client).peer == binding_of(accepted).endpoint
                assert binding_of(accepted).peer == binding_of(client).endpoint
                assert binding_of(accepted).listening is False
        assert binding_of(server).peer is None


# Whoever made it, and whatever Python believes of it


def test_a_lying_family_is_not_believed() -> None:
    """fromfd() believes what it is told; binding_of() asks the descriptor."""
    with socket.create_server(("::1", 0), family=INET6) as true:
        truth = binding_of(true)
        for family in (getattr(socket, "AF_UNIX", INET), INET):
            with socket.fromfd(true.fileno(), family, socket.SOCK_DGRAM, 99) as liar:
                assert binding_of(liar) == truth


def test_a_duplicate_has_the_same_binding() -> None:
    """dup() names the same socket, and so does a socket made from its descriptor."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        truth = binding_of(sock)
        with sock.dup() as duplicate:
            assert binding_of(duplicate) == truth
        with socket.socket(fileno=sock.dup().detach()) as detected:
            assert binding_of(detected) == truth


def test_a_protocol_of_zero_is_looked_up() -> None:
    """create_server() leaves proto at 0, which the system knows better."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        assert sock.proto == 0
        assert binding_of(sock).endpoint.transport == "tcp"


def test_anything_with_a_descriptor_will_do() -> None:
    """An object with nothing but fileno() is enough."""

    class Wrapped:
        def __init__(self, sock: socket.socket) -> None:
            self.fileno = sock.fileno

    with socket.create_server(("127.0.0.1", 0)) as sock:
        assert binding_of(Wrapped(sock)) == binding_of(sock)


def test_a_socket_wrapped_by_ssl() -> None:
    """TLS changes nothing about who can reach the socket."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with socket.create_server(("127.0.0.1", 0)) as sock:
        truth = binding_of(sock)
        with context.wrap_socket(sock, server_side=True) as wrapped:
            assert binding_of(wrapped) == truth


@linux
def test_multipath_tcp_is_tcp() -> None:
    """IPPROTO_MPTCP (RFC 8684) listens to plain TCP, too."""
    try:
        sock = socket.socket(INET, TCP, 262)
    except OSError as error:
        pytest.skip(f"this kernel has no MPTCP: {error}")
    with sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        assert binding_of(sock).endpoint.transport == "tcp"
        assert binding_of(sock).listening is True


def is_blocking(sock: socket.socket) -> bool:
    """Return whether the descriptor blocks; Windows does not tell, and Python does what it says."""
    if sys.platform == "win32":
        return sock.gettimeout() is None
    return os.get_blocking(sock.fileno())


@pytest.mark.parametrize("timeout", [None, 0.0, 5.0])
@pytest.mark.parametrize("families", [descriptor._FAMILIES, ()])
def test_asking_changes_nothing(
    timeout: float | None, families: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The socket stays open and as blocking as it was, even with a default timeout set."""
    monkeypatch.setattr(descriptor, "_FAMILIES", families)
    with socket.create_server(("127.0.0.1", 0)) as sock:
        sock.settimeout(timeout)
        blocking = is_blocking(sock)
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(7)
        try:
            binding_of(sock)
        finally:
            socket.setdefaulttimeout(before)
        assert is_blocking(sock) is blocking
        assert sock.gettimeout() == timeout
        assert sock.fileno() >= 0
        assert binding_of(sock).listening is True


# Holders


def test_what_asyncio_holds() -> None:
    """An asyncio server, its transports and its streams tell their sockets."""

    async def converse() -> None:
        done = asyncio.Event()
        seen: list[Binding] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.extend(map(binding_of, sockets_of(writer)))
            seen.extend(map(binding_of, sockets_of(writer.transport)))
            writer.close()
            await writer.wait_closed()
            done.set()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            (sock,) = sockets_of(server)
            assert sock is server.sockets[0] or sock.fileno() == server.sockets[0].fileno()
            here = binding_of(sock)
            assert (here.endpoint.ip, here.listening) == (IPv4Address("127.0.0.1"), True)
            assert sockets_of(sock) == (sock,)
            reader, writer = await asyncio.open_connection("127.0.0.1", here.endpoint.port)
            await reader.read()
            await done.wait()
            client = binding_of(*sockets_of(writer))
            assert [binding.peer for binding in seen] == [client.endpoint] * 2
            writer.close()
            await writer.wait_closed()
        with pytest.raises(ValueError, match="closed, or was not started"):
            sockets_of(server)
        with pytest.raises(ValueError, match="closed"):
            binding_of(sock)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
        )
        assert binding_of(*sockets_of(transport)).endpoint.transport == "udp"
        transport.close()
        await asyncio.sleep(0)

    asyncio.run(converse())


def test_an_asyncio_server_on_several_addresses_has_several_sockets() -> None:
    """Each socket of a server is found, in its order."""

    async def serve() -> None:
        async with await asyncio.start_server(lambda r, w: None, ["127.0.0.1", "::1"], 0) as server:
            found = {binding_of(sock).endpoint.ip for sock in sockets_of(server)}
            assert found == {IPv4Address("127.0.0.1"), IPv6Address("::1")}

    asyncio.run(serve())


def test_what_socketserver_holds() -> None:
    """A socketserver's socket is found, for TCP and UDP, threading or not."""
    for kind, transport in (
        (socketserver.ThreadingTCPServer, "tcp"),
        (socketserver.UDPServer, "udp"),
    ):
        with kind(("127.0.0.1", 0), socketserver.BaseRequestHandler) as server:
            (sock,) = sockets_of(server)
            assert sock is server.socket
            assert binding_of(sock).endpoint.transport == transport


@pytest.mark.parametrize("thing", [None, 5, "0.0.0.0:3000", object(), [1], socket.socket])
def test_what_holds_no_socket_is_a_type_error(thing: object) -> None:
    """Text, numbers and classes hold no socket; the message lists what does."""
    with pytest.raises(TypeError, match=r"asyncio\.Server"):
        sockets_of(thing)


def test_a_transport_without_a_socket_is_a_value_error() -> None:
    """A pipe's transport tells no socket."""

    class Pipe:
        def get_extra_info(self, name: str) -> None:
            return None

    with pytest.raises(ValueError, match="Pipe holds no socket"):
        sockets_of(Pipe())


# What is refused, and what to do instead


@pytest.mark.parametrize(("kind", "what"), [(TCP, "TCP"), (UDP, "UDP")])
def test_an_unbound_socket(kind: int, what: str) -> None:
    """Port 0 means not bound yet: bind it first."""
    message = rf"the ({what} )?socket has no port yet.* bind it first"
    with socket.socket(INET, kind) as sock, pytest.raises(ValueError, match=message):
        binding_of(sock)


def test_a_closed_socket() -> None:
    """A closed socket, or one whose descriptor somebody closed, is closed."""
    sock = socket.create_server(("127.0.0.1", 0))
    sock.close()
    with pytest.raises(ValueError, match="closed"):
        binding_of(sock)

    class Stale:
        def fileno(self) -> int:
            return 1_000_000

    with pytest.raises(ValueError, match="closed") as caught:
        binding_of(Stale())
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno in (errno.EBADF, errno.ENOTSOCK)


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets here")
def test_a_unix_socket() -> None:
    """A Unix socket has no IP address."""
    one, other = socket.socketpair()
    with one, other, pytest.raises(ValueError, match=r"AF_UNIX, which has no IP address.*AF_INET6"):
        binding_of(one)


@linux
@pytest.mark.parametrize(
    ("family", "kind", "protocol", "address"),
    [
        pytest.param(INET, socket.SOCK_RAW, socket.IPPROTO_ICMP, ("127.0.0.1", 0), id="raw"),
        pytest.param(INET, UDP, 136, ("127.0.0.1", 0), id="udp-lite"),
        pytest.param(INET, TCP, 132, ("127.0.0.1", 0), id="sctp"),
        pytest.param(INET, socket.SOCK_SEQPACKET, 132, ("127.0.0.1", 0), id="sctp packets"),
    ],
)
def test_other_protocols(family: int, kind: int, protocol: int, address: tuple[str, int]) -> None:
    """What is neither TCP nor UDP is refused by its true protocol."""
    try:
        sock = socket.socket(family, kind, protocol)
    except OSError as error:
        pytest.skip(f"this system has no such socket: {error}")
    with sock:
        sock.bind(address)
        with pytest.raises(ValueError, match=f"protocol {protocol}, neither TCP nor UDP"):
            binding_of(sock)


@needs_namespaces
def test_a_ping_socket(ns: Namespace) -> None:
    """A datagram socket for ICMP (icmp(7)) has a "port", its identifier, and is no UDP socket."""
    ns.sysctl("ipv4/ping_group_range", "0 65535")

    def look() -> None:
        with socket.socket(INET, UDP, socket.IPPROTO_ICMP) as sock:
            sock.bind(("127.0.0.1", 7))
            with pytest.raises(ValueError, match="protocol 1, neither TCP nor UDP"):
                binding_of(sock)

    ns.run(look)


def test_what_is_no_socket() -> None:
    """A file has a descriptor, but no address; a number has neither.

    Windows says the same of a file and of a socket that is closed.
    """
    expected = ValueError if sys.platform == "win32" else TypeError
    with open(os.devnull) as file, pytest.raises(expected, match=r"it is (none|no socket)"):
        binding_of(file)
    for thing in (5, "127.0.0.1:80", None, socket.socket):
        with pytest.raises(TypeError, match="is no socket: give one"):
            binding_of(thing)  # type: ignore[arg-type]


# Devices, zones and namespaces


@needs_namespaces
def test_the_device_is_asked(ns: Namespace) -> None:
    """SO_BINDTODEVICE is told by name, and by its index when the interface is gone."""
    ns.pair("eth0", "wire0")

    def look() -> tuple[Binding, Binding]:
        with socket.socket(INET, UDP) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
            sock.bind(("0.0.0.0", 0))
            index = socket.if_nametoindex("eth0")
            before = binding_of(sock)
            ns.ip("link del eth0")
            after = binding_of(sock)
            assert after.device == str(index)
            return before, after

    before, after = ns.run(look)
    assert before.device == "eth0"
    assert before.endpoint == after.endpoint


ZONES = [
    pytest.param("eth0", "eth0", id="name"),
    pytest.param("größe.5", "größe.5", id="letters"),
    pytest.param("42", None, id="digits"),
]


@needs_namespaces
@pytest.mark.parametrize(("name", "zone"), ZONES)
def test_a_zone_is_the_name_of_its_interface(ns: Namespace, name: str, zone: str | None) -> None:
    """A link-local address has its interface's name as zone, and that interface as device."""
    ns.pair("near", "far", up=False)
    ns.ip(f"link set near name {name}")
    ns.ip(f"addr add fe80::1/64 dev {name} nodad")
    ns.ip(f"addr add fe80::2/64 dev {name} nodad")
    ns.ip(f"link set dev {name} up")
    ns.ip("link set dev far up")

    def look() -> None:
        index = socket.if_nametoindex(name)
        expected = zone or str(index)
        with (
            bound(INET6, UDP, ("fe80::1", 0, 0, index)) as sock,
            bound(INET6, UDP, ("fe80::2", 0, 0, index)) as peer,
        ):
            sock.connect(peer.getsockname())
            binding = binding_of(sock)
            assert binding.endpoint.ip == IPv6Address(f"fe80::1%{expected}")
            assert binding.peer is not None
            assert binding.peer.ip == IPv6Address(f"fe80::2%{expected}")
            assert binding.device == name
            assert binding_here(sock) == binding

    ns.run(look)


@COOKIES
@needs_namespaces
def test_a_socket_of_another_namespace(ns: Namespace) -> None:
    """Its zone is an index, which names nothing here, and it says that it lives elsewhere."""
    ns.pair("eth0", "wire0")
    ns.ip("addr add fe80::1/64 dev eth0 nodad")

    def make() -> tuple[socket.socket, int]:
        index = socket.if_nametoindex("eth0")
        sock = socket.socket(INET6, TCP)
        sock.bind(("fe80::1", 0, 0, index))
        return sock, index

    sock, index = ns.run(make)
    with sock:
        with pytest.raises(ValueError, match="another network namespace"):
            binding_here(sock)
        assert binding_of(sock).endpoint.ip == IPv6Address(f"fe80::1%{index}")
        assert ns.run(lambda: binding_here(sock)).endpoint.ip == IPv6Address("fe80::1%eth0")


@needs_namespaces
def test_a_deleted_interface_leaves_its_index(ns: Namespace) -> None:
    """A zone whose interface is gone stays what getsockname() says."""
    ns.pair("eth0", "wire0")
    ns.ip("addr add fe80::1/64 dev eth0 nodad")

    def look() -> None:
        index = socket.if_nametoindex("eth0")
        with bound(INET6, UDP, ("fe80::1", 0, 0, index)) as sock:
            ns.ip("link del eth0")
            assert binding_of(sock).endpoint.ip == IPv6Address(f"fe80::1%{index}")

    ns.run(look)


@linux
def test_where_options_are_missing_they_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without an option tells nothing of it, and everything else all the same."""
    with socket.create_server(("::", 0), family=INET6) as sock:
        usual = binding_of(sock)
        for option in ("_SO_DOMAIN", "_SO_PROTOCOL"):
            monkeypatch.setattr(descriptor, option, None)
        for option in ("_SO_ACCEPTCONN", "_SO_BINDTODEVICE", "_IPV6_V6ONLY"):
            monkeypatch.setattr(inspect_socket, option, None)
        assert binding_of(sock) == usual.replace(v6only=None, listening=None)
        monkeypatch.setattr(sys, "platform", "darwin")
        assert binding_here(sock).device is None


def test_a_missing_namespace_cookie_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel without SO_NETNS_COOKIE does not tell where a socket lives."""
    monkeypatch.setattr("bindlab.linux.sockets._SO_NETNS_COOKIE", 30_000)
    with bound(INET, UDP, ("127.0.0.1", 0)) as sock:
        assert binding_here(sock).endpoint.ip == IPv4Address("127.0.0.1")
