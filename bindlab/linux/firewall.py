"""The firewall of this Linux, as far as this process may see: nftables, and what manages it."""

import os
from typing import Final

from bindlab.firewall import Firewall
from bindlab.linux.guests import is_first_namespace
from bindlab.linux.nftables import nftables

# Tables of the older iptables, whose rules only a program of its own reads; root sees their names.
_LEGACY: Final = {
    "/proc/thread-self/net/ip_tables_names": "iptables-legacy-save",
    "/proc/thread-self/net/ip6_tables_names": "ip6tables-legacy-save",
}
_UFW: Final = "/etc/ufw/ufw.conf"
_FIREWALLD: Final = ("/run/firewalld.pid", "/sys/fs/cgroup/system.slice/firewalld.service")


def read_firewall(*, root: str = "/") -> Firewall:
    """Return what can be read of the firewall of the calling thread's network namespace.

    Rules are for root alone (CAP_NET_ADMIN); whether ufw or firewalld are on is for all, and
    told of the namespace that they manage, that of process 1. Files are read below *root*.
    """
    programs: list[str] = []
    if is_first_namespace(root):
        if "enabled=yes" in _text(root, _UFW).lower().replace(" ", "").splitlines():
            programs.append(f"ufw is on, as {_UFW} says (ufw status)")
        if any(os.path.exists(root.rstrip("/") + path) for path in _FIREWALLD):
            programs.append("firewalld runs (firewall-cmd --list-all)")
    legacy = {path: _text(root, path).split() for path in _LEGACY}
    for path, tables in legacy.items():
        if tables:
            programs.append(
                f"iptables has tables of its old kind, {', '.join(tables)} ({_LEGACY[path]})"
            )
    try:
        found = nftables()
    except OSError:
        return Firewall(programs=tuple(programs))
    return found.replace(
        programs=tuple(programs), is_whole=found.is_whole and not any(legacy.values())
    )


def _text(root: str, path: str) -> str:
    try:
        with open(root.rstrip("/") + path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 16)
    except OSError:
        return ""
