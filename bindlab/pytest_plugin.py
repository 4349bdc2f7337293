"""Fixtures that hold their ports: pytest has them wherever bindlab is installed.

What they yield is a socket, or a number that is held for as long as the test runs: no other
test, worker of pytest-xdist or program is given it. None is used unless a test asks, and until
then nothing of bindlab is imported (``pytest_bindlab`` is the module that pytest loads).
"""

from pytest_bindlab import (
    OpenListener,
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
