"""What a live socket is bound to: the system is asked, whatever the Python object believes."""

import errno
import os
import socket
import sys
from ipaddress import IPv6Address

from bindlab.binding import Binding
from bindlab.descriptor import duplicate_of, nature_of, number_from
from bindlab.endpoint import Endpoint, Transport
from bindlab.sockaddr import from_sockaddr, zone_of
from bindlab.target import HasFileno, has_fileno

# Options that the socket module names only on some systems, or nowhere.
_SO_ACCEPTCONN: int | None = getattr(socket, "SO_ACCEPTCONN", None)
_SO_BINDTODEVICE: int | None = getattr(socket, "SO_BINDTODEVICE", None)
_IPPROTO_IPV6: int = getattr(socket, "IPPROTO_IPV6", 41)
_IPV6_V6ONLY: int | None = getattr(socket, "IPV6_V6ONLY", None)
_SO_BINDTOIFINDEX = 62  # Linux <asm-generic/socket.h>
_IP_BOUND_IF, _IPV6_BOUND_IF = 25, 125  # macOS <netinet/in.h>, <netinet6/in6.h>
_IFNAMSIZ = 16

# What getsockname(2) and getpeername(2) say of a socket that has no such name.
_NAMELESS = {
    errno.ENOTCONN,
    errno.EINVAL,
    getattr(errno, "WSAEINVAL", errno.EINVAL),
}


def binding_of(sock: HasFileno) -> Binding:
    """Return what *sock* is bound to, as the system itself says now.

    *sock* is an IPv4 or IPv6 socket for TCP or UDP, made by anybody: a ``socket.socket``, also
    one that ``ssl`` wrapped, asyncio's ``TransportSocket``, or anything else with a
    ``fileno()``. It is not changed. An option that the system does not tell is ``None``.

    A zone is the name of its interface if the socket belongs to the calling thread's network
    namespace, else the index in digits (getsockname(2)). A socket that is pinned by the zone of
    its address has that interface as its *device*, too, where the system says so (Linux,
    ``SO_BINDTODEVICE``); an interface that is gone has its index as name. *peer* is recorded
    for TCP and UDP alike (getpeername(2)), and *groups* cannot be asked for.

    A socket that is closed, not bound, or of another family or protocol is a ``ValueError``;
    what is no socket is a ``TypeError``; both say what to do instead.
    """
    return _asked(sock, anywhere=True)


def binding_here(sock: HasFileno) -> Binding:
    """Return :func:`binding_of` *sock*, which has to be of the calling thread's namespace.

    One of another network namespace is a ``ValueError``, where the system tells it: Linux does
    since 5.14 (``SO_NETNS_COOKIE``).
    """
    return _asked(sock, anywhere=False)


def _asked(sock: HasFileno, *, anywhere: bool) -> Binding:
    if not has_fileno(sock):
        raise TypeError(
            f"{type(sock).__name__} is no socket: give one, or what sockets_of() finds; "
            "socket.socket(fileno=...) makes one from a descriptor"
        )
    descriptor = sock.fileno()
    if descriptor < 0:
        raise ValueError("the socket is closed: ask while it is open")
    try:
        with duplicate_of(descriptor) as duplicate:
            if sys.platform == "win32" and isinstance(sock, socket.socket):
                # There a default timeout has just made both of them non-blocking.
                sock.settimeout(sock.gettimeout())
            if not anywhere and _is_here(duplicate) is False:
                raise ValueError(
                    "this socket belongs to another network namespace: pass host=, a this_host() "
                    "taken there"
                )
            return _binding(duplicate)
    except OSError as error:
        if error.errno in _NAMELESS:
            raise _unbound("") from error
        if error.errno == errno.EBADF:
            raise ValueError("the socket is closed: ask while it is open") from error
        if sys.platform == "win32" and error.errno in (errno.ENOTSOCK, errno.EOPNOTSUPP):
            # Windows says the same of a number that no socket has any more and of a file's.
            raise ValueError("the socket is closed, or it is none: ask while it is open") from error
        if error.errno == errno.ENOTSOCK:
            raise TypeError(f"{type(sock).__name__} is open, but it is no socket") from error
        raise


def _binding(sock: socket.socket) -> Binding:
    family, kind, _ = nature_of(sock)
    transport: Transport = "udp" if kind == socket.SOCK_DGRAM else "tcp"
    endpoint = _named_zone(from_sockaddr(sock.getsockname(), transport), sock)
    if endpoint.port == 0:
        raise _unbound(f"{transport.upper()} ")
    try:
        peer = _named_zone(from_sockaddr(sock.getpeername(), transport), sock)
    except OSError:  # ENOTCONN, the ordinary case, and what comes of a lost connection
        peer = None
    is_ipv6 = family == socket.AF_INET6
    return Binding(
        endpoint,
        _flag(sock, _IPPROTO_IPV6, _IPV6_V6ONLY) if is_ipv6 else None,
        _device(sock, is_ipv6),
        _flag(sock, socket.SOL_SOCKET, _SO_ACCEPTCONN) if transport == "tcp" else None,
        peer,
    )


def _unbound(what: str) -> ValueError:
    return ValueError(
        f"the {what}socket has no port yet, so nobody can reach it: bind it first, "
        'as in sock.bind(("127.0.0.1", 0))'
    )


def _named_zone(endpoint: Endpoint, sock: socket.socket) -> Endpoint:
    """Return *endpoint* with the zone's name, if the index means an interface that we see."""
    ip = endpoint.ip
    if not isinstance(ip, IPv6Address) or ip.scope_id is None or _is_here(sock) is False:
        return endpoint
    index = int(ip.scope_id)
    try:
        zone = zone_of(socket.if_indextoname(index), index)
    except OSError:  # the interface is gone
        return endpoint
    bare, _, _ = str(ip).partition("%")
    return endpoint.replace(ip=f"{bare}%{zone}")


def _device(sock: socket.socket, is_ipv6: bool) -> str | None:
    if _SO_BINDTODEVICE is not None:
        try:
            name = sock.getsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, _IFNAMSIZ)
            return os.fsdecode(name.rstrip(b"\0")) or None
        except OSError as error:
            if error.errno != errno.ENODEV:
                return None
            return str(number_from(sock, socket.SOL_SOCKET, _SO_BINDTOIFINDEX) or "") or None
    if sys.platform == "darwin":
        index = (
            number_from(sock, _IPPROTO_IPV6, _IPV6_BOUND_IF)
            if is_ipv6
            else number_from(sock, socket.IPPROTO_IP, _IP_BOUND_IF)
        )
        try:
            return socket.if_indextoname(index) if index else None
        except OSError:
            return str(index)
    return None


def _is_here(sock: socket.socket) -> bool | None:
    """Return whether *sock* is of the calling thread's network namespace; ``None``: unknown."""
    if sys.platform != "linux":
        return None
    from bindlab.linux import namespace_cookie

    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as fresh:
            return namespace_cookie(fresh) == namespace_cookie(sock)
    except OSError:
        return None


def _flag(sock: socket.socket, level: int, option: int | None) -> bool | None:
    value = number_from(sock, level, option)
    return None if value is None else bool(value)
