"""Fixtures that hold their ports: pytest has them wherever bindlab is installed.

What they yield is a socket, or a number that is held for as long as the test runs: no other
test, worker of pytest-xdist or program is given it. None is used unless a test asks, and until
then nothing of bindlab is imported (``pytest_bindlab`` is the module that pytest loads).
"""

import socket
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

from bindlab.endpoint import Transport
from pytest_bindlab import (
    ipv6_loopback,
    lent_port,
    listening_socket,
    loopback_pair,
    open_listener,
    refused_endpoint,
    refused_port,
)

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
    """What the fixture ``open_listener`` is: call it to have a socket."""

    def __call__(
        self,
        address: IPv4Address | IPv6Address | str = "127.0.0.1",
        *,
        transport: Transport = "tcp",
        port: int = 0,
        dual_stack: bool = False,
    ) -> socket.socket:
        """Return a new socket on *address*: listening for TCP, bound for UDP."""
        ...
