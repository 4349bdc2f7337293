"""Linux's settings of networks: /proc/sys/net, sysctl(8)."""

import os
from typing import Final

_SETTINGS: Final = "/proc/sys/net"


def sysctl(path: str) -> str:
    """Return the setting ``net/...`` of the calling thread's network namespace, as text.

    One that does not exist or cannot be read is an ``OSError``. Of /proc/net and /sys only
    this is always the calling thread's own, not its process's (proc(5)).
    """
    with open(f"{_SETTINGS}/{path}", encoding="utf-8") as setting:
        return setting.read().strip()


def sysctl_number(path: str) -> int | None:
    """Return the setting as a number; ``None`` where the system does not say."""
    try:
        return int(sysctl(path))
    except (OSError, ValueError):
        return None


def has_sysctl(path: str) -> bool:
    """Return whether the system may have the setting: False where it shows others, not this one.

    Network stacks that are not Linux's own, such as gVisor's, have few of its settings.
    """
    try:
        os.stat(f"{_SETTINGS}/{path}")
    except FileNotFoundError:
        return not os.path.isdir(f"{_SETTINGS}/ipv4")
    except OSError:
        return True
    return True


def sysctl_flag(path: str) -> bool | None:
    """Return whether the setting is on; ``None`` where the system does not say."""
    value = sysctl_number(path)
    return None if value is None else bool(value)
