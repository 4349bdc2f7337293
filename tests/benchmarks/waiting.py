"""How late a server is noticed that begins to listen after a while."""

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeAlias

from bindlab import bind, wait_until_listening

from .figures import Line
from .scale import Scale
from .timing import figure

__all__ = ["lines"]

Waiting: TypeAlias = Callable[[tuple[str, int]], None]
LISTENING = 2.0  # seconds of waiting in each round, over all starts
BINDLAB = "wait_until_listening()"


def lines(scale: Scale) -> Iterator[Line]:
    """Return a line for each time that a server takes to start."""
    for start in scale.starts:
        late: dict[str, list[float]] = {name: [] for name in POLICIES}
        for _ in range(max(2, min(scale.rounds // 2, int(LISTENING / start)))):
            for name in random.sample(list(POLICIES), len(POLICIES)):
                late[name].append(_lateness(start, POLICIES[name]) / (start / 100))
        figures = {name: figure(samples, "%") for name, samples in late.items()}
        yield Line(
            f"notice a server that takes {start * 1000:.0f} ms to listen",
            f"1 % of it: {start * 10:.1f} ms",
            {"": figures.pop(BINDLAB)},
            f"≤ {max(2, 100 * 0.001 / start):.1f} %",
            figures,
        )


def _lateness(start: float, wait: Waiting) -> float:
    """Return how many seconds after ``listen()`` *wait* returned."""
    with bind() as sock:
        listened: list[float] = []

        def serve() -> None:
            time.sleep(start)
            sock.listen()
            listened.append(time.perf_counter())

        server = threading.Thread(target=serve)
        server.start()
        wait(sock.getsockname())
        noticed = time.perf_counter()
        server.join()
        return max(0.0, noticed - listened[0])


def _polled(pauses: Callable[[int], float]) -> Waiting:
    def wait(address: tuple[str, int]) -> None:
        attempt = 0
        while True:
            try:
                socket.create_connection(address, timeout=1).close()
                return
            except OSError:
                time.sleep(pauses(attempt))
                attempt += 1

    return wait


def _by_bindlab(address: tuple[str, int]) -> None:
    wait_until_listening(f"{address[0]}:{address[1]}")


POLICIES: dict[str, Waiting] = {
    BINDLAB: _by_bindlab,
    "every 1 ms": _polled(lambda attempt: 0.001),
    "every 100 ms": _polled(lambda attempt: 0.1),
    "doubling from 1 ms": _polled(lambda attempt: 0.001 * 2**attempt),
}
