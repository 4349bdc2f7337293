"""What the name localhost means on this machine: read from its hosts file, nobody is asked."""

import os
import sys
from ipaddress import IPv6Address

from bindlab.endpoint import IPAddress, parse_address

__all__ = ["localhost_addresses"]

_LONGEST = 1 << 16  # bytes of the file that are read


def localhost_addresses(path: str | None = None) -> tuple[IPAddress, ...]:
    """Return the loopback addresses of ``localhost``, ::1 first (RFC 6724 section 2.1).

    *path* is the hosts file, the system's own by default. Empty where it names none: then the
    program that asks decides, mostly for both (RFC 6761 section 6.3).
    """
    try:
        with open(path or _hosts_file(), encoding="utf-8", errors="replace") as file:
            lines = file.read(_LONGEST).splitlines()
    except OSError:
        return ()
    found: set[IPAddress] = set()
    for line in lines:
        address, *names = line.partition("#")[0].split() or [""]
        if "localhost" in map(str.lower, names):
            try:
                found.add(parse_address(address))
            except ValueError:
                continue
    return tuple(sorted((ip for ip in found if ip.is_loopback), key=_order))


def _order(ip: IPAddress) -> tuple[bool, int]:
    return not isinstance(ip, IPv6Address), int(ip)


def _hosts_file() -> str:
    if sys.platform == "win32":
        root = os.environ.get("SYSTEMROOT", r"C:\Windows")
        return os.path.join(root, "System32", "drivers", "etc", "hosts")
    return "/etc/hosts"
