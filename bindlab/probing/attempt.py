"""One attempt to reach an endpoint, over a real socket.

Knows how to set out and how to wait. What an errno or an ICMP message means is for
:mod:`bindlab.outcome` to say; :mod:`bindlab.probing` checks the arguments.
"""

import errno as codes
import os
import select
import socket
import sys
from collections.abc import Callable
from time import perf_counter

from bindlab.endpoint import Endpoint, unmap
from bindlab.probing.icmp import Icmp, keep_icmp, read_icmp
from bindlab.probing.outcome import Outcome, Probe, outcome_of
from bindlab.sockaddr import SockAddr, family_of, from_sockaddr, kind_of, protocol_of, to_sockaddr

__all__ = ["Attempt"]

# Windows says WSAEWOULDBLOCK; elsewhere EAGAIN is something else (connect(2)).
_UNDER_WAY = {0, codes.EINPROGRESS, codes.EINTR, getattr(codes, "WSAEWOULDBLOCK", 0)}
# poll(2) counts milliseconds in an int; who waits longer waits again.
_LONGEST_POLL = 86_400.0
# How often somebody who may give up is asked.
_PATIENT_POLL = 0.01
# struct linger {on, 0 seconds}: two ints, or on Windows two shorts.
_INT = 2 if sys.platform == "win32" else 4
_RESET_ON_CLOSE = (1).to_bytes(_INT, sys.byteorder) + bytes(_INT)


class Attempt:
    """One attempt to reach *target* from *source* (port 0, or ``None``): run it once.

    A poll for a server makes hundreds of them and shows one, so that the value to show,
    which costs as much as the attempt, is made when asked for. *elapsed* is in seconds.
    """

    __slots__ = ("_errno", "_icmp", "_local", "_outcome", "_source", "_target", "elapsed")

    def __init__(self, target: Endpoint, source: Endpoint | None) -> None:
        self._target = target
        self._source = source
        self._local: SockAddr | None = None
        self._outcome = Outcome.NO_ANSWER
        self._errno: int | None = None
        self._icmp: Icmp | None = None
        self.elapsed = 0.0

    def run(self, patience: float, given_up: Callable[[], bool] | None = None) -> Outcome:
        """Return what the attempt met in at most *patience* seconds.

        *given_up* is asked every 10 ms while nothing comes, and ends the attempt early.
        """
        started = perf_counter()
        transport = self._target.transport
        try:
            sock = socket.socket(
                family_of(self._target.ip), kind_of(transport), protocol_of(transport)
            )
        except OSError as error:
            self.elapsed = perf_counter() - started
            return self._judged(error.errno)
        with sock:
            outcome = self._set_out(sock) or self._wait(sock, started + patience, given_up)
            self.elapsed = perf_counter() - started
            if outcome is Outcome.ACCEPTED and transport == "tcp":
                return self._looked(sock)
            return outcome

    def probe(self) -> Probe:
        """Return what the attempt met, as a value."""
        local = self._local and from_sockaddr(self._local, self._target.transport)
        return Probe(self._target, self._outcome, self.elapsed, local, self._errno, self._icmp)

    def _set_out(self, sock: socket.socket) -> Outcome | None:
        """Send the first packet; return what is known at once, if anything is."""
        sock.setblocking(False)
        keep_icmp(sock)
        if unmap(self._target.ip) is not self._target.ip:
            # What net.ipv6.bindv6only=1 would refuse with ENETUNREACH (ipv6(7)).
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if self._source is not None:
            try:
                sock.bind(_resolved(self._source))
            except OSError as error:
                return self._met(Outcome.NO_SOURCE, error.errno)
        try:
            address = _resolved(self._target)
        except OSError as error:
            return self._judged(error.errno)
        errno = sock.connect_ex(address)
        if errno not in _UNDER_WAY:
            return self._judged(errno)
        # Asked now: some systems forget it when a connection fails.
        self._local = sock.getsockname()
        if self._target.transport == "udp":
            if _is_to_itself(sock):
                return self._met(Outcome.REFUSED)
            try:
                sock.send(b"")
            except OSError as error:  # EPERM from a firewall here, which may also send ICMP
                return self._judged(*(read_icmp(sock) or (error.errno, None)))
        return None

    def _wait(
        self, sock: socket.socket, deadline: float, given_up: Callable[[], bool] | None
    ) -> Outcome:
        tcp = self._target.transport == "tcp"
        longest = _LONGEST_POLL if given_up is None else _PATIENT_POLL
        while True:
            remaining = max(0.0, deadline - perf_counter())
            ready = _poll(sock, writable=tcp, seconds=min(remaining, longest))
            errno = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            kept = read_icmp(sock) if errno or ready else None
            if errno or kept is not None:
                return self._judged(*(kept or (errno, None)))
            found = None
            if ready:
                found = self._connected(sock) if tcp else self._answered(sock)
            if found is not None:
                return found
            if perf_counter() >= deadline or (given_up is not None and given_up()):
                return self._met(Outcome.NO_ANSWER)

    def _connected(self, sock: socket.socket) -> Outcome | None:
        try:
            to_itself = _is_to_itself(sock)
        except OSError:
            return None  # ENOTCONN: woken by something that is no end
        if to_itself:
            # A reset: TIME_WAIT would keep the port from its server for a minute, and even
            # from one with SO_REUSEADDR, which both sockets must have.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            return self._met(Outcome.REFUSED)
        return self._met(Outcome.ACCEPTED)

    def _looked(self, sock: socket.socket) -> Outcome:
        """Return whether the peer's end is here already; waits for nothing."""
        try:
            ended = not sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return Outcome.ACCEPTED
        except OSError as error:
            return self._met(Outcome.CLOSED_AT_ONCE, error.errno)
        return self._met(Outcome.CLOSED_AT_ONCE if ended else Outcome.ACCEPTED)

    def _answered(self, sock: socket.socket) -> Outcome | None:
        try:
            sock.recv(65535)
        except BlockingIOError:
            return None  # a datagram with a wrong checksum wakes, and is not there (select(2))
        except OSError as error:
            return self._judged(*(read_icmp(sock) or (error.errno, None)))
        return self._met(Outcome.ACCEPTED)

    def _judged(self, errno: int | None, icmp: Icmp | None = None) -> Outcome:
        outcome = outcome_of(errno, icmp, self._target.transport)
        if outcome is None:
            raise OSError(errno, os.strerror(errno or 0), str(self._target))
        return self._met(outcome, errno, icmp)

    def _met(self, outcome: Outcome, errno: int | None = None, icmp: Icmp | None = None) -> Outcome:
        self._outcome, self._errno, self._icmp = outcome, errno, icmp
        return outcome


