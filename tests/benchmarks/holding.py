"""One more port, while others hold thousands.

Other processes hold them, in a network of their own, so that none needs more descriptors than
it may have. What counts as 1 is ``bind`` to port 0: up to 10,000 held ports in that very
network, and above that, where the system's search collapses, in one where nobody holds any.
Contenders take turns with it by moving from one network to the other.
"""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from bindlab.opening import allocate, bind, listen
from bindlab.opening.port_range import RandomOrder, ephemeral_ports

from .figures import Line, amount
from .network import apart, enter, enter_new, here
from .peers import port_numbers
from .scale import Scale
from .timing import Sampler, compare

__all__ = ["lines"]

PER_PROCESS = 5000
AT_ONCE = 300
LONGEST = 0.05  # seconds for a sample
LEAVE_CONNECTIONS = ("ephemeral-port-reserve",)  # which would fill the range, for a minute
FEW = 3
OURS = {"bind()": bind, "listen()": listen, "allocate()": allocate}
MANY = 10_000
GOALS = {20_000: "≤ 5", 27_000: "≤ 15"}


def lines(scale: Scale) -> Iterator[Line]:
    """Return a line for each number of held ports."""
    yield from apart(_lines, scale)


def _lines(scale: Scale) -> list[Line]:
    crowded = here()
    enter_new()
    empty = here()
    enter(crowded)
    holders: list[int] = []
    try:
        return list(_at_each_mark(scale, crowded, empty, holders))
    finally:
        for holder in holders:
            os.kill(holder, signal.SIGKILL)
            os.waitpid(holder, 0)


def _at_each_mark(scale: Scale, crowded: int, empty: int, holders: list[int]) -> Iterator[Line]:
    # Like the system, take the odd ports of the range first.
    order = sorted(RandomOrder(ephemeral_ports()).once(), key=lambda port: port % 2 == 0)
    held = 0
    for mark in scale.held:
        while held < mark:
            step = min(PER_PROCESS, mark - held)
            holders.append(_hold(order[held : held + step]))
            held += step
        samplers = {
            "first": _in(crowded if held <= MANY else empty, _opened(_plain)),
            "bind(0)": _in(crowded, _opened(_plain)),
            **{name: _in(crowded, _opened(opening)) for name, opening in OURS.items()},
            **{name: _in(crowded, _asked(name, ask)) for name, ask in port_numbers().items()},
        }
        if held <= MANY:
            del samplers["bind(0)"]
        for sampler in samplers.values():
            sampler()  # what a process learns in the beginning is no part of the price
        compared = compare(samplers, scale.rounds, patience=1.0)
        yield Line(
            f"one more port, {held:,} held",
            f"`bind` to port 0{'' if held <= MANY else ', none held'}: {amount(compared.seconds)}",
            compared.of(*OURS),
            GOALS.get(mark, "bind() ≤ 1.3, allocate() ≤ 2"),
            compared.but("first", *OURS),
        )


def _hold(ports: list[int]) -> int:
    """Hold *ports* in a child process, and return its number."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            held = [bind(port) for port in ports]  # noqa: F841
            os.write(writer, b"x")
            signal.pause()
        finally:
            os._exit(0)
    os.close(writer)
    ready = os.read(reader, 1)
    os.close(reader)
    if not ready:
        raise OSError("the ports could not be held")
    return child


def _plain() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.bind(("127.0.0.1", 0))
    sock.getsockname()
    return sock


def _in(network: int, sampler: Sampler) -> Sampler:
    def sample() -> float:
        enter(network)
        return sampler()

    return sample


def _opened(opening: Callable[[], object]) -> Sampler:
    """Return the time per opening of some, which stay open until the last."""

    def sample() -> float:
        with ExitStack() as stack:
            started = time.process_time()
            count = 0
            while count < AT_ONCE and time.process_time() - started < LONGEST:
                stack.enter_context(opening())  # type: ignore[arg-type]
                count += 1
            return (time.process_time() - started) / count

    return sample


def _asked(name: str, ask: Callable[[], int]) -> Sampler:
    """Return the time per number that somebody hands out, and does not hold."""
    most = FEW if name in LEAVE_CONNECTIONS else AT_ONCE

    def sample() -> float:
        started = time.process_time()
        count = 0
        while count < most and time.process_time() - started < LONGEST:
            ask()
            count += 1
        return (time.process_time() - started) / count

    return sample
