"""Servers of the standard library on a socket that is given."""

import errno
import functools
import http.client
import json
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import (
    BaseHTTPRequestHandler,
    HTTPServer,
    SimpleHTTPRequestHandler,
    ThreadingHTTPServer,
)
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from xmlrpc.server import SimpleXMLRPCRequestHandler, SimpleXMLRPCServer

import pytest

from bindlab import (
    AddressInUseError,
    Scope,
    backlog_of,
    bind,
    binding_of,
    lab,
    listen,
    reachable_from,
    server_on,
)

AVAILABLE = lab.available()
NAMES = {"127.0.0.1": "127.0.0.1", "::1": "[::1]"}


@pytest.fixture(params=["127.0.0.1", "::1"])
def address(request: pytest.FixtureRequest) -> str:
    """A loopback address of each family that this machine has."""
    return "127.0.0.1" if "." in request.param else request.getfixturevalue("ipv6_loopback")


class Echo(socketserver.BaseRequestHandler):
    """Sends back what comes, over TCP or UDP."""

    def handle(self) -> None:
        if isinstance(self.request, tuple):
            data, sock = self.request
            sock.sendto(data, self.client_address)
        else:
            self.request.sendall(self.request.recv(100))


class Names(BaseHTTPRequestHandler):
    """Answers with what the server knows of itself."""

    def do_GET(self) -> None:
        assert isinstance(self.server, HTTPServer)
        body = f"{self.server.server_name} {self.server.server_port}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


class Silent(WSGIRequestHandler):
    """Does not log."""

    def log_message(self, *args: object) -> None:
        pass


def environ_app(
    environ: dict[str, object], start_response: Callable[[str, list[tuple[str, str]]], object]
) -> list[bytes]:
    """Answer with what the environ says that is a string."""
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({k: v for k, v in environ.items() if isinstance(v, str)}).encode()]


@contextmanager
def at_work(server: socketserver.BaseServer) -> Iterator[None]:
    """Serve in a thread, and close the server after it."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def get(address: str, port: int) -> str:
    connection = http.client.HTTPConnection(address, port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


SERVERS = [
    (HTTPServer, Names),
    (ThreadingHTTPServer, functools.partial(SimpleHTTPRequestHandler, directory="/")),
    (WSGIServer, Silent),
    (SimpleXMLRPCServer, SimpleXMLRPCRequestHandler),
    (socketserver.TCPServer, Echo),
    (socketserver.ThreadingTCPServer, Echo),
    (socketserver.ForkingTCPServer, Echo),
    (socketserver.UDPServer, Echo),
    (socketserver.ThreadingUDPServer, Echo),
]


@pytest.mark.parametrize(("server_class", "handler"), SERVERS, ids=lambda value: str(value)[-32:])
def test_a_server_of_the_callers_class_has_the_socket(
    server_class: type[socketserver.TCPServer],
    handler: Callable[..., socketserver.BaseRequestHandler],
    address: str,
) -> None:
    """It is of the class asked for, on the very socket, and closes that with itself."""
    sock = (
        bind(0, address, transport="udp")
        if issubclass(server_class, socketserver.UDPServer)
        else listen(0, address)
    )
    name = sock.getsockname()
    with server_on(sock, server_class, handler) as server:
        assert type(server) is server_class
        assert server.socket is sock
        assert server.fileno() == sock.fileno()
        assert (server.address_family, server.server_address) == (sock.family, name)
        assert reachable_from(server).scope is Scope.HOST
    assert sock.fileno() == -1


def test_a_tcp_server_serves(address: str) -> None:
    """What it was given is what answers."""
    server = server_on(listen(0, address), socketserver.ThreadingTCPServer, Echo)
    with at_work(server), socket.create_connection(server.server_address[:2], timeout=5) as client:
        client.sendall(b"hello")
        assert client.recv(100) == b"hello"


def test_a_udp_server_serves(address: str) -> None:
    """The datagrams of a bound UDP socket are the server's."""
    server = server_on(bind(0, address, transport="udp"), socketserver.UDPServer, Echo)
    with at_work(server), bind(0, address, transport="udp") as client:
        client.settimeout(5)
        client.sendto(b"hello", server.server_address)
        assert client.recv(100) == b"hello"


