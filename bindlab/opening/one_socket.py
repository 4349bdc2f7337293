"""How one socket takes its port: the system calls, in the order that keeps others out.

Knows one socket at a time, and raises every refusal as a :class:`BindError` with the
hint of the table. Does not check what callers pass, nor ask the system for reasons.
"""

import errno
import os
import socket
import sys

from bindlab.errors import Stage, refusal
from bindlab.opening.any_port import bind_any_port
from bindlab.opening.request import Request
from bindlab.opening.reuse import in_numbers, number_of, rules_for
from bindlab.sockaddr import SockAddr, to_sockaddr

__all__ = [
    "RULES",
    "admit_connections",
    "exclude_others",
    "listen_on",
    "open_socket",
    "set_options",
]

RULES = in_numbers(rules_for(sys.platform))

# Linux keeps the port of a listening socket that is shut down, and refuses who connects then;
# other systems do not document what they do.
_LISTENING_CAN_BE_UNDONE = sys.platform.startswith("linux")


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
        if asked.v6only is not None:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, asked.v6only)
        if asked.device is not None:
            name = os.fsencode(asked.device)
            sock.setsockopt(socket.SOL_SOCKET, number_of("SO_BINDTODEVICE"), name)
        # A UDP socket that shares and asks for any port is given one that others have.
        shares_at_once = asked.share_port and port != 0
        if shares_at_once or RULES.always:
            set_options(sock, RULES.shared if shares_at_once else RULES.always)
        stage = "zone"
        address = _zoned_address(asked, port) if asked.zone else (asked.host, port)
        stage = "bind"
        try:
            if port == 0:
                bind_any_port(sock, address)
            else:
                sock.bind(address)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not insists:
                raise
            if not _may_bind_over(asked, port, backlog):
                raise
            stage = "setsockopt"
            set_options(sock, RULES.over_connections)
            stage = "bind"
            sock.bind(address)
        if asked.share_port and not shares_at_once:
            stage = "setsockopt"
            set_options(sock, RULES.shared)
        if backlog is not None:
            stage = "listen"
            sock.listen(backlog)
            stage = "setsockopt"
            set_options(sock, RULES.while_listening)
        return sock
    except BaseException as error:  # an ExitStack would cost a third of the system calls' time
        if sock is not None:
            sock.close()
        if isinstance(error, OSError):
            raise refusal(error, asked.endpoint(port), stage) from error
        raise


def listen_on(asked: Request, sock: socket.socket, port: int, backlog: int) -> None:
    """Make *sock*, which holds *port*, listen; else raise :class:`BindError`."""
    stage: Stage = "listen"
    try:
        try:
            sock.listen(backlog)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not RULES.over_connections:
                raise
            # Linux compares the socket with an earlier server's connections once more.
            stage = "setsockopt"
            set_options(sock, RULES.over_connections)
            stage = "listen"
            sock.listen(backlog)
        stage = "setsockopt"
        set_options(sock, RULES.while_listening)
    except OSError as error:
        raise refusal(error, asked.endpoint(port), stage) from error


def exclude_others(asked: Request, sock: socket.socket, port: int) -> bool:
    """Make *sock* a hold again, and tell whether it was bound over an earlier server's connections.

    Then any socket that reuses addresses could have bound as well until now. ``listen()`` lets
    only one of those through, and ``shutdown()`` undoes it: who connects is refused again.
    """
    stage: Stage = "setsockopt"
    try:
        if not any(sock.getsockopt(socket.SOL_SOCKET, each) for each in RULES.over_connections):
            return False
        stage = "listen"
        if _LISTENING_CAN_BE_UNDONE:
            sock.listen(0)
        stage = "setsockopt"
        for option in RULES.over_connections:
            sock.setsockopt(socket.SOL_SOCKET, option, 0)
        stage = "listen"
        if _LISTENING_CAN_BE_UNDONE:
            sock.shutdown(socket.SHUT_RD)
        return True
    except OSError as error:
        raise refusal(error, asked.endpoint(port), stage) from error


def admit_connections(asked: Request, sock: socket.socket, port: int) -> None:
    """Undo what :func:`exclude_others` did to *sock*, so that any ``listen()`` works on it."""
    try:
        set_options(sock, RULES.over_connections)
    except OSError as error:
        raise refusal(error, asked.endpoint(port), "setsockopt") from error


def set_options(sock: socket.socket, options: tuple[int, ...]) -> None:
    """Switch each of these options of ``SOL_SOCKET`` on."""
    for option in options:
        sock.setsockopt(socket.SOL_SOCKET, option, 1)


def _may_bind_over(asked: Request, port: int, backlog: int | None) -> bool:
    """Whether to try again over what has the port, which may be an earlier server's connections."""
    if port == 0 or asked.transport != "tcp" or not RULES.over_connections:
        return False
    if backlog is not None:
        return True  # whoever listens first has the port, and this is about to
    try:
        from bindlab.port_users import has_connections

        return has_connections(asked.endpoint(port))
    except (OSError, ImportError):  # no right or no descriptor left to ask with: the refusal stands
        return False


def _zoned_address(asked: Request, port: int) -> SockAddr:
    try:
        return to_sockaddr(asked.endpoint(port))
    except OSError as error:
        if error.errno is not None:
            raise
        # if_nametoindex() had no error number before Python 3.14.
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV)) from error
