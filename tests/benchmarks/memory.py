"""Bytes that Python takes for each port held and each interface listed (tracemalloc).

What the kernel keeps for a socket is the same for whoever opened it, and is not in it.
"""

import gc
import socket
import tracemalloc
from collections.abc import Callable, Iterator

import ifaddr

from bindlab import Reservation, allocate, bind, interfaces

from .enumerating import add_addresses
from .figures import Figure, Line
from .network import apart
from .peers import present
from .scale import Scale

__all__ = ["lines"]

PORTS = 200
ADDRESSES = 202


def lines(scale: Scale) -> Iterator[Line]:
    """Return the lines of held ports, and of addresses."""
    yield _line("a held port", "a raw socket", _ports())
    yield _line("a listed address", "ifaddr", apart(_addresses))


def _line(what: str, unit: str, sizes: dict[str, float]) -> Line:
    one = sizes.pop(unit)
    figures = {name: Figure(*[size / one] * 3, "") for name, size in sizes.items()}
    ours = {name: figures.pop(name) for name in list(figures) if name.endswith("()")}
    return Line(f"bytes of {what}", f"{unit}: {one:,.0f} bytes", ours, "", figures)


def _ports() -> dict[str, float]:
    return {
        "a raw socket": _bytes_of(_raw, PORTS),
        "bind()": _bytes_of(bind, PORTS),
        "allocate()": _bytes_of(allocate, PORTS),
    }


def _addresses() -> dict[str, float]:
    add_addresses(ADDRESSES)
    listing: dict[str, Callable[[], object]] = {
        "ifaddr": lambda: list(ifaddr.get_adapters()),
        "interfaces()": interfaces,
    }
    if present("psutil"):
        import psutil

        listing["psutil"] = psutil.net_if_addrs
    return {name: _bytes_of(ask) / ADDRESSES for name, ask in listing.items()}


def _raw() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.bind(("127.0.0.1", 0))
    return sock


def _bytes_of(make: Callable[[], object], count: int = 1) -> float:
    """Return what each of *count* results of *make* takes while all are there."""
    _close(make())  # what is made once only, such as a cache, is no part of it
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        kept = [make() for _ in range(count)]
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    for each in kept:
        _close(each)
    return (after - before) / count


def _close(made: object) -> None:
    if isinstance(made, socket.socket | Reservation):
        made.close()
