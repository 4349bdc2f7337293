"""What a client meets at an endpoint: one real attempt, or attempts until one is accepted."""

import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeAlias

from bindlab.endpoint import Endpoint, IPAddress
from bindlab.probing.asked import parse_dialled, parse_source, parse_timeout
from bindlab.probing.dial import Dial
from bindlab.probing.dialling import Sleep, dial_all, dial_all_async
from bindlab.probing.outcome import Outcome, Probe
from bindlab.target import OneTarget

# Sleeping 1 % of the time elapsed notices a server within 1 % of its start time, for a
# fraction of the processor time that a spin takes; doubling the pause would miss by half.
_PAUSE = 0.01
_SHORTEST_PAUSE = 0.0002
_LONGEST_PAUSE = 0.01
# A dropped SYN is sent afresh when TCP first would (RFC 6298 section 2.1), not after 3, 7, 15 s.
_PATIENCE = 1.0


class _Polled(Protocol):
    def poll(self) -> int | None: ...


class _Alive(Protocol):
    def is_alive(self) -> bool: ...


class _Returning(Protocol):
    @property
    def returncode(self) -> int | None: ...


Process: TypeAlias = _Polled | _Alive | _Returning
"""``Popen``, ``multiprocessing.Process``, ``threading.Thread``, asyncio's ``Process``, and such."""


class NotListeningError(TimeoutError):
    """Nothing came to listen in time, or the process that should have is gone.

    *probe* is what the last attempt met, *process_ended* whether waiting stopped early.
    """

    probe: Probe | None = None
    process_ended: bool = False

    def __init__(
        self, message: str = "", probe: Probe | None = None, process_ended: bool = False
    ) -> None:
        super().__init__(message)
        self.probe = probe
        self.process_ended = process_ended


def probe(
    endpoint: OneTarget, *, timeout: float = 1.0, source: IPAddress | str | None = None
) -> Probe:
    """Return what one real attempt to reach *endpoint* meets; the network's "no" is no error.

    TCP: a connection is made, and closed in the polite way. UDP: one empty datagram is
    sent; only an answer or an ICMP refusal is knowledge, silence is not (a server need not
    answer, and hosts limit the rate of their refusals: RFC 1812 section 4.3.2.8).

    *endpoint* is an :class:`Endpoint`, its text or a URL; or a port of this machine (``3000``,
    ``"53/udp"``), which is tried on 127.0.0.1 and ::1; or a socket, or a server that holds some,
    which is dialled where it is bound, a wildcard on loopback. Where that means several
    endpoints, all are tried at once, and the answer is the first that is accepted, else what
    the first one met.

    *timeout* is in seconds, kept to the millisecond and rounded up to it. *source* is the
    address of this machine to send from; ``None`` lets the system choose.

    A connection that turns out to be one to ourselves (the system chose the target's own
    port as ours, RFC 9293 section 3.5) is ``Outcome.REFUSED``: nobody listens there. It is
    ``Outcome.CLOSED_AT_ONCE`` if the peer's end is here when the connection is made: we look
    once and wait for nothing, so a server that takes longer is seen as accepting.

    A name, a wildcard, a multicast group, a link-local address without its zone, or port 0
    as *endpoint* is a ``ValueError``, and so is a *source* of the other family. ``OSError``
    is left for what says nothing about the target, such as too many open files.
    """
    dials = _dials(endpoint, source)
    dial_all(dials, parse_timeout(timeout))
    return _best(dials).probe()


async def probe_async(
    endpoint: OneTarget, *, timeout: float = 1.0, source: IPAddress | str | None = None
) -> Probe:
    """Return what :func:`probe` does, and let other tasks run meanwhile.

    It works under asyncio and under trio, and so with anyio. When it is cancelled, the attempt
    ends and nothing stays open.
    """
    dials = _dials(endpoint, source)
    await dial_all_async(dials, parse_timeout(timeout), _sleep())
    return _best(dials).probe()


def probe_all(
    endpoints: Iterable[Endpoint],
    *,
    timeout: float = 1.0,
    linger: float = 0.0,
) -> tuple[Probe, ...]:
    """Return what an attempt at each of *endpoints* meets, 128 of them at the same time.

    Each connection is watched for *linger* seconds, whether its peer ends it at once.
    Otherwise as in :func:`probe`; *timeout* is for each.
    """
    seconds = parse_timeout(timeout)
    dials = [Dial(one, linger=linger) for each in endpoints for one in parse_dialled(each)]
    dial_all(dials, seconds)
    return tuple(dial.probe() for dial in dials)


def wait_until_listening(
    endpoint: OneTarget, *, timeout: float = 5.0, process: Process | None = None
) -> Probe:
    """Return the first accepted attempt to connect to *endpoint*, a TCP endpoint.

    Where the machine answers (on loopback, always) this is within 1 ms or 2 % of the wait
    after listen(2) was called. Where packets vanish, one goes out every second.

    **Listening is not ready.** The system completes connections from listen() on; whether
    the server has loaded, and will answer, only a request can tell. And what accepts may be
    another server that had the port already.

    *timeout* is in seconds. When it is over, and as soon as *process* has ended, the answer
    is :class:`NotListeningError`, a ``TimeoutError`` with the last :class:`Probe`, which says
    how the process ended. *process* is anything with ``poll()`` (``None`` while running),
    ``is_alive()`` or a ``returncode`` (``None`` while running); a launcher that leaves its
    server behind is not the process to name.

    A UDP endpoint is a ``ValueError``: a UDP server does not listen, and owes no answer.
    Otherwise as in :func:`probe`.
    """
    __tracebackhide__ = True
    waiting = _Waiting(endpoint, timeout, process)
    while True:
        dials = waiting.dials()
        dial_all(dials, waiting.patience, waiting.may_stop)
        if (accepted := waiting.accepted(dials)) is not None:
            return accepted
        time.sleep(waiting.pause)


