"""Which ports this system gives away by itself, as far as it says."""

import os
from collections.abc import Iterator

__all__ = ["ephemeral_ports", "free_choice", "gives_lent_ports", "privileged_below"]

# Linux's settings: ip-sysctl, each that of the calling thread's network namespace.
_SETTINGS = "/proc/sys/net/ipv4/"
_DYNAMIC = range(49152, 65536)  # RFC 6335 section 6; macOS, Windows, OpenBSD choose from it


def ephemeral_ports() -> range:
    """Return the ports from which the system chooses for port 0."""
    try:
        low, high = map(int, _setting("ip_local_port_range").split())
    except (OSError, ValueError):
        return _DYNAMIC
    return range(low, high + 1)


def free_choice() -> Iterator[int]:
    """Yield each port that the system could choose for port 0, from a random one on."""
    ports, reserved = ephemeral_ports(), _reserved_ports()
    start = int.from_bytes(os.urandom(4)) % len(ports)
    for port in (*ports[start:], *ports[:start]):
        if port not in reserved:
            yield port


def privileged_below() -> int:
    """Return the first port that needs no privilege; 1024 where the system does not say."""
    try:
        return int(_setting("ip_unprivileged_port_start"))
    except (OSError, ValueError):
        return 1024


def gives_lent_ports() -> bool:
    """Return whether port 0 may yield a port that a socket with ``SO_REUSEADDR`` has already.

    That is ``ip_autobind_reuse``: the system does so when all ports of its range are taken.
    """
    try:
        return int(_setting("ip_autobind_reuse")) != 0
    except (OSError, ValueError):
        return False


def _reserved_ports() -> frozenset[int]:
    """Return the ports that the system never chooses, though they may be bound."""
    ports: set[int] = set()
    try:
        for part in filter(None, _setting("ip_local_reserved_ports").split(",")):
            first, _, last = part.partition("-")
            ports.update(range(int(first), int(last or first) + 1))
    except (OSError, ValueError):
        return frozenset()
    return frozenset(ports)


def _setting(name: str) -> str:
    with open(_SETTINGS + name, encoding="utf-8") as file:
        return file.read().strip()
