"""A server, and the tests that its authors would write: who gets in, and where it answers.

    .ci/try python -m pytest examples/test_my_server.py

Write "0.0.0.0" for HOST below, and the first test fails, and says who could get in.
"""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from socketserver import BaseRequestHandler, TCPServer
from threading import Thread

import pytest

from bindlab import Endpoint, Host
from bindlab.testing import assert_answers_only_on, assert_loopback_only, assert_not_reachable

HOST = "127.0.0.1"
LAPTOP = Host.of(lo="127.0.0.1/8", wifi="192.168.0.102/24", ethernet="10.0.0.12/24")


class Greeting(BaseRequestHandler):
    def handle(self) -> None:
        self.request.sendall(b"hello")


class Greeter(TCPServer):
    allow_reuse_address = True


def ask(address: str, port: int) -> bytes:
    with socket.create_connection((address, port), timeout=5) as client:
        return client.recv(100)


@contextmanager
def at_work(server: Greeter) -> Iterator[Greeter]:
    with server, ExitStack() as stack:
        Thread(target=server.serve_forever, args=(0.01,)).start()
        stack.callback(server.shutdown)
        yield server


@pytest.fixture
def greeter() -> Iterator[Greeter]:
    with at_work(Greeter((HOST, 0), Greeting)) as server:
        yield server


def test_nobody_else_gets_in(greeter: Greeter) -> None:
    assert_loopback_only(greeter, host=LAPTOP)


def test_the_phone_is_shut_out(greeter: Greeter) -> None:
    assert_not_reachable(greeter, "192.168.0.50", host=LAPTOP)


def test_it_answers_on_loopback_and_nowhere_else(greeter: Greeter) -> None:
    assert_answers_only_on(greeter, "127.0.0.1")  # tried on every address of this machine


# The fixtures come with bindlab. What they hold is nobody else's, in parallel runs too.
def test_on_a_socket_that_it_is_given(listening_socket: socket.socket) -> None:
    server = Greeter(listening_socket.getsockname(), Greeting, bind_and_activate=False)
    server.socket.close()  # it has made one that it does not need
    server.socket = listening_socket
    with at_work(server):
        assert ask(*listening_socket.getsockname()) == b"hello"


def test_on_a_port_number_that_it_is_told(lent_port: int) -> None:
    with at_work(Greeter((HOST, lent_port), Greeting)):
        assert ask("127.0.0.1", lent_port) == b"hello"


def test_the_client_when_no_server_is_there(refused_endpoint: Endpoint) -> None:
    with pytest.raises(ConnectionRefusedError):
        ask(str(refused_endpoint.ip), refused_endpoint.port)
