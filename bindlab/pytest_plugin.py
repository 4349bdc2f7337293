"""Fixtures that hold their ports: pytest has them wherever bindlab is installed.

What they yield is a socket, or a number that is held for as long as the test runs: no other
test, worker of pytest-xdist or program is given it. None is used unless a test asks, and until
then nothing of bindlab is imported but this module.
"""

from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    import ipaddress
    import socket
    from collections.abc import Iterator

    from bindlab import Endpoint, Transport


__all__ = [
    "OpenListener",
    "ipv6_loopback",
    "lent_port",
    "listening_socket",
    "loopback_pair",
    "open_listener",
    "refused_endpoint",
    "refused_port",
]


class OpenListener(Protocol):
    """What the fixture open_listener is: call it to have a socket."""

    def __call__(
        self,
        address: "ipaddress.IPv4Address | ipaddress.IPv6Address | str" = "127.0.0.1",
        *,
        transport: "Transport" = "tcp",
        port: int = 0,
        dual_stack: bool = False,
    ) -> "socket.socket":
        """Return a new socket on *address*: listening for TCP, bound for UDP."""
        ...


@pytest.fixture
def listening_socket() -> "Iterator[socket.socket]":
    """A TCP socket that listens on 127.0.0.1, on a port that nobody else gets.

    Hand it to the server under test, which may close it; what is left open is closed.
    """
    from bindlab import listen

    with listen() as sock:
        yield sock


@pytest.fixture
def open_listener() -> "Iterator[OpenListener]":
    """A factory of sockets: open_listener("::1"), open_listener(transport="udp").

    TCP sockets listen, UDP sockets are bound; arguments are those of bindlab.listen(). All
    are closed after the test.
    """
    from bindlab import bind, listen

    with ExitStack() as opened:

        def open_one(
            address: "ipaddress.IPv4Address | ipaddress.IPv6Address | str" = "127.0.0.1",
            *,
            transport: "Transport" = "tcp",
            port: int = 0,
            dual_stack: bool = False,
        ) -> "socket.socket":
            if transport == "tcp":
                sock = listen(port, address, dual_stack=dual_stack)
            else:
                sock = bind(port, address, transport=transport, dual_stack=dual_stack)
            return opened.enter_context(sock)

        yield open_one


@pytest.fixture
def loopback_pair(ipv6_loopback: str) -> "Iterator[tuple[socket.socket, socket.socket]]":
    """Two TCP sockets that listen on one port, on 127.0.0.1 and ::1: all of "localhost".

    Skips the test where there is no IPv6.
    """
    from bindlab import allocate

    with allocate("127.0.0.1", ipv6_loopback) as held, ExitStack() as opened:
        ipv4, ipv6 = (opened.enter_context(sock) for sock in held.listen())
        yield ipv4, ipv6


@pytest.fixture
def lent_port() -> "Iterator[int]":
    """A port number for a server that takes no socket, and binds by itself.

    Held on "localhost", so that no other program is given it, in a way that lets a server in
    that sets SO_REUSEADDR, as nearly all do. Skips the test where the system has no such hold:
    only Linux does.
    """
    from bindlab import OptionNotSupportedError, allocate

    with ExitStack() as opened:
        try:
            held = opened.enter_context(allocate("localhost", lendable=True))
        except OptionNotSupportedError as error:
            pytest.skip(f"no port can be lent here: {error}")
        yield held.port


@pytest.fixture
def refused_port() -> "Iterator[int]":
    """A port number on which "localhost" refuses connections for as long as the test runs.

    It is bound, and does not listen. macOS is said to keep silent then instead of refusing, so
    that a connection times out there.
    """
    from bindlab import allocate

    with allocate("localhost") as held:
        yield held.port


@pytest.fixture
def refused_endpoint(refused_port: int) -> "Endpoint":
    """A bindlab.Endpoint on 127.0.0.1 that refuses connections; see refused_port."""
    from bindlab import Endpoint

    return Endpoint("127.0.0.1", refused_port)


@pytest.fixture(scope="session")
def ipv6_loopback() -> str:
    """The address ::1, or a skipped test: tried by a real bind.

    For @pytest.mark.usefixtures("ipv6_loopback") as well.
    """
    from bindlab import AddressNotAvailableError, FamilyNotSupportedError, bind

    try:
        bind(0, "::1").close()
    except (AddressNotAvailableError, FamilyNotSupportedError) as error:
        pytest.skip(f"no IPv6 here: {error}")
    return "::1"
