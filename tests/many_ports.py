"""What one more port costs when thousands are held, as a command.

    python tests/many_ports.py

Other processes hold the ports, in a network namespace, so that no process needs more
descriptors than it may have. For each number of held ports it prints the time, in
microseconds, that 300 more take each: with the system's own search (bind to port 0), bind(),
allocate(), and allocate() of a pair.
"""

import ctypes
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack

from bindlab.opening import bind
from bindlab.opening.allocation import allocate
from bindlab.opening.port_range import RandomOrder, ephemeral_ports

MARKS = [0, 1000, 5000, 10_000, 14_000, 14_500, 20_000, 24_000, 27_000]
PER_PROCESS = 5000


def enter_namespace() -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(0x40000000) != 0:  # CLONE_NEWNET
        raise OSError(ctypes.get_errno(), "no network namespace of one's own")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def hold(ports: list[int], until: int) -> None:
    """Hold *ports* in a child process until the other end of the pipe *until* is closed."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(reader)
        held = [bind(port) for port in ports]
        os.write(writer, b"x")
        os.read(until, 1)
        os._exit(len(held) & 0)
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)


def plain() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.bind(("127.0.0.1", 0))
    sock.getsockname()
    return sock


def cost(opening: Callable[[], "socket.socket | object"], count: int = 300) -> float:
    """Return the mean time of *count* openings, which stay open till the last, in microseconds."""
    with ExitStack() as stack:
        started = time.perf_counter()
        for _ in range(count):
            stack.enter_context(opening())  # type: ignore[arg-type]
        return (time.perf_counter() - started) / count * 1e6


def pair() -> object:
    return allocate("127.0.0.1", "::1")


def main() -> None:
    enter_namespace()
    until, release = os.pipe()
    # Like the system, take the odd ports of the range first.
    order = sorted(RandomOrder(ephemeral_ports()).once(), key=lambda port: port % 2 == 0)
    contenders = {"bind to 0": plain, "bind()": bind, "allocate()": allocate, "a pair": pair}
    print("".join(f"{text:>14}" for text in ("held", *contenders)))
    held = 0
    for mark in MARKS:
        while held < mark:
            step = min(PER_PROCESS, mark - held)
            hold(order[held : held + step], until)
            held += step
        row = [
            statistics.median(cost(opening, 100 if opening is plain else 300) for _ in range(3))
            for opening in contenders.values()
        ]
        print(f"{held:14}" + "".join(f"{each:14.1f}" for each in row), flush=True)
    os.close(release)


if __name__ == "__main__":
    sys.exit(main())
