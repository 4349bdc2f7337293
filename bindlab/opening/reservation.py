"""A port number that several sockets hold at once, until they are handed over to a server."""

import socket
import warnings
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Never, Self, TypeAlias

from bindlab.endpoint import Endpoint
from bindlab.errors import AddressInUseError, BindError, BindPermissionError
from bindlab.opening.hints import add_hint
from bindlab.opening.one_socket import (
    HeldSocket,
    Request,
    allow_reuse,
    exclude_others,
    listen_on,
    open_socket,
)
from bindlab.opening.port_range import free_choice
from bindlab.opening.sockets import MAX_BACKLOG, checked_backlog

Requests: TypeAlias = tuple[Request, ...]
Held: TypeAlias = tuple[HeldSocket, ...]  # on one port, in the order of the requests


class Reservation:
    """One port, held on each of ``endpoints`` by a bound socket that does not listen.

    :func:`bindlab.allocate` makes them. Leave the ``with`` block, or ``close()``, and what
    was not handed over is closed; one that is forgotten is closed with a ``ResourceWarning``.
    It may be handed over from any thread, once. After ``fork()`` each process has the hold,
    and it ends when both have closed it.

    - *port* is the number.
    - *left_out* has a ``BindError`` for each address of ``"localhost"`` that this machine does
      not have.
    - *lendable* says whether a program that binds by itself can take the port.
    """

    __slots__ = ("__weakref__", "_held", "_requests", "left_out", "lendable", "port")

    port: int
    left_out: tuple[BindError, ...]
    lendable: bool

    def __init__(
        self, held: Held, left_out: tuple[BindError, ...] = (), lendable: bool = False
    ) -> None:
        self.port = held[0].port
        self._requests = tuple([each.asked for each in held])
        self.left_out = left_out
        self.lendable = lendable
        # A list of one, because pop() lets only one of several threads have it. It comes last:
        # until then, if a signal handler raises, there is nothing that __del__() warns of.
        self._held = [held]

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """What the port is, or was, held on, in the order asked for."""
        return tuple(asked.endpoint(self.port) for asked in self._requests)

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        """The sockets still held, in the order of ``endpoints``; none once handed over or closed.

        They stay the reservation's: to keep them, :meth:`take` them.
        """
        return tuple(each.sock for held in self._held for each in held)

    def take(self) -> tuple[socket.socket, ...]:
        """Hand over the bound sockets, in the order of ``endpoints``; the caller closes them.

        They still exclude others, with the exception that :func:`bindlab.bind` has: where
        an exact TCP port was taken over the connections of an earlier server, ``SO_REUSEADDR``
        is on again, because the caller's own ``listen()`` would be refused without it. Then the
        first to listen has the port. :meth:`listen` leaves only a moment for that.

        The other sockets have ``SO_REUSEADDR`` off. A TCP server should set it after it has
        called ``listen()``, as :meth:`listen` does. Otherwise it cannot be restarted on the
        port while its connections are in TIME_WAIT.

        A second call, and one after ``close()``, is a ``RuntimeError``.
        """
        held = self._handed_over()
        with ExitStack() as undo:
            for each in held:
                undo.enter_context(each.sock)
            for each in held:
                if each.over_connections:
                    allow_reuse(each)
            undo.pop_all()
        return tuple(each.sock for each in held)

    def listen(self, backlog: int | None = None) -> tuple[socket.socket, ...]:
        """Hand over the sockets, those of TCP listening; otherwise as :meth:`take`.

        *backlog* is that of :func:`bindlab.listen`. If the system refuses one, all of them are
        closed and the refusal is a :class:`~bindlab.errors.BindError`. Another program can bring
        that about in two cases only, by being the first to listen: on a lendable port, and on an
        exact port that was taken over the connections of an earlier server.
        """
        limit = MAX_BACKLOG if backlog is None else checked_backlog(backlog)
        held = self._handed_over()
        with ExitStack() as undo:
            for each in held:
                undo.enter_context(each.sock)
            try:
                for each in held:
                    if each.asked.transport == "tcp":
                        listen_on(each, limit)
            except BindError as error:
                add_hint(error)
                raise
            undo.pop_all()
        return tuple(each.sock for each in held)

    def close(self) -> None:
        """Give the port up, unless it was handed over; calling it again does nothing."""
        try:
            held = self._held.pop()
        except IndexError:  # another thread may have been quicker, just now
            return
        with ExitStack() as sockets:
            for each in held:
                sockets.enter_context(each.sock)

    def _handed_over(self) -> Held:
        try:
            return self._held.pop()
        except IndexError:
            raise RuntimeError(
                f"port {self.port} was handed over or closed already: keep the sockets that "
                "the first take() or listen() returned, or allocate() again"
            ) from None

    def __reduce__(self) -> Never:
        raise TypeError(
            f"{self!r} cannot be copied or pickled, because a hold has one owner: pass its "
            "sockets on, with take(), and to another process with pass_fds"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_held", None):
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)
            self.close()

    def __repr__(self) -> str:
        state = "" if self._held else ", no longer held here"
        return f"<Reservation of {', '.join(map(str, self.endpoints))}{state}>"


def hold(requests: Requests, port: int, *, insists: bool = False, lends: bool = False) -> Held:
    """Return sockets that all have *port*, or for 0 the one that the first of them is given.

    Only one that *insists* takes the port over an earlier server's connections.
    """
    sockets: list[HeldSocket] = []
    try:
        for asked in requests:
            held = HeldSocket(asked, open_socket(asked, port, insists=insists), port)
            sockets.append(held)
            if port == 0:
                port = _port_of(held)
                sockets[-1] = held._replace(port=port)
            elif insists and exclude_others(held):
                sockets[-1] = held._replace(over_connections=True)
            if lends:
                allow_reuse(held)
    except BaseException:  # not an ExitStack, for the reason in open_socket()
        for each in sockets:
            each.sock.close()
        raise
    return tuple(sockets)


def hold_any(requests: Requests, *, lends: bool = False) -> Held | None:
    """Return sockets on a port of the system's choice; ``None`` if none is free for all of them.

    Each in its turn asks the system for a port, and if that is full, ``AddressInUseError``
    says so at once. After that each port of the range is tried.
    """
    for turn in range(len(requests)):
        try:
            found = hold(requests[turn:] + requests[:turn], 0, lends=lends)
        except AddressInUseError as error:
            if error.endpoint is not None and error.endpoint.port == 0:
                raise
            continue
        first = (len(requests) - turn) % len(requests)
        return found[first:] + found[:first]
    return hold_first(requests, free_choice(), lends=lends)


def hold_first(requests: Requests, ports: Iterable[int], *, lends: bool = False) -> Held | None:
    """Return sockets on the first of *ports* that they can all have; ``None`` if all are taken."""
    denied: BindPermissionError | None = None
    for port in ports:
        try:
            return hold(requests, port, lends=lends)
        except AddressInUseError:
            continue
        except BindPermissionError as error:  # one of several may be privileged, or excluded
            if error.stage != "bind":
                raise
            denied = error
    if denied is not None:
        raise denied
    return None


def _port_of(held: HeldSocket) -> int:
    try:
        return int(held.sock.getsockname()[1])
    except OSError as error:
        raise held.refusal(error, "getsockname") from error


def sockets_reserved(port: int) -> list[socket.socket]:
    """Return the sockets on *port* that are held by a Reservation of this process.

    They are looked for among all objects: only an error message asks, and nobody keeps a list.
    """
    import gc

    found = [each for each in gc.get_objects() if type(each) is Reservation]
    return [sock for each in found if each.port == port for sock in each.sockets]
