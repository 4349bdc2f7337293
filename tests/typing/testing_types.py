"""What type checkers know of the assertions and the fixtures."""

import socket
from typing import assert_type

from bindlab import THIS_HOST, Endpoint, Host
from bindlab.pytest_plugin import OpenListener
from bindlab.testing import (
    assert_answers_only_on,
    assert_loopback_only,
    assert_not_reachable,
    assert_reachable,
)


def a_test(
    open_listener: OpenListener, loopback_pair: tuple[socket.socket, socket.socket], host: Host
) -> None:
    server = assert_type(open_listener("::1", transport="tcp"), socket.socket)
    assert_loopback_only([server, *loopback_pair])
    assert_loopback_only(3000)
    assert_reachable(server, THIS_HOST)
    assert_not_reachable("127.0.0.1:3000", host.interfaces[0], host=host)
    assert_answers_only_on(server, "::1", Endpoint("127.0.0.1", 3000), timeout=0.5)

    open_listener("::1", transport="sctp")  # type: ignore[arg-type]
    assert_reachable(server, 3000)  # type: ignore[arg-type]
