"""What other programs try on a port, and what tests need to know of this machine."""

import os
import socket
import sys

import pytest

from bindlab import backlog_of, interfaces, listen
from bindlab.linux import namespace_cookie, sockets_on
from bindlab.opening import one_socket


def port_of(sock: socket.socket) -> int:
    return int(sock.getsockname()[1])


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def loopback_alone() -> bool:
    """Return whether this machine has no address but loopback's, as in a sandbox."""
    return all(each.holds_loopback for each in interfaces() if each.addresses)


def _listed() -> bool:
    with listen() as known:
        return bool(sockets_on(port_of(known)))


def _tells_backlogs() -> bool:
    with listen(backlog=3) as known:
        return backlog_of(known) == 3


LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="measured on Linux")
# How bindlab begins to say that a port is empty, where sockets are listed, and where they are not.
EMPTY = "nothing listens" if _listed() else "no address of this machine"
LISTED = pytest.mark.skipif(not _listed(), reason="this system does not list sockets (sock_diag)")
LATE = pytest.mark.skipif(
    not one_socket._heeds_options_set_late(),
    reason="this network stack heeds options as they were in bind(): test_other_stacks.py",
)
BACKLOGS = pytest.mark.skipif(
    not _tells_backlogs(), reason="this system does not tell backlogs: test_other_stacks.py"
)


def _tells_namespaces() -> bool:
    with socket.socket() as sock:
        try:
            return namespace_cookie(sock) is not None
        except OSError:
            return False


COOKIES = pytest.mark.skipif(
    not _tells_namespaces(), reason="no socket tells its network namespace (Linux 5.14 on)"
)
# What PyPy's own socket module does otherwise: listen(0) waits for 1, and names that are no UTF-8
# make if_nametoindex() and if_nameindex() fail.
PYPY = sys.implementation.name == "pypy"
IPV6 = pytest.mark.skipif(not _has_ipv6(), reason="::1 cannot be bound here")


def squatter(
    port: int,
    host: str = "127.0.0.1",
    *,
    reuse: bool = True,
    share: bool = False,
    listens: bool = True,
    udp: bool = False,
) -> int:
    """Try to take *port* as another program would; return the error number, 0 for success."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM) as other:
        if family == socket.AF_INET6:
            other.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if reuse:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if share:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            other.bind((host, port))
            if listens and not udp:
                other.listen()
        except OSError as error:
            return error.errno or -1
    return 0


def leave_time_wait(server: socket.socket) -> int:
    """Serve one connection, end it from the server's side, close the server; return its port."""
    port = port_of(server)
    with server, socket.create_connection(server.getsockname()[:2]):
        server.accept()[0].close()
    return port


def descriptors() -> dict[str, str]:
    """Return the open descriptors of this process, and what they point to."""
    found: dict[str, str] = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[name] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:  # that of listdir() itself
            continue
    return found
