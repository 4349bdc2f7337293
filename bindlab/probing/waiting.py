"""What a client meets at an endpoint: one real attempt, or attempts until one is accepted."""

import sys
import time
from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias

from bindlab.endpoint import Endpoint, IPAddress, lacks_zone, parse_address, unmap
from bindlab.probing.dial import Dial, dial_all
from bindlab.probing.outcome import Outcome, Probe
from bindlab.sockaddr import family_of

__all__ = ["NotListeningError", "Process", "probe", "probe_all", "wait_until_listening"]

# Sleeping 1 % of the time elapsed notices a server within 1 % of its start time, for a
# fraction of the processor time that a spin takes; doubling the pause would miss by half.
_PAUSE = 0.01
_SHORTEST_PAUSE = 0.0002
_LONGEST_PAUSE = 0.01
# A dropped SYN is sent afresh when TCP first would (RFC 6298 section 2.1), not after 3, 7, 15 s.
_PATIENCE = 1.0


class _Polled(Protocol):
    def poll(self) -> object: ...


class _Alive(Protocol):
    def is_alive(self) -> bool: ...


Process: TypeAlias = _Polled | _Alive
"""``subprocess.Popen``, ``multiprocessing.Process``, ``threading.Thread`` and their like."""


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
    endpoint: Endpoint | str, *, timeout: float = 1.0, source: IPAddress | str | None = None
) -> Probe:
    """Return what one real attempt to reach *endpoint* meets; the network's "no" is no error.

    TCP: a connection is made, and closed in the polite way. UDP: one empty datagram is
    sent; only an answer or an ICMP refusal is knowledge, silence is not (a server need not
    answer, and hosts limit the rate of their refusals: RFC 1812 section 4.3.2.8).

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
    target = parse_target(endpoint)
    dial = Dial(target, _parse_source(source, target))
    dial_all([dial], parse_timeout(timeout))
    return dial.probe()


def probe_all(endpoints: Iterable[Endpoint], *, timeout: float = 1.0) -> tuple[Probe, ...]:
    """Return what an attempt at each of *endpoints* meets, 128 of them at the same time.

    Otherwise as in :func:`probe`; *timeout* is for each.
    """
    seconds = parse_timeout(timeout)
    dials = [Dial(parse_target(endpoint)) for endpoint in endpoints]
    dial_all(dials, seconds)
    return tuple(dial.probe() for dial in dials)


def wait_until_listening(
    endpoint: Endpoint | str, *, timeout: float = 5.0, process: Process | None = None
) -> Probe:
    """Return the first accepted attempt to connect to *endpoint*, a TCP endpoint.

    Where the machine answers (on loopback, always) this is within 1 ms or 2 % of the wait
    after listen(2) was called. Where packets vanish, one goes out every second.

    **Listening is not ready.** The system completes connections from listen() on; whether
    the server has loaded, and will answer, only a request can tell. And what accepts may be
    another server that had the port already.

    *timeout* is in seconds. When it is over, and as soon as *process* has ended, the answer
    is :class:`NotListeningError`, a ``TimeoutError`` with the last :class:`Probe`. *process*
    is anything with ``poll()`` (``None`` while running) or ``is_alive()``; a launcher that
    leaves its server behind is not the process to name.

    A UDP endpoint is a ``ValueError``: a UDP server does not listen, and owes no answer.
    Otherwise as in :func:`probe`.
    """
    target = parse_target(endpoint)
    seconds = parse_timeout(timeout)
    if target.transport == "udp":
        raise ValueError(
            f"{target}: UDP has no listening to wait for, and silence says nothing: "
            "have the server tell that it is ready, or send it what it answers"
        )
    started = time.perf_counter()
    deadline = started + seconds
    has_ended = _end_of(process)
    last: Dial | None = None
    while True:
        patience = min(_PATIENCE, max(_SHORTEST_PAUSE, deadline - time.perf_counter()))
        dial = Dial(target)
        dial_all([dial], patience, has_ended)
        now = time.perf_counter()
        ended = has_ended is not None and has_ended()
        if dial.outcome.is_acceptance and not ended:
            return dial.probe()
        # One that was cut short says less than the one before it.
        if last is None or dial.outcome is not Outcome.NO_ANSWER or dial.elapsed >= _PATIENCE:
            last = dial
        if ended:
            what = "what accepts is another" if dial.outcome.is_acceptance else "it never listened"
            met = last.probe()
            raise NotListeningError(f"the process has ended, and {what}: {met}", met, True)
        if now >= deadline:
            met = last.probe()
            raise NotListeningError(f"{met} (waited {seconds:g} s)", met)
        pause = min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, (now - started) * _PAUSE))
        time.sleep(min(pause, deadline - now))


def _end_of(process: object) -> Callable[[], bool] | None:
    """Return the question whether *process* has ended, if there is one to ask."""
    if process is None:
        return None
    poll: object = getattr(process, "poll", None)
    if callable(poll):
        return lambda: poll() is not None
    is_alive: object = getattr(process, "is_alive", None)
    if callable(is_alive):
        return lambda: not is_alive()
    raise TypeError(
        f"process is a {type(process).__name__}, with neither poll() nor is_alive(): "
        "pass a subprocess.Popen or a multiprocessing.Process"
    )


def parse_target(endpoint: object) -> Endpoint:
    """Return *endpoint*, or what its text names, if that is something to dial."""
    if isinstance(endpoint, str):
        endpoint = Endpoint.parse(endpoint)
    if not isinstance(endpoint, Endpoint):
        raise TypeError(
            f"an endpoint is an Endpoint or its text, not {type(endpoint).__name__}: "
            "write 127.0.0.1:3000 or [::1]:3000"
        )
    if endpoint.is_unspecified:
        raise ValueError(
            f"{endpoint} is a wildcard, which is for listening and cannot be dialled: "
            f"write one that it stands for, such as {_loopback(endpoint)}"
        )
    if endpoint.port == 0:
        raise ValueError(f"{endpoint}: nothing has port 0: write the port that the server has")
    if unmap(endpoint.ip).is_multicast:
        raise ValueError(f"{endpoint} is a multicast group, and nobody answers from it")
    if lacks_zone(endpoint.ip):
        raise ValueError(
            f"{endpoint}: a link-local address needs its zone: "
            f"write {Endpoint(f'{endpoint.ip}%eth0', endpoint.port, endpoint.transport)}"
        )
    return endpoint


def parse_timeout(timeout: object) -> float:
    """Return *timeout* in seconds, if it is a finite number above 0 and no bool."""
    if isinstance(timeout, bool) or not isinstance(timeout, int | float):
        raise TypeError(f"a timeout is a number of seconds, not {type(timeout).__name__}")
    if not 0 < timeout <= sys.float_info.max:
        raise ValueError(f"timeout {timeout} is not a finite number of seconds above 0")
    return float(timeout)


def _parse_source(source: object, target: Endpoint) -> Endpoint | None:
    """Return *source* as an endpoint with a port that the system chooses."""
    if source is None:
        return None
    ip = parse_address(source)
    if unmap(ip).is_unspecified:
        raise ValueError(f"source {ip} is a wildcard: write None to let the system choose")
    if unmap(ip).is_multicast:
        raise ValueError(f"source {ip} is a multicast group: nothing is sent from one")
    if lacks_zone(ip):
        raise ValueError(f"source {ip}: a link-local address needs its zone, as in {ip}%eth0")
    if (family_of(ip), unmap(ip).version) != (family_of(target.ip), unmap(target.ip).version):
        raise ValueError(f"source {ip} and target {target} are of different families")
    return Endpoint(ip, 0, target.transport)


def _loopback(endpoint: Endpoint) -> Endpoint:
    return endpoint.replace(ip="127.0.0.1" if unmap(endpoint.ip).version == 4 else "::1")
