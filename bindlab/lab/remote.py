"""What is called on a host to make its sockets and to start its programs."""

import os
import signal
import socket
from collections.abc import Mapping, Sequence
from typing import NoReturn

from bindlab.endpoint import Endpoint
from bindlab.lab.wire import Descriptor, Packet
from bindlab.sockaddr import family_of, kind_of, protocol_of, to_sockaddr

__all__ = ["become", "dial", "make_socket"]


def make_socket(family: int, kind: int, protocol: int) -> socket.socket:
    """Return a new socket."""
    return socket.socket(family, kind, protocol)


def dial(
    endpoint: Endpoint, source: Endpoint | None, device: str | None, timeout: float | None
) -> socket.socket:
    """Return a socket connected to *endpoint*."""
    transport = endpoint.transport
    sock = socket.socket(family_of(endpoint.ip), kind_of(transport), protocol_of(transport))
    try:
        sock.settimeout(timeout)
        if device is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode() + b"\0")
        if source is not None:
            sock.bind(to_sockaddr(source))
        sock.connect(to_sockaddr(endpoint))
    except BaseException:
        sock.close()
        raise
    return sock


def become(
    command: Sequence[str],
    environment: Mapping[str, str],
    directory: str,
    standard: Sequence[Descriptor],
    started: socket.socket,
) -> NoReturn:
    """Turn this process into *command*; its pidfd is sent through *started* first.

    *started* closes when the program runs, and carries the error when it cannot.
    """
    Packet(Descriptor(os.pidfd_open(os.getpid()))).send(started)
    try:
        for target, source in enumerate(standard):
            os.dup2(source.number, target)
        os.chdir(directory)
        # Python ignores these two, and what is ignored stays so in the program.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        os.execvpe(command[0], list(command), dict(environment))
    except OSError as error:
        Packet(error).send(started)
    os._exit(127)
