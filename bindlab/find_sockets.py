"""The sockets of a server or a transport, found by its attributes: asyncio is not imported."""

import socket
from collections.abc import Iterable
from typing import Protocol, TypeGuard

__all__ = ["HasFileno", "has_fileno", "sockets_of"]


class HasFileno(Protocol):
    """Anything with the descriptor of a socket, such as a socket."""

    def fileno(self) -> int:
        """Return the descriptor, or -1 when it is closed."""
        ...


def has_fileno(value: object) -> TypeGuard[HasFileno]:
    """Return whether *value* is an object with a ``fileno()``, be it a socket's or a file's."""
    return callable(getattr(value, "fileno", None)) and not isinstance(value, type)


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


def _sockets(found: Iterable[object], target: object) -> tuple[HasFileno, ...]:
    every = tuple(found)
    sockets = tuple(filter(has_fileno, every))
    if len(sockets) < len(every):
        raise TypeError(
            f"{type(target).__name__} is no socket and holds none: give a socket, "
            "an asyncio.Server, a socketserver.BaseServer or an asyncio transport"
        )
    if not sockets:
        raise ValueError(
            f"{type(target).__name__} holds no socket: it is closed, or was not started yet"
        )
    return sockets