def test_the_address_is_the_name(address: str) -> None:
    """An HTTP server is named by its address, in brackets as a URL has it."""
    server = server_on(listen(0, address), ThreadingHTTPServer, Names)
    port = server.server_port
    with at_work(server):
        assert get(address, port) == f"{NAMES[address]} {port}"


def test_wsgi_has_its_environ(address: str) -> None:
    """The base environ, which server_bind() sets up otherwise, is there."""
    server = server_on(listen(0, address), WSGIServer, Silent)
    server.set_app(environ_app)
    with at_work(server):
        environ = json.loads(get(address, server.server_port))
    assert environ["SERVER_NAME"] == NAMES[address]
    assert environ["SERVER_PORT"] == str(server.server_port)
    assert environ["REMOTE_ADDR"] == address
    assert environ["GATEWAY_INTERFACE"] == "CGI/1.1"


def test_a_wildcard_is_no_name() -> None:
    """A server on every address has this host's name, because 0.0.0.0 is none to dial."""
    with bind(0, "0.0.0.0") as sock:  # bound and never listening: nobody can connect
        sock.listen(0)
        sock.shutdown(socket.SHUT_RD)
        with server_on(sock, HTTPServer, Names) as server:
            assert server.server_name == socket.gethostname()


def test_no_name_is_looked_up() -> None:
    """The system's resolver is never asked, neither for the server nor for its first request."""
    code = """if True:
        import sys
        from http.server import ThreadingHTTPServer, BaseHTTPRequestHandler
        from wsgiref.simple_server import WSGIServer
        from bindlab import listen, server_on
        asked = []
        sys.addaudithook(lambda event, args: event.startswith("socket.get") and asked.append(event))
        for server_class in ThreadingHTTPServer, WSGIServer:
            with server_on(listen(), server_class, BaseHTTPRequestHandler):
                pass
        print(asked)
        with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler):
            print(asked)  # so that the hook is known to see something
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    ours, theirs = done.stdout.splitlines()
    assert ours == "[]"
    assert "socket.gethostbyaddr" in theirs


def test_a_listening_socket_keeps_its_backlog() -> None:
    """The class's request_queue_size of 5 is not for a socket that listens already."""
    with server_on(listen(backlog=77), HTTPServer, Names) as server:
        if (kept := backlog_of(server.socket)) is None:
            pytest.skip("this system does not tell a backlog")
        assert kept == 77


@pytest.mark.parametrize("server_class", [HTTPServer, socketserver.TCPServer])
def test_a_bound_socket_is_activated_as_its_class_says(
    server_class: type[socketserver.TCPServer],
) -> None:
    """It listens with the class's backlog, and may be restarted if the class allows that."""

    class Server(server_class):  # type: ignore[misc, valid-type]
        request_queue_size = 33

    with server_on(bind(), Server, Names) as server:
        assert binding_of(server.socket).listening
        assert backlog_of(server.socket) in (33, None)
        reuse = server.socket.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
        assert bool(reuse) is bool(server_class.allow_reuse_address)


def test_a_server_on_a_bound_socket_can_be_restarted() -> None:
    """Connections that linger do not keep the port from the next HTTP server."""
    server = server_on(bind(), HTTPServer, Names)
    port = server.server_port
    with at_work(server):
        get("127.0.0.1", port)  # HTTP/1.0: the server closes first, and its end lingers
    listen(port).close()


def test_a_non_blocking_socket_becomes_blocking() -> None:
    """handle_request() waits for a request: a timeout of 0 would make it give up at once."""
    sock = listen()
    sock.setblocking(False)
    with server_on(sock, HTTPServer, Names) as server:
        assert server.socket.gettimeout() is None


def test_a_timeout_stays() -> None:
    """It is how long handle_request() waits."""
    sock = listen()
    sock.settimeout(0.25)
    with server_on(sock, HTTPServer, Names) as server:
        assert server.socket.gettimeout() == 0.25


def udp() -> socket.socket:
    return bind(transport="udp")


def unbound() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM)


def closed() -> socket.socket:
    sock = listen()
    sock.close()
    return sock


def connected() -> socket.socket:
    with listen() as server, socket.create_connection(server.getsockname()[:2]):
        return server.accept()[0]


def misread() -> socket.socket:
    return socket.socket(socket.AF_INET6, fileno=listen().detach())


def unix() -> socket.socket:
    return socket.socket(socket.AF_UNIX)


