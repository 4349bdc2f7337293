"""The race for ports, as a command: how many numbers are lost between asking and serving.

    python -m tests.benchmarks.race [--claims 20000] [--strategies bindlab,portpicker,...]

Eight processes each keep 25 ports outstanding, in a network namespace whose range has
1,000 ports, while another one makes outgoing connections. Each process takes a port, serves
on it 25 ports later, and stops 5 ports after that. A port is *lost* when its server cannot
bind and listen, and a *duplicate* when it is handed out while somebody else has it. Needs
Linux and the right to make a network namespace; the peers are the ``bench`` extra, and are
left out if missing.
"""

import argparse
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing
from multiprocessing.sharedctypes import Synchronized, SynchronizedArray
from typing import NamedTuple

from .network import apart
from .peers import port_numbers

FIRST, COUNT = 40000, 1000
OUTSTANDING = 25
SERVING = 5
PROCESSES = 8

Taken = tuple[int, Callable[[], socket.socket]]  # a port, and how to serve on it


class Result(NamedTuple):
    claims: int
    lost: int
    duplicates: int
    refused: int  # asked for, and no number was given
    seconds: float


def serve_on(port: int) -> socket.socket:
    """Bind and listen as a server does that was given only the number."""
    sock = socket.socket()
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
        sock.listen()
    except OSError:
        sock.close()
        raise
    return sock


def bindlab_held() -> Taken:
    from bindlab.opening.allocation import allocate

    held = allocate()
    return held.port, lambda: held.listen()[0]


def bindlab_lent() -> Taken:
    from bindlab.opening.allocation import allocate

    held = allocate(lendable=True)

    def serve() -> socket.socket:
        with held:
            return serve_on(held.port)

    return held.port, serve


def _number(port: int) -> Taken:
    return port, lambda: serve_on(port)


def bind_and_close() -> Taken:
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        return _number(sock.getsockname()[1])


def a_number_from(ask: Callable[[], int]) -> Callable[[], Taken]:
    return lambda: _number(ask())


STRATEGIES: dict[str, Callable[[], Taken]] = {
    "bindlab": bindlab_held,
    "bindlab-lent": bindlab_lent,
    "bind-and-close": bind_and_close,
    **{name: a_number_from(ask) for name, ask in port_numbers().items()},
}


class Counters(NamedTuple):
    owners: "SynchronizedArray[int]"  # how many have each port of the range
    claims: "Synchronized[int]"
    lost: "Synchronized[int]"
    duplicates: "Synchronized[int]"
    refused: "Synchronized[int]"


def _add(counter: "Synchronized[int]", number: int = 1) -> None:
    with counter.get_lock():
        counter.value += number


def _own(counters: Counters, port: int, change: int) -> None:
    if not FIRST <= port < FIRST + COUNT:
        return
    with counters.owners.get_lock():
        counters.owners[port - FIRST] += change
        if change > 0 and counters.owners[port - FIRST] > 1:
            _add(counters.duplicates)


def _served(counters: Counters, taken: Taken) -> tuple[int, socket.socket] | None:
    port, serve = taken
    _add(counters.claims)
    try:
        return port, serve()
    except OSError:
        _add(counters.lost)
        _own(counters, port, -1)
        return None


def _worker(name: str, claims: int, counters: Counters) -> None:
    take = STRATEGIES[name]
    outstanding: deque[Taken] = deque()
    servers: deque[tuple[int, socket.socket]] = deque()

    def stop_one() -> None:
        port, server = servers.popleft()
        _own(counters, port, -1)  # before closing, or the next owner would be a duplicate
        server.close()

    for turn in range(claims + OUTSTANDING):
        if turn < claims:
            try:
                taken = take()
            except (OSError, RuntimeError):
                _add(counters.refused)
                continue
            _own(counters, taken[0], 1)
            outstanding.append(taken)
        if outstanding and (len(outstanding) > OUTSTANDING or turn >= claims):
            served = _served(counters, outstanding.popleft())
            if served is not None:
                servers.append(served)
        if len(servers) > SERVING:
            stop_one()
    while servers:
        stop_one()


def _noise() -> None:
    """Make outgoing connections, a few at a time, for ever; they leave no TIME_WAIT behind."""
    with socket.create_server(("127.0.0.1", 20000)) as server:
        clients: deque[socket.socket] = deque()
        while True:
            try:
                client = socket.create_connection(("127.0.0.1", 20000), timeout=1)
            except OSError:
                time.sleep(0.01)
                continue
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            clients.append(client)
            if len(clients) > 10:
                clients.popleft().close()
            server.accept()[0].close()
            time.sleep(0.002)


def _referee(name: str, claims: int) -> Result:
    with open("/proc/sys/net/ipv4/ip_local_port_range", "w", encoding="utf-8") as file:
        file.write(f"{FIRST} {FIRST + COUNT - 1}")
    STRATEGIES[name]()[1]().close()  # imports what it needs, before the clock runs
    context = multiprocessing.get_context("fork")
    counters = Counters(
        context.Array("i", COUNT), *(context.Value("i", 0) for _ in Counters._fields[1:])
    )
    noise = context.Process(target=_noise, daemon=True)
    noise.start()
    share = claims // PROCESSES
    started = time.monotonic()
    workers = [
        context.Process(target=_worker, args=(name, share, counters)) for _ in range(PROCESSES)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    seconds = time.monotonic() - started
    if noise.pid is not None:
        os.kill(noise.pid, signal.SIGKILL)
    noise.join()
    if any(worker.exitcode for worker in workers):
        raise RuntimeError("a worker has failed")
    return Result(*(counter.value for counter in counters[1:]), seconds)


def run(name: str, claims: int) -> Result:
    """Run one strategy in a namespace of its own; ``OSError`` where there is none to be had."""
    return apart(_referee, name, claims)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--claims", type=int, default=20000)
    parser.add_argument("--strategies", default=",".join(STRATEGIES))
    chosen = parser.parse_args()
    print(
        f"{'':24}{'claims':>9}{'lost':>8}{'':>9}{'duplicates':>12}{'no number':>11}{'us each':>9}"
    )
    for name in chosen.strategies.split(","):
        result = run(name, chosen.claims)
        share = 100 * result.lost / max(result.claims, 1)
        each = 1e6 * result.seconds / max(result.claims, 1)
        print(
            f"{name:24}{result.claims:9}{result.lost:8}{share:8.2f}%{result.duplicates:12}"
            f"{result.refused:11}{each:9.0f}",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
