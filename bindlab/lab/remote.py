"""What is called on a host to make its sockets."""

import socket

from bindlab.endpoint import Endpoint
from bindlab.sockaddr import family_of, kind_of, protocol_of, to_sockaddr

__all__ = ["dial", "make_socket"]


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
