"""A server, and the tests that its authors would write: who gets in, and where it answers.

    .ci/try python -m pytest examples/test_my_server.py

Write "0.0.0.0" for HOST below, and the first test fails with the table of who gets in; the
README shows it, under "Test a server's binding".
"""

import socket
import socketserver
import threading
from collections.abc import Iterator

import pytest

from bindlab import Endpoint, Host
from bindlab.testing import assert_answers_only_on, assert_loopback_only, assert_not_reachable

HOST = "127.0.0.1"


class Greeter(socketserver.ThreadingTCPServer):
    """The server under test; it says hello to everybody who connects."""

    allow_reuse_address = True


class Greeting(socketserver.StreamRequestHandler):
    """Says it."""

    def handle(self) -> None:
        self.wfile.write(b"hello")


def ask(address: str, port: int) -> bytes:
    """Return what the server at *port* says; this is the client under test."""
    with socket.create_connection((address, port), timeout=5) as client:
        return client.recv(100)


# Who would get in where the server is used, whatever machine runs the tests.
LAPTOP = Host.of(lo="127.0.0.1/8", wifi="192.168.0.102/24", ethernet="10.0.0.12/24")


@pytest.fixture
def greeter() -> Iterator[Greeter]:
    """The server, at work."""
    with Greeter((HOST, 0), Greeting) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_nobody_else_gets_in(greeter: Greeter) -> None:
    assert_loopback_only(greeter, host=LAPTOP)


def test_the_phone_is_shut_out(greeter: Greeter) -> None:
    assert_not_reachable(greeter, "192.168.0.50", host=LAPTOP)


def test_it_answers_on_loopback_and_nowhere_else(greeter: Greeter) -> None:
    port = greeter.socket.getsockname()[1]
    assert ask("127.0.0.1", port) == b"hello"
    assert_answers_only_on(port, "127.0.0.1")  # tried on every address of this machine


# The fixtures come with bindlab. What they hold is nobody else's, in parallel runs too.


def test_on_a_socket_that_it_is_given(listening_socket: socket.socket) -> None:
    address, port = listening_socket.getsockname()
    server = Greeter((address, port), Greeting, bind_and_activate=False)
    server.socket.close()
    server.socket = listening_socket
    with server, listening_socket:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert ask(address, port) == b"hello"
        thread.join()


def test_on_a_port_number_that_it_is_told(lent_port: int) -> None:
    with Greeter((HOST, lent_port), Greeting) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert ask("127.0.0.1", lent_port) == b"hello"
        thread.join()


def test_the_client_when_no_server_is_there(refused_endpoint: Endpoint) -> None:
    with pytest.raises(ConnectionRefusedError):
        ask(str(refused_endpoint.ip), refused_endpoint.port)