def _resolved(endpoint: Endpoint) -> SockAddr:
    """Return the tuple to bind or dial; a zone that no interface has is ENODEV (ipv6(7))."""
    try:
        return to_sockaddr(endpoint)
    except OSError as error:
        raise OSError(error.errno or codes.ENODEV, "no such interface") from error


def _is_to_itself(sock: socket.socket) -> bool:
    """Return whether the connected *sock* is its own peer.

    Two SYNs that cross make a connection without a listener (RFC 9293 section 3.5). Whoever
    dials a port of its own machine may be given that same port to dial from, and meets
    itself: once in some 14,000 attempts on an unused port of Linux's default range.

    Two clients that dial each other's ports from them can cross as well, and cannot tell.
    Measured: once in a thousand attempts, on a machine of eight ports; the odds fall with
    the square of their number.
    """
    own: SockAddr = sock.getsockname()
    peer: SockAddr = sock.getpeername()
    return own == peer


def _poll(sock: socket.socket, *, writable: bool, seconds: float) -> bool:
    """Return whether *sock* became writable (or readable), or failed, within *seconds*."""
    if sys.platform == "win32":
        # From documentation: select() reports a failed connect() as an exception.
        # https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-select
        reading, writing = ([], [sock]) if writable else ([sock], [])
        return any(select.select(reading, writing, [sock], seconds))
    poll = select.poll()
    poll.register(sock, select.POLLOUT if writable else select.POLLIN)
    return bool(poll.poll(seconds * 1000))
