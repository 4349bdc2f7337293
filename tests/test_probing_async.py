"""probe_async() and wait_until_listening_async(): the same answers, a free loop, nothing left."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack

import pytest
from attempts import IPV6, LINUX, descriptors, port_of

from bindlab import (
    NotListeningError,
    Outcome,
    Probe,
    allocate,
    bind,
    listen,
    probe,
    probe_async,
    wait_until_listening_async,
)

AWAITABLE = [probe_async, wait_until_listening_async]


@pytest.fixture
def silent() -> Iterator[str]:
    """An endpoint that gives no answer, because its backlog is full (Linux)."""
    with listen(backlog=0) as server, ExitStack() as clients:
        for _ in range(3):
            client = clients.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield f"127.0.0.1:{port_of(server)}"


def test_it_answers_what_probe_answers() -> None:
    """Acceptance, refusal and silence are what they are without await."""
    with listen() as server, allocate() as held, bind(transport="udp") as udp:
        for target in (server, held, udp):
            met = asyncio.run(probe_async(target, timeout=0.05))
            assert met.outcome is probe(target, timeout=0.05).outcome
        assert asyncio.run(wait_until_listening_async(server)).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize("function", AWAITABLE)
@pytest.mark.parametrize(
    ("target", "timeout", "error"),
    [("localhost:80", 1, ValueError), (None, 1, TypeError), ("127.0.0.1:9", 0, ValueError)],
)
def test_bad_input(
    function: Callable[..., Awaitable[Probe]],
    target: object,
    timeout: float,
    error: type[Exception],
) -> None:
    """What cannot be dialled is an error, as it is without await."""

    async def ask() -> None:
        await function(target, timeout=timeout)

    with pytest.raises(error):
        asyncio.run(ask())


@LINUX
@pytest.mark.parametrize("function", AWAITABLE)
def test_other_tasks_run_meanwhile(function: Callable[..., Awaitable[Probe]], silent: str) -> None:
    """While an attempt waits for an answer, the loop is free."""

    async def ask() -> int:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.01)

        ticker = asyncio.create_task(tick())
        with contextlib.suppress(NotListeningError):
            assert (await function(silent, timeout=0.3)).outcome is Outcome.NO_ANSWER
        ticker.cancel()
        return ticks

    assert asyncio.run(ask()) > 3


@LINUX
@pytest.mark.parametrize("function", AWAITABLE)
def test_cancelled_at_any_point_nothing_stays_open(
    function: Callable[..., Awaitable[Probe]], silent: str
) -> None:
    """After a cancellation, wherever it comes, no descriptor is left."""

    async def ask(target: object, steps: int) -> None:
        async def call() -> None:
            await function(target, timeout=5)

        task = asyncio.create_task(call())
        for _ in range(steps):
            await asyncio.sleep(0)
        before_end = task.done()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled() or before_end

    async def all_of_them() -> None:
        before = descriptors()
        for target in (silent, held, held.port, server):
            for steps in range(25):
                await ask(target, steps)
                assert descriptors() == before

    with allocate() as held, listen() as server:
        asyncio.run(all_of_them())


def test_a_late_server_is_noticed() -> None:
    """The wait ends when somebody listens, and its other targets need not."""

    async def serve_late() -> Probe:
        with allocate("127.0.0.1") as held:
            (sock,) = held.take()
        with sock:
            waiting = asyncio.create_task(wait_until_listening_async(port_of(sock), timeout=30))
            await asyncio.sleep(0.05)
            assert not waiting.done()
            sock.listen()
            return await waiting

    assert asyncio.run(serve_late()).accepted


def test_the_end_of_an_asyncio_process_ends_the_wait() -> None:
    """asyncio's own Process is one to name, and how it ended is said."""

    async def start() -> None:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", "raise SystemExit(3)")
        with allocate() as held:
            await wait_until_listening_async(held, timeout=30, process=process)

    with pytest.raises(NotListeningError, match=r"has ended \(exit status 3\), and it never") as it:
        asyncio.run(start())
    assert it.value.process_ended


def test_trio_and_anyio() -> None:
    """Under trio it sleeps as trio does, with anyio and without, and can be cancelled there."""
    trio = pytest.importorskip("trio")
    anyio = pytest.importorskip("anyio")

    async def ask(target: object) -> bool:
        with anyio.move_on_after(0.05) as scope:
            await wait_until_listening_async(target, timeout=30)
        return scope.cancelled_caught

    with listen() as server, allocate() as held:
        for run in (trio.run, asyncio_run):
            assert [run(ask, target) for target in (server, held)] == [False, True]
        assert trio.run(probe_async, server).accepted


def asyncio_run(function: Callable[[object], Awaitable[object]], target: object) -> object:
    """Run *function* of *target* under asyncio."""

    async def call() -> object:
        return await function(target)

    return asyncio.run(call())


@IPV6
def test_a_port_is_tried_on_both_loopbacks() -> None:
    """A number is served on 127.0.0.1 or ::1: what accepts is the answer."""
    for address in ("127.0.0.1", "::1"):
        with listen(0, address) as server:
            met = probe(port_of(server))
            assert (met.accepted, str(met.endpoint.ip)) == (True, address)
    with allocate("localhost") as held:
        assert probe(held.port).outcome is Outcome.REFUSED


@IPV6
def test_a_wildcard_is_dialled_on_loopback() -> None:
    """A socket on every address is found at the loopback address of its family."""
    for address, dialled in (("0.0.0.0", "127.0.0.1"), ("::", "::1")):
        with listen(0, address) as server:
            assert str(probe(server).endpoint.ip) == dialled
