"""What a live socket is bound to, by asking the system about its descriptor.

An edge: it asks, and decides nothing. It believes no Python object's ``family`` or ``proto``,
which may be what somebody once assumed (``socket.fromfd()``), and it knows nothing of the
objects that hold sockets: holders.py does.
"""

import errno
import os
import socket
import sys
from ipaddress import IPv6Address

from bindlab.binding import Binding
from bindlab.endpoint import Endpoint, Transport
from bindlab.holders import HasFileno, has_fileno
from bindlab.sockaddr import from_sockaddr, transport_of, zone_of

__all__ = ["binding_of", "in_this_namespace"]

# Options that the socket module names only on some systems, or nowhere.
_SOCK_NONBLOCK: int | None = getattr(socket, "SOCK_NONBLOCK", None)
_SO_PROTOCOL: int | None = getattr(socket, "SO_PROTOCOL", None)
_SO_ACCEPTCONN: int | None = getattr(socket, "SO_ACCEPTCONN", None)
_SO_BINDTODEVICE: int | None = getattr(socket, "SO_BINDTODEVICE", None)
_IPPROTO_IPV6: int = getattr(socket, "IPPROTO_IPV6", 41)
_IPV6_V6ONLY: int | None = getattr(socket, "IPV6_V6ONLY", None)
_SO_BINDTOIFINDEX, _SO_NETNS_COOKIE = 62, 71  # Linux <asm-generic/socket.h>
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
    view = _view(sock)
    try:
        return _binding(view)
    finally:
        view.detach()


def in_this_namespace(sock: HasFileno) -> bool | None:
    """Return whether *sock* belongs to the calling thread's network namespace.

    ``None`` where the system does not tell: before Linux 5.14 (``SO_NETNS_COOKIE``) and on
    every other system; those without such namespaces need not ask.
    """
    view = _view(sock)
    try:
        return _is_here(view)
    finally:
        view.detach()


def _view(sock: HasFileno) -> socket.socket:
    """Return a socket object of our own for the descriptor of *sock*: detach it after use.

    Made from nothing but the descriptor, it has the true family (getsockname(2)).
    """
    if not has_fileno(sock):
        raise TypeError(
            f"{type(sock).__name__} is no socket: give one, or what sockets_of() finds; "
            "socket.socket(fileno=...) makes one from a descriptor"
        )
    descriptor = sock.fileno()
    if descriptor < 0:
        raise ValueError("the socket is closed: ask while it is open")
    try:
        # A socket object that takes the default timeout makes the descriptor, which is not
        # ours alone, non-blocking; one that is said to be non-blocking leaves it alone.
        if _SOCK_NONBLOCK is not None:
            return socket.socket(type=_SOCK_NONBLOCK, fileno=descriptor)
        view = socket.socket(fileno=descriptor)
        if socket.getdefaulttimeout() is not None and isinstance(sock, socket.socket):
            sock.settimeout(sock.gettimeout())
        return view
    except OSError as error:
        if error.errno in _NAMELESS:
            raise _unbound("") from error
        if error.errno == errno.EBADF:
            raise ValueError("the socket is closed: ask while it is open") from error
        if error.errno == errno.ENOTSOCK:
            raise TypeError(f"{type(sock).__name__} is open, but it is no socket") from error
        raise


def _binding(view: socket.socket) -> Binding:
    if view.family not in (socket.AF_INET, socket.AF_INET6):
        family = getattr(view.family, "name", f"family {view.family}")
        raise ValueError(
            f"an {family} socket has no IP address to be reached at: "
            "give one of AF_INET or AF_INET6"
        )
    transport = _transport(view)
    endpoint = _named_zone(from_sockaddr(view.getsockname(), transport), view)
    if endpoint.port == 0:
        raise _unbound(f"{transport.upper()} ")
    try:
        peer = _named_zone(from_sockaddr(view.getpeername(), transport), view)
    except OSError:  # ENOTCONN, the ordinary case, and what comes of a lost connection
        peer = None
    is_ipv6 = view.family == socket.AF_INET6
    return Binding(
        endpoint,
        _flag(view, _IPPROTO_IPV6, _IPV6_V6ONLY) if is_ipv6 else None,
        _device(view),
        _flag(view, socket.SOL_SOCKET, _SO_ACCEPTCONN) if transport == "tcp" else None,
        peer,
    )


def _transport(view: socket.socket) -> Transport:
    kind = view.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE)
    protocol = _number(view, socket.SOL_SOCKET, _SO_PROTOCOL) or 0
    transport = transport_of(kind, protocol)
    if transport is None:
        raise ValueError(
            f"a socket of type {kind} and IP protocol {protocol} is neither TCP nor UDP: "
            "give one of SOCK_STREAM or SOCK_DGRAM with its usual protocol"
        )
    return transport


def _unbound(what: str) -> ValueError:
    return ValueError(
        f"the {what}socket has no port yet, so nobody can reach it: bind it first, "
        'as in sock.bind(("127.0.0.1", 0))'
    )


def _named_zone(endpoint: Endpoint, view: socket.socket) -> Endpoint:
    """Return *endpoint* with the zone's name, if the index means an interface that we see."""
    ip = endpoint.ip
    if not isinstance(ip, IPv6Address) or ip.scope_id is None or _is_here(view) is False:
        return endpoint
    index = int(ip.scope_id)
    try:
        zone = zone_of(socket.if_indextoname(index), index)
    except OSError:  # the interface is gone
        return endpoint
    bare, _, _ = str(ip).partition("%")
    return endpoint.replace(ip=f"{bare}%{zone}")


def _device(view: socket.socket) -> str | None:
    if _SO_BINDTODEVICE is not None:
        try:
            name = view.getsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, _IFNAMSIZ)
            return os.fsdecode(name.rstrip(b"\0")) or None
        except OSError as error:
            if error.errno != errno.ENODEV:
                return None
            return str(_number(view, socket.SOL_SOCKET, _SO_BINDTOIFINDEX) or "") or None
    if sys.platform == "darwin":
        index = (
            _number(view, _IPPROTO_IPV6, _IPV6_BOUND_IF)
            if view.family == socket.AF_INET6
            else _number(view, socket.IPPROTO_IP, _IP_BOUND_IF)
        )
        try:
            return socket.if_indextoname(index) if index else None
        except OSError:
            return str(index)
    return None


def _is_here(view: socket.socket) -> bool | None:
    if sys.platform != "linux":
        return None
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as fresh:
            return _cookie(fresh) == _cookie(view)
    except OSError:
        return None


def _cookie(sock: socket.socket) -> bytes:
    return sock.getsockopt(socket.SOL_SOCKET, _SO_NETNS_COOKIE, 8)


def _flag(view: socket.socket, level: int, option: int | None) -> bool | None:
    value = _number(view, level, option)
    return None if value is None else bool(value)


def _number(view: socket.socket, level: int, option: int | None) -> int | None:
    if option is None:
        return None
    try:
        return view.getsockopt(level, option)
    except OSError:
        return None
