"""Which ports this system gives away by itself, as far as it says.

Knows Linux's settings (ip-sysctl, "ip_local_port_range", "ip_local_reserved_ports",
"ip_unprivileged_port_start"), each that of the calling thread's network namespace. Elsewhere
it knows what RFC 6335 section 6 and the systems' documentation say.
"""

import math
import os
from collections.abc import Iterator

__all__ = ["ephemeral_ports", "in_random_order", "privileged_below", "reserved_ports"]

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


def in_random_order(ports: range) -> Iterator[int]:
    """Yield each of *ports* once, beginning and going on at random, at no cost in advance."""
    count = len(ports)
    if count == 0:
        return
    start = int.from_bytes(os.urandom(4), "big")
    stride = int.from_bytes(os.urandom(4), "big") % count or 1
    while math.gcd(stride, count) != 1:  # a stride without a common divisor visits them all
        stride += 1
    for step in range(count):
        yield ports[(start + step * stride) % count]


def _setting(name: str) -> str:
    with open(_SETTINGS + name, encoding="ascii") as file:
        return file.read().strip()
