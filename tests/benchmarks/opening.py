"""Opening and closing a listener on 127.0.0.1, on a port of the system's choice."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator

from bindlab import bind, binding_of, listen

from .figures import Line, amount
from .peers import present
from .scale import Scale
from .timing import compare, repeated

__all__ = ["lines"]

LOOPBACK = ("127.0.0.1", 0)
FEW = 20  # in a row, where an event loop has to be started first


def lines(scale: Scale) -> Iterator[Line]:
    """Return the lines of ``listen()``, ``bind()`` and ``binding_of()``."""
    listeners = {
        "raw": repeated(_raw_listener),
        "listen()": repeated(_listen),
        "create_server": repeated(_create_server),
        "asyncio.start_server": _with_asyncio,
        **({"trio": _with_trio} if present("trio") else {}),
        **({"anyio": _with_anyio} if present("anyio") else {}),
    }
    compared = compare(listeners, scale.rounds)
    yield Line(
        "open a listener and close it",
        f"the same calls by hand: {amount(compared.seconds)}",
        compared.of("listen()"),
        "≤ 1.3",
        compared.but("raw", "listen()"),
    )
    compared = compare({"raw": repeated(_raw), "bind()": repeated(_bind)}, scale.rounds)
    yield Line(
        "bind a socket and close it",
        f"the same calls by hand: {amount(compared.seconds)}",
        compared.of("bind()"),
        "≤ 1.3",
    )
    with listen() as sock:
        compared = compare(
            {
                "raw": repeated(lambda: _questions(sock)),
                "binding_of()": repeated(lambda: binding_of(sock)),
            },
            scale.rounds,
        )
    yield Line(
        "ask a socket what it is bound to",
        f"the same questions by hand: {amount(compared.seconds)}",
        compared.of("binding_of()"),
    )


def _raw_listener() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(LOOPBACK)
        sock.listen(128)
        sock.getsockname()


def _listen() -> None:
    with listen() as sock:
        sock.getsockname()


def _create_server() -> None:
    with socket.create_server(LOOPBACK) as sock:
        sock.getsockname()


def _raw() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as sock:
        sock.bind(LOOPBACK)
        sock.getsockname()


def _bind() -> None:
    with bind() as sock:
        sock.getsockname()


def _questions(sock: socket.socket) -> None:
    sock.getsockname()
    with contextlib.suppress(OSError):
        sock.getpeername()
    for option in (socket.SO_TYPE, socket.SO_PROTOCOL, socket.SO_ACCEPTCONN):
        sock.getsockopt(socket.SOL_SOCKET, option)
    sock.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16)


def _with_asyncio() -> float:
    async def several() -> float:
        started = time.process_time()
        for _ in range(FEW):
            async with await asyncio.start_server(_ignore, *LOOPBACK):
                pass
        return (time.process_time() - started) / FEW

    return asyncio.run(several())


def _with_trio() -> float:
    import trio

    async def several() -> float:
        started = time.process_time()
        for _ in range(FEW):
            for listener in await trio.open_tcp_listeners(LOOPBACK[1], host=LOOPBACK[0]):
                await listener.aclose()
        return (time.process_time() - started) / FEW

    return trio.run(several)


def _with_anyio() -> float:
    import anyio

    async def several() -> float:
        started = time.process_time()
        for _ in range(FEW):
            host, port = LOOPBACK
            async with await anyio.create_tcp_listener(local_host=host, local_port=port):
                pass
        return (time.process_time() - started) / FEW

    return anyio.run(several)


def _ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()