async def wait_until_listening_async(
    endpoint: OneTarget, *, timeout: float = 5.0, process: Process | None = None
) -> Probe:
    """Return what :func:`wait_until_listening` does, and let other tasks run meanwhile.

    It works under asyncio and under trio, and so with anyio. When it is cancelled, the attempt
    ends and nothing stays open.
    """
    __tracebackhide__ = True
    sleep = _sleep()
    waiting = _Waiting(endpoint, timeout, process)
    while True:
        dials = waiting.dials()
        await dial_all_async(dials, waiting.patience, sleep, waiting.may_stop)
        if (accepted := waiting.accepted(dials)) is not None:
            return accepted
        await sleep(waiting.pause)


class _Waiting:
    """A wait for a server: what to try next, for how long, and when it is over."""

    def __init__(self, target: OneTarget, timeout: float, process: Process | None) -> None:
        self._endpoints = parse_dialled(target)
        self._seconds = parse_timeout(timeout)
        for endpoint in self._endpoints:
            if endpoint.transport == "udp":
                raise ValueError(
                    f"{endpoint}: UDP has no listening to wait for, and silence says nothing: "
                    "have the server tell that it is ready, or send it what it answers"
                )
        self._end = _end_of(process)
        self._started = time.perf_counter()
        self._deadline = self._started + self._seconds
        self._last: Dial | None = None

    @property
    def patience(self) -> float:
        """How many seconds the next attempt may take."""
        return min(_PATIENCE, max(_SHORTEST_PAUSE, self._deadline - time.perf_counter()))

    @property
    def pause(self) -> float:
        """How many seconds to sleep before the next attempt."""
        now = time.perf_counter()
        pause = min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, (now - self._started) * _PAUSE))
        return max(0.0, min(pause, self._deadline - now))

    def dials(self) -> list[Dial]:
        """Return a fresh attempt at each endpoint."""
        self._dials = [Dial(endpoint) for endpoint in self._endpoints]
        return self._dials

    def may_stop(self) -> bool:
        """Return whether an attempt under way may end: one is accepted, or the process ended."""
        return any(dial.outcome.is_acceptance for dial in self._dials) or self._end() is not None

    def accepted(self, dials: Sequence[Dial]) -> Probe | None:
        """Return what was accepted, if anything; raise when waiting is over."""
        __tracebackhide__ = True
        dial = _best(dials)
        now = time.perf_counter()
        end = self._end()
        if dial.outcome.is_acceptance and end is None:
            return dial.probe()
        # One that was cut short says less than the one before it.
        if self._last is None or dial.outcome is not Outcome.NO_ANSWER or dial.elapsed >= _PATIENCE:
            self._last = dial
        met = self._last.probe()
        if end is not None:
            what = "what accepts is another" if dial.outcome.is_acceptance else "it never listened"
            raise NotListeningError(f"the process has ended{end}, and {what}: {met}", met, True)
        if now >= self._deadline:
            raise NotListeningError(f"{met} (waited {self._seconds:g} s)", met)
        return None


def _dials(target: OneTarget, source: IPAddress | str | None) -> list[Dial]:
    return [Dial(endpoint, parse_source(source, endpoint)) for endpoint in parse_dialled(target)]


def _best(dials: Sequence[Dial]) -> Dial:
    """Return the first attempt that was accepted, else the first."""
    return next((dial for dial in dials if dial.outcome.is_acceptance), dials[0])


def _end_of(process: object) -> Callable[[], str | None]:
    """Return what tells in words how *process* ended, and ``None`` while it runs."""
    if process is None:
        return lambda: None
    poll: object = getattr(process, "poll", None)
    if callable(poll):
        return lambda: _how(poll())
    is_alive: object = getattr(process, "is_alive", None)
    if callable(is_alive):
        return lambda: None if is_alive() else _how(getattr(process, "exitcode", None)) or ""
    if hasattr(process, "returncode"):
        return lambda: _how(getattr(process, "returncode", None))
    raise TypeError(
        f"process is a {type(process).__name__}, with neither poll(), is_alive() nor a "
        "returncode: pass a subprocess.Popen or a multiprocessing.Process"
    )


def _how(code: object) -> str | None:
    """Return how a process with this exit status ended; a negative one is a signal (POSIX)."""
    if not isinstance(code, int):
        return None if code is None else ""
    if code >= 0:
        return f" (exit status {code})"
    known = {number.value: number.name for number in signal.Signals}
    return f" (killed by {known.get(-code, f'signal {-code}')})"


def _sleep() -> Sleep:
    """Return the sleep() of what runs this task."""
    import asyncio

    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        sleep: Sleep = trio.sleep
        return sleep
    return asyncio.sleep
