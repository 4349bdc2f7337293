"""A port number that is held, until its sockets are handed over to a server."""

import socket
import warnings
from contextlib import ExitStack
from types import TracebackType
from typing import Never, Self

from bindlab.endpoint import Endpoint
from bindlab.errors import BindError
from bindlab.opening.group import Group, HeldSocket
from bindlab.opening.hints import add_hint
from bindlab.opening.one_socket import allow_reuse, listen_on
from bindlab.opening.request import MAX_BACKLOG, checked_backlog

__all__ = ["Reservation"]


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
        self, group: Group, left_out: tuple[BindError, ...] = (), lendable: bool = False
    ) -> None:
        self.port = group.port
        self._requests = tuple([each.asked for each in group.sockets])
        self.left_out = left_out
        self.lendable = lendable
        # A list of one, because pop() lets only one of several threads have it. It comes last:
        # until then, if a signal handler raises, there is nothing that __del__() warns of.
        self._held = [group.sockets]

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
            for asked, sock, over_connections in held:
                if over_connections:
                    allow_reuse(asked, sock, self.port)
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
                for asked, sock, _ in held:
                    if asked.transport == "tcp":
                        listen_on(asked, sock, self.port, limit)
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

    def _handed_over(self) -> tuple[HeldSocket, ...]:
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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_held", None):
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)
            self.close()

    def __repr__(self) -> str:
        state = "" if self._held else ", no longer held here"
        return f"<Reservation of {', '.join(map(str, self.endpoints))}{state}>"
