"""What the protocol number of a listening socket does to the connections that it accepts."""

import asyncio
import socket
from collections.abc import Callable

import pytest

from bindlab import bind, listen
from tests.benchmarks.keep_alive import LISTENERS, measure


async def nagle_is_off(sock: socket.socket) -> bool:
    """Return whether asyncio has set TCP_NODELAY on a connection that *sock* accepts."""
    told: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted = writer.get_extra_info("socket")
        told.set_result(bool(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))
        writer.close()

    async with await asyncio.start_server(tell, sock=sock):
        _, writer = await asyncio.open_connection(*sock.getsockname()[:2])
        writer.close()
        return await asyncio.wait_for(told, 10)


@pytest.mark.parametrize(
    ("make", "off"),
    [
        pytest.param(listen, True, id="listen"),
        pytest.param(bind, True, id="bind"),
        pytest.param(LISTENERS["socket.create_server()"], False, id="create_server"),
    ],
)
def test_asyncio_switches_nagle_off_where_the_number_is_tcps(
    make: Callable[[], socket.socket], off: bool
) -> None:
    """On our sockets it does, and on those of the standard library's helper it does not."""
    assert asyncio.run(nagle_is_off(make())) is off


def test_the_benchmark_has_a_figure_for_each() -> None:
    """Every server is measured on every listener, with the quartiles around the median."""
    figures = measure(responses=3, rounds=1)
    assert len({(figure.server, figure.listener) for figure in figures}) == len(figures)
    assert {figure.listener for figure in figures} == set(LISTENERS)
    assert all(0 < figure.low <= figure.median <= figure.high for figure in figures)
