"""Which ports this system gives away by itself, as far as it says."""

import os
from collections.abc import Iterator

_DYNAMIC = range(49152, 65536)  # RFC 6335 section 6; macOS, Windows, OpenBSD choose from it


def ephemeral_ports() -> range:
    """Return the ports that the system chooses among for port 0."""
    try:
        low, high = map(int, _setting("ip_local_port_range").split())
    except ValueError:
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
    return int(_setting("ip_unprivileged_port_start") or 1024)


def gives_lent_ports() -> bool:
    """Return whether port 0 may yield a port that a socket with ``SO_REUSEADDR`` has already.

    That is ``ip_autobind_reuse``: the system does so when all ports of its range are taken.
    """
    return _setting("ip_autobind_reuse") == "1"


def _reserved_ports() -> set[int]:
    """Return the ports that the system never chooses, though they may be bound."""
    ports: set[int] = set()
    for part in filter(None, _setting("ip_local_reserved_ports").split(",")):
        first, _, last = part.partition("-")
        ports.update(range(int(first), int(last or first) + 1))
    return ports


def _setting(name: str) -> str:
    """Return a setting of the calling thread's network namespace (ip-sysctl); "": not Linux."""
    try:
        from bindlab.linux import sysctl  # not before it is needed: it takes a while

        return sysctl(f"ipv4/{name}")
    except (OSError, ImportError):  # where no descriptor is left, nothing can be imported
        return ""
