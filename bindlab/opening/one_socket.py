"""How one socket takes its port: the system calls, in the order that keeps others out."""

import errno
import functools
import os
import socket
import sys
from typing import NamedTuple

from bindlab.endpoint import Endpoint, IPAddress, Transport, unmap
from bindlab.errors import BindError, Stage, bind_error
from bindlab.opening.hints import has_connections
from bindlab.sockaddr import SockAddr, to_sockaddr


class Request(NamedTuple):
    """A socket to open, on a port that is not part of it, in the terms of ``socket``."""

    ip: IPAddress
    transport: Transport
    family: socket.AddressFamily
    kind: socket.SocketKind
    protocol: int
    host: str
    zone: str
    v6only: bool | None  # None for IPv4
    dual_stack: bool
    may_be_broadcast: bool  # the broadcast address of some IPv4 network, asked for by TCP
    device: str | None
    share_port: bool

    def endpoint(self, port: int) -> Endpoint:
        return Endpoint(self.ip, port, self.transport)


class HeldSocket(NamedTuple):
    """A bound socket that does not listen, and what was asked for."""

    asked: Request
    sock: socket.socket
    port: int
    over_connections: bool = False  # of an earlier server, so that SO_REUSEADDR was needed

    def refusal(self, error: OSError, stage: Stage) -> BindError:
        return bind_error(error, self.asked.endpoint(self.port), stage)


def options_of(platform: str) -> tuple[int | None, int | None]:
    """Return the option that *platform* wants before bind(), and the one after listen().

    *platform* is a value of ``sys.platform``. On Windows ``SO_REUSEADDR`` lets any socket steal
    a port, ``SO_EXCLUSIVEADDRUSE`` keeps it, and TIME_WAIT hinders nobody:
    https://learn.microsoft.com/windows/win32/winsock/using-so-reuseaddr-and-so-exclusiveaddruse

    Elsewhere ``SO_REUSEADDR`` lets a socket bind where connections of an earlier server are in
    TIME_WAIT, if that server set it as well. Set before bind(), it would also let others bind
    the port until we listen, and then our listen() fails. So it is set as late as possible.
    """
    if platform == "win32":
        return getattr(socket, "SO_EXCLUSIVEADDRUSE", _UNKNOWN), None
    return None, socket.SO_REUSEADDR


_UNKNOWN = -1  # ENOPROTOOPT to any system
_EXCLUSIVE, _REUSE = options_of(sys.platform)
_SHARE: int = getattr(socket, "SO_REUSEPORT", _UNKNOWN)
_DEVICE: int = getattr(socket, "SO_BINDTODEVICE", _UNKNOWN)

_IS_LINUX = sys.platform.startswith("linux")
# Without this option (Windows, macOS) CPython forgets the protocol number of a socket that it
# makes of a descriptor, as accept() does, and asyncio leaves Nagle's algorithm on where there is
# none. What accept() returns has the TCP_NODELAY of the listener.
_FORGETS_PROTOCOL = not hasattr(socket, "SO_PROTOCOL")


def switch_nagle_off(sock: socket.socket) -> None:
    """Do what asyncio does with the connections of *sock*, or with *sock*, where it cannot know."""
    if _FORGETS_PROTOCOL and sock.type == socket.SOCK_STREAM:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def lends() -> bool:
    """Return whether a port can be held, but not against those who set ``SO_REUSEADDR``."""
    return _IS_LINUX and _heeds_options_set_late()


def _heeds_options_set_late() -> bool:
    """Return whether what a socket sets after bind() lets others bind, as it does on Linux.

    On gVisor, which passes for Linux, ``SO_REUSEADDR`` and ``SO_REUSEPORT`` count as they were
    in bind().
    """
    try:
        return _lets_others_bind()
    except OSError:  # nothing to try it with: no descriptor, no loopback
        return True


@functools.cache  # what a kernel does, which does not change; what fails is tried again
def _lets_others_bind() -> bool:
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        second.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            second.bind(first.getsockname())
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return False
    return True


def open_socket(
    asked: Request, port: int, backlog: int | None = None, *, insists: bool = True
) -> socket.socket:
    """Return a bound socket, listening if there is a *backlog*; else raise :class:`BindError`.

    It is a plain ``socket.socket``: not inheritable, blocking, its protocol number set. Unless
    it *insists* on the port, one that an earlier server's connections have is in use too.
    """
    sock: socket.socket | None = None
    stage: Stage = "socket"
    try:
        sock = socket.socket(asked.family, asked.kind, asked.protocol)
        if sock.gettimeout() is not None:  # socket.setdefaulttimeout() is not meant for listeners
            sock.settimeout(None)
        stage = "setsockopt"
        if _FORGETS_PROTOCOL:
            switch_nagle_off(sock)
        if asked.v6only is not None:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, asked.v6only)
        if asked.device is not None:
            sock.setsockopt(socket.SOL_SOCKET, _DEVICE, os.fsencode(asked.device))
        # A UDP socket that shares and asks for any port is given one that others have.
        shares_at_once = asked.share_port and port != 0
        if shares_at_once:
            sock.setsockopt(socket.SOL_SOCKET, _SHARE, 1)
        elif _EXCLUSIVE is not None:
            sock.setsockopt(socket.SOL_SOCKET, _EXCLUSIVE, 1)
        if backlog is not None and _IS_LINUX and not _heeds_options_set_late():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stage = "zone"
        address = _zoned_address(asked, port) if asked.zone else (asked.host, port)
        stage = "bind"
        try:
            sock.bind(address)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or _REUSE is None or not insists:
                raise
            if not _may_bind_over(asked, port, backlog):
                raise
            stage = "setsockopt"
            sock.setsockopt(socket.SOL_SOCKET, _REUSE, 1)
            stage = "bind"
            sock.bind(address)
        if asked.may_be_broadcast and _is_broadcast(asked):
            raise ValueError(
                f"nobody can connect to {unmap(asked.ip)}, the broadcast address of a network of "
                "this host: TCP is served on its own address there, or on 0.0.0.0"
            )
        stage = "setsockopt"
        if asked.share_port and not shares_at_once:
            if _IS_LINUX and not _heeds_options_set_late():
                port = int(sock.getsockname()[1])
                sock.close()
                return open_socket(asked, port, backlog)
            sock.setsockopt(socket.SOL_SOCKET, _SHARE, 1)
        if backlog is not None:
            stage = "listen"
            sock.listen(backlog)
            stage = "setsockopt"
            if _REUSE is not None:
                sock.setsockopt(socket.SOL_SOCKET, _REUSE, 1)
        return sock
    except BaseException as error:  # an ExitStack would cost a third of the system calls' time
        if sock is not None:
            sock.close()
        if isinstance(error, OSError) and not isinstance(error, BindError):
            raise bind_error(error, asked.endpoint(port), stage) from error
        raise


