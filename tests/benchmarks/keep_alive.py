"""What the protocol number of a listening socket costs per response, as a command.

    python -m tests.benchmarks.keep_alive [--responses 30] [--rounds 3]

asyncio switches Nagle's algorithm off (``TCP_NODELAY``) on a connection only if its socket says
IPPROTO_TCP. A connection has the number of its listener: 0 for one of ``socket.create_server()``,
6 for one of ``bindlab.listen()``. With Nagle's algorithm, a response written in two parts, as
frameworks write a head and a body, waits with the second until the client has acknowledged the
first, and the client's system delays that for some 40 ms (``TCP_DELACK_MIN`` in Linux), hoping
to send it along with data. Each figure is the time from a request to the end of its response,
on a connection that stays open, over loopback, the first responses left out: a system
acknowledges those of a new connection at once (quick acknowledgements, tcp(7)).
"""

import argparse
import asyncio
import importlib.util
import socket
import statistics
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from queue import SimpleQueue
from typing import NamedTuple

from bindlab import listen

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\n"
BODY = b"hello, world\n"
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
WARM_UP = 2  # while a connection is new, Linux acknowledges at once

Serving = Callable[[socket.socket], AbstractContextManager[None]]


class Figure(NamedTuple):
    """Seconds per response: the median of all, and the quartiles around it."""

    server: str
    listener: str
    median: float
    low: float
    high: float


@contextmanager
def _asyncio_server(parts: Sequence[bytes], sock: socket.socket) -> Iterator[None]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            for part in parts:
                writer.write(part)
        writer.close()

    loops: SimpleQueue[asyncio.AbstractEventLoop] = SimpleQueue()
    stopped = asyncio.Event()

    async def serve() -> None:
        async with await asyncio.start_server(answer, sock=sock):
            loops.put(asyncio.get_running_loop())
            await stopped.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    loop = loops.get(timeout=10)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(10)


@contextmanager
def _uvicorn_server(sock: socket.socket) -> Iterator[None]:
    import uvicorn

    async def app(scope: object, receive: object, send: Callable[..., Awaitable[None]]) -> None:
        headers = [(b"content-length", str(len(BODY)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": BODY})

    config = uvicorn.Config(app, loop="asyncio", lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)


def _servers() -> dict[str, Serving]:
    servers: dict[str, Serving] = {
        "asyncio, head and body in two writes": partial(_asyncio_server, [HEAD, BODY]),
        "asyncio, all in one write": partial(_asyncio_server, [HEAD + BODY]),
    }
    if importlib.util.find_spec("uvicorn") is not None:
        servers["uvicorn"] = _uvicorn_server
    return servers


LISTENERS: dict[str, Callable[[], socket.socket]] = {
    "socket.create_server()": lambda: socket.create_server(("127.0.0.1", 0)),
    "bindlab.listen()": listen,
}


def measure(responses: int = 30, rounds: int = 3) -> list[Figure]:
    """Return a figure for each server and listener: *responses* in each of *rounds*, in turns."""
    servers = _servers()
    seconds: dict[tuple[str, str], list[float]] = {
        (server, listener): [] for server in servers for listener in LISTENERS
    }
    for _ in range(rounds):
        for (server, listener), found in seconds.items():
            with LISTENERS[listener]() as sock:
                port = sock.getsockname()[1]
                with servers[server](sock):
                    found += _responses(port, responses)
    return [Figure(*key, *_spread(found)) for key, found in seconds.items()]


def _responses(port: int, number: int) -> list[float]:
    found: list[float] = []
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        for _ in range(WARM_UP + number):
            started = time.perf_counter()
            client.sendall(REQUEST)
            received = b""
            while not received.endswith(BODY):
                if not (chunk := client.recv(1000)):
                    raise ConnectionError("the server has closed the connection")
                received += chunk
            found.append(time.perf_counter() - started)
    return found[WARM_UP:]


def _spread(found: list[float]) -> tuple[float, float, float]:
    low, median, high = statistics.quantiles(found, n=4)
    return median, low, high


def main() -> None:
    """Print the figures as a table, in milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--responses", type=int, default=30, help="in each round")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    print("| server | listener | ms per response | quartiles |\n|---|---|---|---|")
    for server, listener, *seconds in measure(chosen.responses, chosen.rounds):
        median, low, high = (1000 * each for each in seconds)
        print(f"| {server} | `{listener}` | {median:.2f} | {low:.2f} to {high:.2f} |")


if __name__ == "__main__":
    main()
