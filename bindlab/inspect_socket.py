"""What a live socket says of itself, as a :class:`Binding`.

An edge: asks the kernel about one descriptor, and believes no Python attribute. Opens nothing
that it does not close, and changes nothing.
"""

import errno
import os
import socket
import struct
import sys
from collections.abc import Iterable
from typing import Protocol, TypeAlias, TypeGuard

from bindlab.binding import Binding
from bindlab.endpoint import Endpoint, Transport
from bindlab.sockaddr import SockAddr, from_sockaddr, zone_of

__all__ = ["Holder", "SocketLike", "binding_of", "in_this_namespace", "is_socket", "sockets_of"]

# Options that Python does not name everywhere: socket(7), <asm-generic/socket.h>; macOS ip(4)
# and ip6(4), from documentation.
_SO_PROTOCOL = getattr(socket, "SO_PROTOCOL", None)
_SO_DOMAIN = getattr(socket, "SO_DOMAIN", None)
_SO_ACCEPTCONN = getattr(socket, "SO_ACCEPTCONN", None)
_SO_NETNS_COOKIE = 71 if sys.platform.startswith("linux") else None
_MACOS_BOUND_IF = {
    socket.AF_INET: (socket.IPPROTO_IP, 25),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 125),
}
_DEVICE_NAME_SIZE = 16
_IPPROTO_MPTCP = 262
_TRANSPORTS: dict[tuple[int, int | None], Transport] = {
    (socket.SOCK_STREAM, None): "tcp",
    (socket.SOCK_STREAM, socket.IPPROTO_TCP): "tcp",
    (socket.SOCK_STREAM, _IPPROTO_MPTCP): "tcp",
    (socket.SOCK_DGRAM, None): "udp",
    (socket.SOCK_DGRAM, socket.IPPROTO_UDP): "udp",
}


class SocketLike(Protocol):
    """What ``socket.socket`` and ``asyncio.trsock.TransportSocket`` have in common."""

    def fileno(self) -> int: ...
    def getsockname(self) -> SockAddr: ...
    def getpeername(self) -> SockAddr: ...


class _HasSockets(Protocol):
    @property
    def sockets(self) -> Iterable[object]: ...


class _HasSocket(Protocol):
    @property
    def socket(self) -> object: ...


class _Transport(Protocol):
    def get_extra_info(self, name: str, /) -> object: ...


Holder: TypeAlias = SocketLike | _HasSockets | _HasSocket | _Transport


def binding_of(sock: SocketLike) -> Binding:
    """Return what *sock* is bound to, asking the socket itself.

    Any bound TCP or UDP socket will do, whoever made it: after ``dup()``, with a family or a
    protocol that its Python object got wrong, wrapped by ssl, or held by asyncio. The zone of a
    link-local address is an interface's name where that can be known, else its index.
    ``listening`` is ``SO_ACCEPTCONN`` (socket(7)), and ``None`` for UDP; ``groups`` is ``None``,
    because no system tells.

    A closed or unbound socket, and one of another family or protocol, is a ``ValueError``; what
    is no socket is a ``TypeError``. A system that refuses to answer is an ``OSError``.
    """
    if not is_socket(sock):
        raise TypeError(
            f"{type(sock).__name__} is no socket: pass a bound socket, or reachable_from() "
            "the server that holds it"
        )
    if sock.fileno() < 0:
        raise ValueError("this socket is closed: ask before close(), or keep its Binding")
    # A copy, because a socket object with the wrong family misreads its own address.
    with socket.socket(fileno=_duplicate(sock)) as honest:
        return _binding(honest)


def sockets_of(target: Holder) -> tuple[SocketLike, ...]:
    """Return the sockets that *target* holds: itself, if it is one.

    Known holders are an ``asyncio.Server``, a transport, a ``socketserver.BaseServer``, and
    anything else with ``sockets`` or ``socket``. One that holds none is a ``ValueError``, and
    what cannot hold any a ``TypeError``.
    """
    if is_socket(target):
        return (target,)
    held: object = getattr(target, "sockets", None)
    if held is None and hasattr(target, "get_extra_info"):
        held = target.get_extra_info("socket")
    if held is None:
        held = getattr(target, "socket", None)
    if is_socket(held):
        return (held,)
    if isinstance(held, Iterable):
        found = tuple(one for one in held if is_socket(one))
        if found:
            return found
        raise ValueError(f"this {type(target).__name__} holds no socket: it may be closed")
    raise TypeError(
        f"{type(target).__name__} holds no socket: pass a socket, a server that holds some, "
        'a Binding, an Endpoint, or text such as "0.0.0.0:3000"'
    )


