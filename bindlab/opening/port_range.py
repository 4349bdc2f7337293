"""Which ports this system gives away by itself, as far as it says.

Knows Linux's settings (ip-sysctl, "ip_local_port_range", "ip_local_reserved_ports",
"ip_unprivileged_port_start"), each that of the calling thread's network namespace. Elsewhere
it knows what RFC 6335 section 6 and the systems' documentation say.
"""

import itertools
import math
import os
from collections.abc import Iterator
from typing import Self

__all__ = [
    "RandomOrder",
    "ephemeral_ports",
    "lends_to_port_0",
    "privileged_below",
    "reserved_ports",
]

_SETTINGS = "/proc/sys/net/ipv4/"
_DYNAMIC = range(49152, 65536)  # RFC 6335 section 6; macOS, Windows, OpenBSD choose from it


def ephemeral_ports() -> range:
    """Return the ports from which the system chooses for port 0."""
    try:
        low, high = map(int, _setting("ip_local_port_range").split())
    except (OSError, ValueError):
        return _DYNAMIC
    return range(low, high + 1)


def reserved_ports() -> frozenset[int]:
    """Return the ports that the system never chooses, though they may be bound."""
    ports: set[int] = set()
    try:
        for part in filter(None, _setting("ip_local_reserved_ports").split(",")):
            first, _, last = part.partition("-")
            ports.update(range(int(first), int(last or first) + 1))
    except (OSError, ValueError):
        return frozenset()
    return frozenset(ports)


def privileged_below() -> int:
    """Return the first port that needs no privilege; 1024 where the system does not say."""
    try:
        return int(_setting("ip_unprivileged_port_start"))
    except (OSError, ValueError):
        return 1024


def lends_to_port_0() -> bool:
    """Return whether port 0 may yield a port that a socket with ``SO_REUSEADDR`` has already.

    That is ``ip_autobind_reuse``, which the system asks when all ports of its range are taken.
    """
    try:
        return int(_setting("ip_autobind_reuse")) != 0
    except (OSError, ValueError):
        return False


class RandomOrder:
    """Each of *ports*, beginning and going on at random, round and round without end.

    It costs nothing in advance, and several threads may take from it.
    """

    __slots__ = ("_ports", "_start", "_steps", "_stride")

    def __init__(self, ports: range) -> None:
        self._ports = ports
        self._start = int.from_bytes(os.urandom(4), "big")
        self._stride = int.from_bytes(os.urandom(4), "big") % max(len(ports), 1) or 1
        while math.gcd(self._stride, len(ports)) > 1:  # without a common divisor it visits all
            self._stride += 1
        self._steps = itertools.count()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> int:
        if not self._ports:
            raise StopIteration
        step = self._start + next(self._steps) * self._stride
        return self._ports[step % len(self._ports)]

    def once(self) -> Iterator[int]:
        """Yield each port once."""
        return itertools.islice(self, len(self._ports))


def _setting(name: str) -> str:
    with open(_SETTINGS + name, encoding="utf-8") as file:
        return file.read().strip()
