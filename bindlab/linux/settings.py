"""Linux's settings of networks: /proc/sys/net, sysctl(8)."""

__all__ = ["sysctl", "sysctl_flag"]


def sysctl(path: str) -> str:
    """Return the setting ``net/...`` of the calling thread's network namespace, as text.

    One that does not exist or cannot be read is an ``OSError``. Of /proc/net and /sys only
    this is always the calling thread's own, not its process's (proc(5)).
    """
    with open(f"/proc/sys/net/{path}", encoding="utf-8") as setting:
        return setting.read().strip()


def sysctl_flag(path: str) -> bool | None:
    """Return whether the setting is on; ``None`` where the system does not say."""
    try:
        return bool(int(sysctl(path)))
    except (OSError, ValueError):
        return None
