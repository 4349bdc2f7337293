"""One attempt to reach an endpoint, over a real socket.

Knows how to set out, how to wait, and which connections are not what they seem. What an
errno or an ICMP message means is for :mod:`bindlab.outcome` to say; arguments are checked
by the public functions of :mod:`bindlab.probing`.
"""

import errno as codes
import os
import select
import socket
import sys
from collections.abc import Callable
from time import perf_counter

from bindlab.endpoint import Endpoint, unmap
from bindlab.icmp import Icmp, keep_icmp, read_icmp
from bindlab.outcome import Outcome, Probe, outcome_of
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
    """One attempt to reach *target* from *source* (port 0, or ``None``), both checked before."""

    __slots__ = ("_local", "_source", "_started", "_target")

    def __init__(self, target: Endpoint, source: Endpoint | None) -> None:
        self._target = target
        self._source = source
        self._local: Endpoint | None = None
        self._started = perf_counter()

    def run(self, patience: float, given_up: Callable[[], bool] | None = None) -> Probe:
        """Return what the attempt met in at most *patience* seconds.

        *given_up* is asked every 10 ms while nothing comes, and ends the attempt early.
        """
        target = self._target
        try:
            sock = socket.socket(
                family_of(target.ip), kind_of(target.transport), protocol_of(target.transport)
            )
        except OSError as error:
            return self._judged(error.errno)
        with sock:
            known = self._set_out(sock)
            return self._wait(sock, patience, given_up) if known is None else known

    def _set_out(self, sock: socket.socket) -> Probe | None:
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
        self._local = from_sockaddr(sock.getsockname(), self._target.transport)
        if self._target.transport == "udp":
            if _is_to_itself(sock):
                return self._met(Outcome.REFUSED)
            try:
                sock.send(b"")
            except OSError as error:  # EPERM from a firewall here, which may also send ICMP
                return self._judged(*(read_icmp(sock) or (error.errno, None)))
        return None

    def _wait(
        self, sock: socket.socket, patience: float, given_up: Callable[[], bool] | None
    ) -> Probe:
        tcp = self._target.transport == "tcp"
        deadline = self._started + patience
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
            if remaining <= longest or (given_up is not None and given_up()):
                return self._met(Outcome.NO_ANSWER)

    def _connected(self, sock: socket.socket) -> Probe | None:
        try:
            sock.getpeername()
        except OSError:
            return None  # woken by something that is no end
        if _is_to_itself(sock):
            # A reset: TIME_WAIT would keep the port from its server for a minute.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            return self._met(Outcome.REFUSED)
        accepted = self._met(Outcome.ACCEPTED)
        try:
            ended = not sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return accepted
        except OSError as error:
            return accepted.replace(outcome=Outcome.CLOSED_AT_ONCE, errno=error.errno)
        return accepted.replace(outcome=Outcome.CLOSED_AT_ONCE) if ended else accepted

    def _answered(self, sock: socket.socket) -> Probe | None:
        try:
            sock.recv(65535)
        except BlockingIOError:
            return None  # a datagram with a wrong checksum wakes, and is not there (poll(2))
        except OSError as error:
            return self._judged(*(read_icmp(sock) or (error.errno, None)))
        return self._met(Outcome.ACCEPTED)

    def _judged(self, errno: int | None, icmp: Icmp | None = None) -> Probe:
        outcome = outcome_of(errno, icmp, self._target.transport)
        if outcome is None:
            raise OSError(errno, os.strerror(errno or 0), str(self._target))
        return self._met(outcome, errno, icmp)

    def _met(self, outcome: Outcome, errno: int | None = None, icmp: Icmp | None = None) -> Probe:
        elapsed = perf_counter() - self._started
        return Probe(self._target, outcome, elapsed, self._local, errno, icmp)


def _resolved(endpoint: Endpoint) -> SockAddr:
    """Return the tuple to bind or dial; a zone that no interface has is ENODEV (ipv6(7))."""
    try:
        return to_sockaddr(endpoint)
    except OSError as error:
        raise OSError(error.errno or codes.ENODEV, "no such interface") from error


def _is_to_itself(sock: socket.socket) -> bool:
    own: SockAddr = sock.getsockname()
    peer: SockAddr = sock.getpeername()
    return own == peer


def _poll(sock: socket.socket, *, writable: bool, seconds: float) -> bool:
    """Return whether *sock* became writable (or readable), or failed, within *seconds*."""
    if sys.platform == "win32":
        # From documentation: select() reports a failed connect() as an exception.
        # https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-select
        ready = select.select(
            [] if writable else [sock], [sock] if writable else [], [sock], seconds
        )
        return any(ready)
    poll = select.poll()
    poll.register(sock, select.POLLOUT if writable else select.POLLIN)
    return bool(poll.poll(seconds * 1000))
