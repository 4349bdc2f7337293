"""What may be asked about: a socket, what holds some, a binding, an endpoint, a port, or several.

A server is known by its attributes, so that asyncio and its like need not be imported.
"""

import socket
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias, TypeGuard, TypeVar

from bindlab.binding import Binding
from bindlab.endpoint import Endpoint, Transport, parse_port, parse_transport, port_from_text

if TYPE_CHECKING:
    from typing_extensions import TypeIs


class HasFileno(Protocol):
    """Anything with the descriptor of a socket, such as a socket."""

    def fileno(self) -> int:
        """Return the descriptor, or -1 when it is closed."""
        ...


class HasSockets(Protocol):
    """A server that has several sockets: ``asyncio.Server``, a ``Reservation``."""

    @property
    def sockets(self) -> Iterable[HasFileno]:
        """Its sockets."""
        ...


class HasSocket(Protocol):
    """A server that has one socket: ``socketserver.BaseServer``, ``http.server.HTTPServer``."""

    @property
    def socket(self) -> HasFileno:
        """Its socket."""
        ...


class TellsSocket(Protocol):
    """A transport of asyncio, or its ``StreamWriter``."""

    def get_extra_info(self, name: str, /) -> object:
        """Return the socket for ``"socket"``."""
        ...


class HasBindings(Protocol):
    """What somebody found out about sockets: an ``Answering``, a ``Reach``."""

    @property
    def bindings(self) -> tuple[Binding, ...]:
        """What the sockets are bound to."""
        ...

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What was taken for granted, in words."""
        ...


_One = TypeVar("_One", covariant=True)


class Several(Protocol[_One]):
    """A list, a tuple, a set or a frozenset; text and bytes hold no ``object``, and are none."""

    def __iter__(self) -> Iterator[_One]: ...
    def __contains__(self, item: object, /) -> bool: ...


OneTarget: TypeAlias = (
    int | str | Endpoint | Binding | HasFileno | HasSockets | HasSocket | TellsSocket | HasBindings
)
Target: TypeAlias = OneTarget | Several[OneTarget]


class Port(NamedTuple):
    """A port of this machine, and no more is known of its server."""

    number: int
    transport: Transport

    def __str__(self) -> str:
        return f"port {self.number}{'' if self.transport == 'tcp' else '/udp'}"


def one_by_one(target: Target) -> Iterable[OneTarget]:
    """Return the targets in *target*: the items of a list, a tuple or a set, or itself."""
    return target if _is_several(target) else (target,)


def parse_target(target: OneTarget, transport: Transport = "tcp") -> OneTarget | Port:
    """Return a port or its text as a :class:`Port`, and the text of an endpoint as an endpoint.

    Text is a port (``"3000"``, ``"53/udp"``), an endpoint or a URL (:meth:`Endpoint.parse`).
    *transport* is that of a number. Anything else comes back as it is.
    """
    if isinstance(target, int) and not isinstance(target, bool):
        return Port(_served(parse_port(target)), transport)
    if not isinstance(target, str):
        return target
    number, _, suffix = target.partition("/")
    if number.isascii() and number.isdigit() and suffix in ("", "tcp", "udp"):
        port = _served(port_from_text(number, target))
        return Port(port, parse_transport(suffix or transport))
    return Endpoint.parse(target)


def has_fileno(value: object) -> TypeGuard[HasFileno]:
    """Return whether *value* is an object with a ``fileno()``, be it a socket's or a file's."""
    return callable(getattr(value, "fileno", None)) and not isinstance(value, type)


def has_bindings(target: object) -> TypeGuard[HasBindings]:
    """Return whether *target* says itself what sockets are bound to."""
    return hasattr(target, "bindings") and hasattr(target, "assumptions")


def sockets_of(target: object) -> tuple[HasFileno, ...]:
    """Return the sockets that *target* holds; only itself, if it is one.

    It is known by its attributes: ``asyncio.Server`` and its like have ``sockets``;
    ``socketserver.BaseServer`` and its like a ``socket``; asyncio's transports and
    ``StreamWriter`` tell theirs through ``get_extra_info("socket")``; failing these, whatever
    has a ``fileno()`` counts as a socket.

    One that holds no socket, being closed or not started, is a ``ValueError``; anything else
    is a ``TypeError``. Whether the sockets are open and bound is another question.
    """
    if isinstance(target, socket.socket) or hasattr(target, "getsockname"):
        return _sockets([target], target)
    several: Iterable[object] | None = getattr(target, "sockets", None)
    if isinstance(several, Iterable):
        return _sockets(several, target)
    one: object = getattr(target, "socket", None)
    if one is not None:
        return _sockets([one], target)
    ask: object = getattr(target, "get_extra_info", None)
    if callable(ask):
        told: object = ask("socket")
        return _sockets([] if told is None else [told], target)
    return _sockets([target], target)


def _served(port: int) -> int:
    if port == 0:
        raise ValueError("port 0 is not the port of a server: give the number that the server has")
    return port


def _is_several(target: Target) -> "TypeIs[Several[OneTarget]]":
    return isinstance(target, list | tuple | set | frozenset)


def _sockets(found: Iterable[object], target: object) -> tuple[HasFileno, ...]:
    every = tuple(found)
    sockets = tuple(filter(has_fileno, every))
    if len(sockets) < len(every):
        raise TypeError(
            f"{type(target).__name__} is no socket and holds none: give a socket, an "
            "asyncio.Server, a socketserver.BaseServer, an asyncio transport, an endpoint such "
            'as "127.0.0.1:3000", or a port number'
        )
    if not sockets:
        raise ValueError(
            f"{type(target).__name__} holds no socket: it is closed, or was not started yet"
        )
    return sockets