def in_this_namespace(sock: SocketLike) -> bool | None:
    """Return whether *sock* belongs to the calling thread's network namespace.

    ``None`` where the system does not say: it takes Linux 5.14 (``SO_NETNS_COOKIE``,
    socket(7)). A socket stays in the namespace that it was made in, whoever uses it.
    """
    if _SO_NETNS_COOKIE is None:
        return None
    try:
        with (
            socket.socket(fileno=_duplicate(sock)) as theirs,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours,
        ):
            cookies = [s.getsockopt(socket.SOL_SOCKET, _SO_NETNS_COOKIE, 8) for s in (theirs, ours)]
    except OSError:
        return None
    return cookies[0] == cookies[1]


def is_socket(value: object) -> TypeGuard[SocketLike]:
    """Return whether *value* can be asked for a descriptor and an address."""
    return all(hasattr(value, name) for name in ("fileno", "getsockname", "getpeername"))


def _duplicate(sock: SocketLike) -> int:
    return socket.dup(sock.fileno()) if sys.platform == "win32" else os.dup(sock.fileno())


def _binding(sock: socket.socket) -> Binding:
    family = sock.getsockopt(socket.SOL_SOCKET, _SO_DOMAIN) if _SO_DOMAIN else sock.family
    if family not in (socket.AF_INET, socket.AF_INET6):
        raise ValueError(f"this is a socket of {sock.family!r}, which has no IP address")
    kind = sock.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE)
    protocol = sock.getsockopt(socket.SOL_SOCKET, _SO_PROTOCOL) if _SO_PROTOCOL else None
    transport = _TRANSPORTS.get((kind, protocol))
    if transport is None:
        raise ValueError(f"this socket is neither TCP nor UDP (type {kind}, protocol {protocol})")
    name: SockAddr = sock.getsockname()
    if name[1] == 0:
        raise ValueError("this socket is not bound yet: bind it first, or use bindlab.bind()")
    listening = bool(sock.getsockopt(socket.SOL_SOCKET, _SO_ACCEPTCONN)) if _SO_ACCEPTCONN else None
    device = _device(sock)
    return Binding(
        _named(from_sockaddr(name, transport), sock, device),
        v6only=bool(sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))
        if family == socket.AF_INET6
        else None,
        device=device,
        listening=listening if transport == "tcp" else None,
        peer=None if listening else _peer(sock, transport, device),
    )


def _device(sock: socket.socket) -> str | None:
    try:
        if sys.platform == "darwin":
            index = sock.getsockopt(*_MACOS_BOUND_IF[sock.family])
            return socket.if_indextoname(index) if index else None
        option: int = getattr(socket, "SO_BINDTODEVICE")  # noqa: B009 - Linux alone has it
        raw = sock.getsockopt(socket.SOL_SOCKET, option, _DEVICE_NAME_SIZE)
    except (AttributeError, OSError, struct.error):
        return None
    return os.fsdecode(raw.rstrip(b"\0")) or None


def _peer(sock: socket.socket, transport: Transport, device: str | None) -> Endpoint | None:
    try:
        name: SockAddr = sock.getpeername()
    except OSError as error:
        if error.errno in (errno.ENOTCONN, errno.EINVAL):
            return None
        raise
    return _named(from_sockaddr(name, transport), sock, device)


def _named(endpoint: Endpoint, sock: socket.socket, device: str | None) -> Endpoint:
    """Return *endpoint* with its zone by name: its socket's own, which is its device's."""
    zone = endpoint.ip.scope_id if endpoint.ip.version == 6 else None
    if zone is None:
        return endpoint
    index = int(zone)
    if device is None and in_this_namespace(sock) is not False:
        try:
            device = socket.if_indextoname(index)
        except OSError:
            return endpoint
    if device is None:
        return endpoint
    bare = str(endpoint.ip).partition("%")[0]
    return endpoint.replace(ip=f"{bare}%{zone_of(device, index)}")