def _is_broadcast(asked: Request) -> bool:
    """Return whether the system takes the address for a network's broadcast address (RFC 919).

    bind() takes it all the same, and TCP never answers there (RFC 9293, MUST-57). connect() of a
    UDP socket, which sends nothing, is refused unless the socket may broadcast (ip(7)). It asks
    about addresses of networks only.
    """
    address = (str(unmap(asked.ip)), 9)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as knock:
        if asked.device is not None:
            knock.setsockopt(socket.SOL_SOCKET, _DEVICE, os.fsencode(asked.device))
        if knock.connect_ex(address) != errno.EACCES:
            return False
        knock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        return knock.connect_ex(address) == 0


def listen_on(held: HeldSocket, backlog: int) -> None:
    """Make a socket that holds a port listen; else raise :class:`BindError`."""
    sock = held.sock
    stage: Stage = "listen"
    try:
        try:
            sock.listen(backlog)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or _REUSE is None:
                raise
            # Linux compares the socket with an earlier server's connections once more.
            stage = "setsockopt"
            sock.setsockopt(socket.SOL_SOCKET, _REUSE, 1)
            stage = "listen"
            sock.listen(backlog)
        stage = "setsockopt"
        if _REUSE is not None:
            sock.setsockopt(socket.SOL_SOCKET, _REUSE, 1)
    except OSError as error:
        raise held.refusal(error, stage) from error


def exclude_others(held: HeldSocket) -> bool:
    """Make a socket a hold again, and return whether it was bound over old connections.

    It was, if open_socket() had to set ``SO_REUSEADDR``. Other sockets that have the option too
    may have been bound to the port before that, or since then. To switch it off is not enough:
    one of them may listen already, and setsockopt() does not say so.

    On Linux ``listen()`` does. It compares the socket with the others on the port once more, and
    fails (EADDRINUSE) if one of them listens. From then on no other can bind or listen, whatever
    options it has, and the option is switched off. Then ``shutdown(SHUT_RD)`` ends the listening:
    who connects is refused, as by any socket that is only bound, and the port stays bound. (In
    the kernel, inet_shutdown() calls tcp_disconnect() for a listening socket, which keeps a port
    that was an argument of bind(): ``SOCK_BINDPORT_LOCK``.)

    Nothing evicts a socket that was bound over the connections before, and does not listen. It
    cannot listen while the port is held.

    Tests: test_a_restart_takes_its_exact_port_and_holds_it,
    test_what_was_bound_over_time_wait_before_stays_bound. Other systems do not say what
    shutdown() does to a listening socket: there the option is only switched off.
    """
    sock = held.sock
    stage: Stage = "setsockopt"
    try:
        if _REUSE is None or not sock.getsockopt(socket.SOL_SOCKET, _REUSE):
            return False
        if sys.platform.startswith("linux"):
            stage = "listen"
            sock.listen(0)
            stage = "setsockopt"
            sock.setsockopt(socket.SOL_SOCKET, _REUSE, 0)
            stage = "listen"
            sock.shutdown(socket.SHUT_RD)
        else:
            sock.setsockopt(socket.SOL_SOCKET, _REUSE, 0)
        return True
    except OSError as error:
        raise held.refusal(error, stage) from error


def allow_reuse(held: HeldSocket) -> None:
    """Switch ``SO_REUSEADDR`` on: to lend the port, or so that any ``listen()`` works on it."""
    try:
        held.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    except OSError as error:
        raise held.refusal(error, "setsockopt") from error


def _may_bind_over(asked: Request, port: int, backlog: int | None) -> bool:
    """Return whether to try again over what has the port: it may be old connections only."""
    if port == 0 or asked.transport != "tcp":
        return False
    if backlog is not None:
        return True  # the first to listen has the port, and this is about to
    return has_connections(asked.endpoint(port))


def _zoned_address(asked: Request, port: int) -> SockAddr:
    try:
        return to_sockaddr(asked.endpoint(port))
    except OSError as error:
        if error.errno is not None:
            raise
        # if_nametoindex() had no error number before Python 3.14.
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV)) from error