@pytest.mark.parametrize(
    ("make", "server_class", "words"),
    [
        pytest.param(udp, HTTPServer, "HTTPServer does not serve UDP", id="udp-for-tcp"),
        pytest.param(listen, socketserver.UDPServer, "does not serve TCP", id="tcp-for-udp"),
        pytest.param(unbound, HTTPServer, "bind it first", id="unbound"),
        pytest.param(closed, HTTPServer, "the socket is closed", id="closed"),
        pytest.param(connected, HTTPServer, "give the listening socket", id="connected"),
        pytest.param(misread, HTTPServer, r"adopt\(sock.detach\(\)\)", id="wrong-family"),
        pytest.param(unix, HTTPServer, "no IP address", id="unix-socket"),
        pytest.param(listen, socketserver.UnixStreamServer, "no IP sockets", id="unix-server"),
    ],
)
def test_a_wrong_socket_is_a_value_error(
    make: Callable[[], socket.socket], server_class: type[socketserver.TCPServer], words: str
) -> None:
    """What cannot serve is refused with what to write instead, and stays the caller's."""
    with make() as sock:
        before = sock.fileno()
        with pytest.raises(ValueError, match=words):
            server_on(sock, server_class, Names)
        assert sock.fileno() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param((8000, HTTPServer, Names), "such as listen", id="a-port"),
        pytest.param((None, HTTPServer, Names), "such as listen", id="none"),
        pytest.param((..., Names, HTTPServer), "class of socketserver", id="swapped"),
        pytest.param((..., socketserver.BaseServer, Names), "class of socketserver", id="base"),
        pytest.param((..., "HTTPServer", Names), "class of socketserver", id="a-name"),
        pytest.param((..., HTTPServer, None), "handler is a class", id="no-handler"),
    ],
)
def test_what_is_no_socket_or_server_is_a_type_error(
    arguments: tuple[object, type[socketserver.TCPServer], type[Names]], words: str
) -> None:
    """Each argument is checked before a server is made."""
    with listen() as sock:
        first, *others = arguments
        with pytest.raises(TypeError, match=words):
            server_on(sock if first is ... else first, *others)  # type: ignore[arg-type]
        assert sock.fileno() != -1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="how Linux lets two bind")
def test_a_refusal_to_listen_is_a_bind_error() -> None:
    """Who was not quick enough to listen is told so, and keeps the socket."""
    with socket.socket() as quick, socket.socket() as slow:
        for sock in quick, slow:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        quick.bind(("127.0.0.1", 0))
        slow.bind(quick.getsockname())
        quick.listen()
        with pytest.raises(AddressInUseError) as caught:
            server_on(slow, HTTPServer, Names)
        assert (caught.value.stage, caught.value.errno) == ("listen", errno.EADDRINUSE)
        assert slow.fileno() != -1


def test_nothing_is_left_open() -> None:
    """The socket that the class makes for itself is closed at once."""
    descriptors = Path("/dev/fd")
    with listen() as sock:
        before = len(list(descriptors.iterdir()))
        server = server_on(sock, ThreadingHTTPServer, Names)
        assert len(list(descriptors.iterdir())) == before
        server.server_close()


@pytest.mark.skipif(not AVAILABLE, reason=str(AVAILABLE))
@pytest.mark.parametrize(
    ("bound", "phone_gets_in"), [("0.0.0.0", True), ("127.0.0.1", False)], ids=str
)
def test_who_gets_in_from_another_machine(bound: str, phone_gets_in: bool) -> None:
    """On the wildcard the phone is served, on loopback it is not: as predicted of the server."""
    with lab.network(laptop={"wifi": "192.168.0.102/24"}, phone={"wifi": "192.168.0.50/24"}) as net:
        server = server_on(net.laptop.listen(3000, bound), ThreadingHTTPServer, Names)
        with at_work(server):
            reach = reachable_from(server, host=net.laptop.host())
            assert ("192.168.0.50" in reach) is phone_gets_in
            assert (reach.scope <= Scope.HOST) is not phone_gets_in
            assert net.phone.probe("192.168.0.102:3000").accepted is phone_gets_in
            if phone_gets_in:
                with net.phone.connect("192.168.0.102", 3000) as client:
                    client.settimeout(5)
                    client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    with client.makefile() as answer:
                        assert answer.read().splitlines()[0] == "HTTP/1.0 200 OK"
