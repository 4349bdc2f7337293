"""Servers of the standard library on a socket that is given to them: ``server_on()``.

Knows what ``bind()`` of :mod:`socketserver`, :mod:`http.server` and :mod:`wsgiref` leaves in a
server, and sets it without binding. Imports none of them until it is called.
"""

import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from bindlab.binding import Binding
from bindlab.endpoint import Endpoint, address_text
from bindlab.errors import refusal
from bindlab.inspect_socket import binding_of
from bindlab.sockaddr import family_of, kind_of

if TYPE_CHECKING:
    from socketserver import BaseRequestHandler, TCPServer

__all__ = ["server_on"]

T = TypeVar("T", bound="TCPServer")


def server_on(
    sock: socket.socket,
    server_class: type[T],
    handler: "Callable[..., BaseRequestHandler]",
) -> T:
    """Return a *server_class* that serves on *sock*, with *handler* for each request.

    *server_class* is ``http.server.HTTPServer`` or ``ThreadingHTTPServer``,
    ``wsgiref.simple_server.WSGIServer`` (then call its ``set_app()``), or another class that
    derives from ``socketserver.TCPServer`` or ``UDPServer`` and can be made with
    ``bind_and_activate=False``. *handler* is what it takes as its request handler: a class, or a
    ``functools.partial`` of one.

    *sock* is bound, as by :func:`bindlab.listen`, :func:`bindlab.bind` or
    :func:`bindlab.adopt`, to IPv4 or IPv6, whatever the class has as its ``address_family``.
    Its address and port are the server's. Nothing is bound, so that ``server_bind()`` is not
    called, and no name is looked up, which ``HTTPServer`` does there (``socket.getfqdn()``),
    for seconds where the resolver does not answer. ``server_name`` is the address instead, an
    IPv6 one in brackets (RFC 3875 section 4.1.14), or the name of this host for a wildcard.

    A TCP socket that listens keeps its backlog. One that is only bound is activated by the
    class's ``server_activate()``, with its ``request_queue_size``, which is 5 unless the class
    says otherwise; after that, not on Windows, ``SO_REUSEADDR`` is set if the class has
    ``allow_reuse_address``. A non-blocking socket becomes blocking: ``handle_request()`` would wait
    for nobody, and where accepted sockets inherit it (BSD, macOS; from documentation), handlers
    would fail.

    The server owns *sock*, and ``server_close()``, or the end of its ``with`` block, closes it.
    After an error *sock* is still the caller's, and open. A socket that is closed, not bound,
    connected, or of another transport than the class's is a ``ValueError``; what is no
    socket or no such class is a ``TypeError``; a system that refuses to listen is a
    :class:`~bindlab.errors.BindError`.

    >>> from http.server import HTTPServer, SimpleHTTPRequestHandler
    >>> from bindlab import listen, server_on
    >>> with server_on(listen(), HTTPServer, SimpleHTTPRequestHandler) as server:
    ...     server.server_name
    '127.0.0.1'
    """
    binding = _checked(sock, server_class, handler)
    host, port, *_ = sock.getsockname()
    server = server_class((host, port), handler, bind_and_activate=False)
    server.socket.close()  # it has made one that it does not need
    server.socket = sock
    server.address_family = sock.family
    server.server_address = sock.getsockname()
    _name(server, binding.endpoint)
    if sock.gettimeout() == 0:
        sock.setblocking(True)
    if binding.listening is not True:
        try:
            server.server_activate()
            if server.allow_reuse_address and binding.endpoint.transport == "tcp":
                _allow_restart(sock)
        except OSError as error:
            raise refusal(error, binding.endpoint, "listen") from error
    return server


def _checked(sock: object, server_class: object, handler: object) -> Binding:
    from socketserver import TCPServer

    if not isinstance(sock, socket.socket):
        raise TypeError(f"sock is a socket, such as listen() returns, not {sock!r}")
    if not (isinstance(server_class, type) and issubclass(server_class, TCPServer)):
        raise TypeError(
            "server_class is a class of socketserver, such as http.server.ThreadingHTTPServer, "
            f"not {server_class!r}: other servers have ways of their own to take a socket"
        )
    if not callable(handler):
        raise TypeError(f"handler is a class such as BaseHTTPRequestHandler, not {handler!r}")
    binding = binding_of(sock)
    endpoint = binding.endpoint
    if server_class.address_family not in (socket.AF_INET, socket.AF_INET6):
        raise ValueError(f"{server_class.__name__} serves no IP sockets, and {endpoint} is one")
    if server_class.socket_type != kind_of(endpoint.transport):
        raise ValueError(
            f"{server_class.__name__} does not serve {endpoint.transport.upper()}, as {endpoint} "
            "does: take listen() or bind() for a TCP server, bind(transport='udp') for UDP"
        )
    if binding.peer is not None:
        raise ValueError(f"{endpoint} is connected to {binding.peer}: give the listening socket")
    if sock.family != family_of(endpoint.ip):
        raise ValueError(
            f"this object says {sock.family.name}, but {endpoint} is none, so that it would "
            "misread its peers: write adopt(sock.detach())"
        )
    return binding


def _name(server: object, endpoint: Endpoint) -> None:
    """Set what ``server_bind()`` would have, on a server of one of the modules that do."""
    # A server of a module that is not loaded cannot exist, and to load it takes a while.
    if "http.server" in sys.modules:
        from http.server import HTTPServer

        if isinstance(server, HTTPServer):
            server.server_name = _server_name(endpoint)
            server.server_port = endpoint.port
    if "wsgiref.simple_server" in sys.modules:
        from wsgiref.simple_server import WSGIServer

        if isinstance(server, WSGIServer):
            server.setup_environ()


def _server_name(endpoint: Endpoint) -> str:
    if endpoint.is_unspecified:
        return socket.gethostname()
    bare = address_text(endpoint.ip).partition("%")[0]
    return f"[{bare}]" if endpoint.ip.version == 6 else bare


def _allow_restart(sock: socket.socket) -> None:
    # On Windows it would let any socket steal the port:
    # https://learn.microsoft.com/windows/win32/winsock/using-so-reuseaddr-and-so-exclusiveaddruse
    if sys.platform != "win32":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
