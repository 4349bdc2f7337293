"""One more port, while others hold thousands.

Other processes hold them, in a network of their own, so that none needs more descriptors than
it may have.
"""

import os
import random
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from bindlab.opening import allocate, bind, listen
from bindlab.opening.port_range import ephemeral_ports

from .figures import Line, amount
from .network import apart
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


def lines(scale: Scale) -> Iterator[Line]:
    """Return a line for each number of held ports."""
    yield from apart(_lines, scale)


def _lines(scale: Scale) -> list[Line]:
    holders: list[int] = []
    try:
        return list(_at_each_mark(scale, holders))
    finally:
        for holder in holders:
            os.kill(holder, signal.SIGKILL)
            os.waitpid(holder, 0)


def _at_each_mark(scale: Scale, holders: list[int]) -> Iterator[Line]:
    # Like the system, take the odd ports of the range first.
    ports = ephemeral_ports()
    order = sorted(random.sample(ports, len(ports)), key=lambda port: port % 2 == 0)
    held = 0
    for mark in scale.held:
        while held < mark:
            step = min(PER_PROCESS, mark - held)
            holders.append(_hold(order[held : held + step]))
            held += step
        samplers = {
            "bind(0)": _opened(_plain),
            **{name: _opened(opening) for name, opening in OURS.items()},
            **{name: _asked(name, ask) for name, ask in port_numbers().items()},
        }
        compared = compare(samplers, scale.rounds, patience=1.0)
        yield Line(
            f"one more port, {held:,} held",
            f"`bind` to port 0: {amount(compared.seconds)}",
            compared.of(*OURS),
            "bind() ≤ 1.3, allocate() ≤ 2",
            compared.but("bind(0)", *OURS),
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
