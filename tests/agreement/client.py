"""The side that dials, on a host of the lab: many attempts at once, in one process."""

import errno
import functools
import select
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

__all__ = ["Attempt", "Outcome", "default_sources", "dial_all"]

_LINGER = struct.pack("ii", 1, 0)  # end by RST, and leave no TIME_WAIT behind
_AT_ONCE = 1500


class Attempt(NamedTuple):
    """One thing to try: from *source* (``None``: the system's choice) to *destination*.

    With a *device*, the socket that tries it is bound to that interface (SO_BINDTODEVICE).
    """

    number: int
    transport: str
    source: str | None
    destination: str
    port: int
    device: str | None = None


class Outcome(NamedTuple):
    """What came of it.

    *met* is ``"answered"``, ``"silence"``, ``"no token"`` (connected, and then nothing), or
    the name of an errno. *token* is that of the socket that answered; *answerer* is the
    address it answered from; *source* the one that was sent from, where that is known.
    """

    number: int
    met: str
    token: int | None
    answerer: str | None
    source: str | None


def dial_all(attempts: Sequence[Attempt], patience: float) -> list[Outcome]:
    """Make all *attempts*, and wait *patience* seconds after the last one was started."""
    import resource  # which Windows has not

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    at_once = min(_AT_ONCE, most - 100)
    outcomes: list[Outcome] = []
    for start in range(0, len(attempts), at_once):
        outcomes += _dial_some(attempts[start : start + at_once], patience)
    return outcomes


def _dial_some(attempts: Sequence[Attempt], patience: float) -> Iterator[Outcome]:
    waiting: dict[int, tuple[Attempt, socket.socket]] = {}
    with select.epoll() as poll:
        try:
            for attempt in attempts:
                sock, refusal = _start(attempt)
                if refusal:
                    yield _outcome(attempt, sock, errno.errorcode[refusal])
                    sock.close()
                else:
                    waiting[sock.fileno()] = (attempt, sock)
                    # A TCP socket is readable when the token comes, or when it failed.
                    poll.register(sock, select.EPOLLIN)
                    if len(waiting) % 64 == 0:
                        yield from _finished(poll, waiting, 0)
            deadline = time.monotonic() + patience
            while waiting and (left := deadline - time.monotonic()) > 0:
                yield from _finished(poll, waiting, left)
            for attempt, sock in waiting.values():
                yield _outcome(attempt, sock, "no token" if _is_connected(sock) else "silence")
        finally:
            for _, sock in waiting.values():
                sock.close()


def _start(attempt: Attempt) -> tuple[socket.socket, int]:
    """Return the socket of an attempt that was started, and the errno if it failed at once."""
    udp = attempt.transport == "udp"
    address = _sockaddr(attempt.destination, attempt.port)
    sock = socket.socket(
        socket.AF_INET if len(address) == 2 else socket.AF_INET6,
        (socket.SOCK_DGRAM if udp else socket.SOCK_STREAM) | socket.SOCK_NONBLOCK,
    )
    try:
        if not udp:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        if attempt.device is not None:
            device = attempt.device.encode()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
        if attempt.source is not None:
            sock.bind(_sockaddr(attempt.source, 0))
        if udp:
            sock.sendto(attempt.number.to_bytes(4, "big"), address)
            return sock, 0
        number = sock.connect_ex(address)
    except OSError as error:
        number = error.errno or errno.EIO
    return sock, 0 if number == errno.EINPROGRESS else number


def _finished(
    poll: "select.epoll", waiting: dict[int, tuple[Attempt, socket.socket]], timeout: float
) -> Iterator[Outcome]:
    for descriptor, _ in poll.poll(timeout):
        attempt, sock = waiting.pop(descriptor)
        with sock:
            try:
                data, answerer = sock.recvfrom(64)
            except OSError as error:
                yield _outcome(attempt, sock, errno.errorcode[error.errno or errno.EIO])
                continue
            if not data:
                yield _outcome(attempt, sock, "no token")
                continue
            where = answerer[0] if answerer else sock.getpeername()[0]
            token = int.from_bytes(data, "big")
            yield _outcome(attempt, sock, "answered", token, where.partition("%")[0])


def _outcome(
    attempt: Attempt,
    sock: socket.socket,
    met: str,
    token: int | None = None,
    answerer: str | None = None,
) -> Outcome:
    source = attempt.source or _default_source(attempt.destination)
    return Outcome(attempt.number, met, token, answerer, source)


def default_sources(destinations: Sequence[str]) -> dict[str, str | None]:
    """Return the address that this host sends from by itself, to each of *destinations*."""
    return {destination: _default_source(destination) for destination in destinations}


@functools.cache
def _default_source(destination: str) -> str | None:
    """Return the address that the kernel sends from by itself: no packet is needed to ask."""
    address = _sockaddr(destination, 9)
    family = socket.AF_INET if len(address) == 2 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(address)
        except OSError:
            return None
        name = sock.getsockname()
        zone = f"%{socket.if_indextoname(name[3])}" if len(name) == 4 and name[3] else ""
        return f"{name[0].partition('%')[0]}{zone}"


def _is_connected(sock: socket.socket) -> bool:
    try:
        sock.getpeername()
    except OSError:
        return False
    return True


@functools.lru_cache(1024)
def _sockaddr(text: str, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    if ":" not in text:
        return (text, port)
    ip, _, zone = text.partition("%")
    return (ip, port, 0, socket.if_nametoindex(zone) if zone else 0)
