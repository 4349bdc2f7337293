"""One attempt to reach an endpoint, over a real socket."""

import errno as codes
import socket
import sys
from time import perf_counter
from typing import Self

from bindlab.endpoint import Endpoint, unmap
from bindlab.errors import error_text
from bindlab.probing.icmp import Icmp, keep_icmp, read_icmp
from bindlab.probing.outcome import Outcome, Probe, outcome_of
from bindlab.sockaddr import KINDS, SockAddr, family_of, from_sockaddr, to_sockaddr

# Windows says WSAEWOULDBLOCK; elsewhere EAGAIN is something else (connect(2)).
_UNDER_WAY = {0, codes.EINPROGRESS, codes.EINTR, getattr(codes, "WSAEWOULDBLOCK", 0)}
# struct linger {on, 0 seconds}: two ints, or on Windows two shorts.
_INT = 2 if sys.platform == "win32" else 4
_RESET_ON_CLOSE = (1).to_bytes(_INT, sys.byteorder) + bytes(_INT)


class Dial:
    """One attempt to reach *target* from *source* (port 0, or ``None``), made by ``dial_all()``.

    A connection that is made is watched for *linger* seconds more: a relay ends it at once
    where nothing listens behind it.

    A poll for a server makes hundreds of them and shows one, so that the value to show,
    which costs as much as the attempt, is made when asked for. *elapsed* is in seconds.
    """

    _sock: socket.socket

    def __init__(
        self, target: Endpoint, source: Endpoint | None = None, linger: float = 0.0
    ) -> None:
        self._target = target
        self._source = source
        self.linger = linger
        self._made: float | None = None
        self._local: SockAddr | None = None
        self.outcome = Outcome.NO_ANSWER
        self.is_over = False
        self._errno: int | None = None
        self._icmp: Icmp | None = None
        self.elapsed = 0.0

    @property
    def awaits_writing(self) -> bool:
        """Whether the socket becomes writable when the outcome is known, and not readable."""
        return self._target.transport == "tcp" and self._made is None

    @property
    def has_lingered(self) -> bool:
        """Whether a connection was made, and watched for long enough."""
        return self._made is not None and perf_counter() >= self._made + self.linger

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        return self._sock.fileno()

    def probe(self) -> Probe:
        """Return what the attempt met, as a value."""
        local = self._local and from_sockaddr(self._local, self._target.transport)
        return Probe(self._target, self.outcome, self.elapsed, local, self._errno, self._icmp)

    def start(self) -> None:
        """Send the first packet; that may tell the outcome at once."""
        self._started = perf_counter()
        target, transport = self._target, self._target.transport
        try:
            self._sock = socket.socket(family_of(target.ip), *KINDS[transport])
        except OSError as error:
            self._fail(error.errno)
            return
        self._sock.setblocking(False)
        keep_icmp(self._sock)
        if unmap(target.ip) is not target.ip:
            # What net.ipv6.bindv6only=1 would refuse with ENETUNREACH (ipv6(7)).
            self._sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if self._source is not None:
            try:
                self._sock.bind(_resolved(self._source))
            except OSError as error:
                self._end(Outcome.NO_SOURCE, error.errno)
                return
        try:
            address = _resolved(target)
        except OSError as error:
            self._fail(error.errno)
            return
        errno = self._sock.connect_ex(address)
        if errno not in _UNDER_WAY:
            self._fail(errno)
            return
        # Asked now: some systems forget it when a connection fails.
        self._local = self._sock.getsockname()
        if transport == "udp":
            self._send()

    def _send(self) -> None:
        if _is_to_itself(self._sock):
            self._end(Outcome.REFUSED)
            return
        try:
            self._sock.send(b"")
        except OSError as error:  # EPERM from a firewall here, which may also send ICMP
            self._fail(*(read_icmp(self._sock) or (error.errno, None)))

    def look(self, *, ready: bool, is_last: bool) -> None:
        """See what has come since; if it is the last look, silence is the outcome."""
        errno = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        kept = read_icmp(self._sock) if errno or ready else None
        if errno or kept is not None:
            self._fail(*(kept or (errno, None)))
        elif (ready or self._made is not None) and self._target.transport == "tcp":
            self._see_connection()
        elif ready:
            self._see_datagram()
        if is_last and not self.is_over:
            self._end(Outcome.NO_ANSWER if self._made is None else Outcome.ACCEPTED)

    def _see_connection(self) -> None:
        try:
            to_itself = _is_to_itself(self._sock)
        except OSError:
            return  # ENOTCONN: woken by something that is no end
        if to_itself:
            # A reset: TIME_WAIT would keep the port from its server for a minute, and even
            # from one with SO_REUSEADDR, which both sockets must have.
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self._end(Outcome.REFUSED)
            return
        if self._made is None:
            self._made = perf_counter()
        try:  # whether the peer's end is here already; this waits for nothing
            has_ended = not self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            if self.has_lingered:
                self._end(Outcome.ACCEPTED)
        except OSError as error:
            self._end(Outcome.CLOSED_AT_ONCE, error.errno)
        else:
            self._end(Outcome.CLOSED_AT_ONCE if has_ended else Outcome.ACCEPTED)

    def _see_datagram(self) -> None:
        try:
            self._sock.recv(65535)
        except BlockingIOError:
            return  # a datagram with a wrong checksum wakes, and is not there (select(2))
        except OSError as error:
            self._fail(*(read_icmp(self._sock) or (error.errno, None)))
        else:
            self._end(Outcome.ACCEPTED)

    def _fail(self, errno: int | None, icmp: Icmp | None = None) -> None:
        """End with what *errno* or *icmp* means; raise what says nothing of the target."""
        outcome = outcome_of(errno, icmp, self._target.transport)
        if outcome is None:
            raise OSError(errno, error_text(errno or 0), str(self._target))
        self._end(outcome, errno, icmp)

    def _end(self, outcome: Outcome, errno: int | None = None, icmp: Icmp | None = None) -> None:
        self.elapsed = perf_counter() - self._started
        self.outcome, self._errno, self._icmp = outcome, errno, icmp
        self.is_over = True
        self.close()

    def close(self) -> None:
        """Close the socket, if there is one."""
        if hasattr(self, "_sock"):
            self._sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _resolved(endpoint: Endpoint) -> SockAddr:
    """Return the tuple to bind or dial; a zone that no interface has is ENODEV (ipv6(7))."""
    try:
        return to_sockaddr(endpoint)
    except OSError as error:
        raise OSError(error.errno or codes.ENODEV, "no such interface") from error


def _is_to_itself(sock: socket.socket) -> bool:
    """Return whether the connected *sock* is its own peer.

    Two SYNs that cross make a connection without a listener (RFC 9293 section 3.5). A client
    that dials a port of its own machine may be given that same port to dial from, and then
    meets itself: once in some 14,000 attempts on an unused port of Linux's default range.

    Two clients that dial each other's ports from them can cross as well, and cannot tell.
    Measured: once in a thousand attempts, on a machine of eight ports; the odds fall with
    the square of their number.
    """
    own: SockAddr = sock.getsockname()
    peer: SockAddr = sock.getpeername()
    return own == peer
