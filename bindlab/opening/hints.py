"""Why the system refused, in words that only this machine can give: read after an error."""

import errno
import socket
import sys
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from bindlab.endpoint import Endpoint, IPAddress, address_text, unmap
from bindlab.errors import (
    AddressInUseError,
    AddressNotAvailableError,
    BindError,
    BindPermissionError,
    DeviceNotFoundError,
    InvalidBindingError,
)
from bindlab.printable import printable

__all__ = ["add_hint", "own_addresses"]

_TENTATIVE, _DAD_FAILED = 0x40, 0x08  # linux/if_addr.h, as /proc/net/if_inet6 prints them
_AIRPLAY = (5000, 7000)
_SHOWN = 8
_LONGEST = 1000
_PLATFORM: str = sys.platform  # whose documentation applies


def add_hint(error: BindError, device: str | None = None) -> None:
    """Replace the hint of *error* by what this machine says of it; raises nothing.

    Anybody may read what is read for it, mostly /proc on Linux. Where that says nothing, the
    hint stays: it is that of the table in :mod:`bindlab.errors`.
    """
    if error.endpoint is None:
        return
    try:
        hint = _hint(error, error.endpoint, device)
        # Names of processes and interfaces are in it, which others choose.
        error.hint = printable(hint, _LONGEST) or error.hint
    except Exception:  # a hint is never worth losing the error for
        return


def own_addresses() -> tuple[IPAddress, ...]:
    """Return the addresses that this host has and that can be bound now, without loading ifaddr.

    Linux lists them in /proc; elsewhere ifaddr is asked after all. Empty where nothing
    could be read.
    """
    if _PLATFORM.startswith("linux"):
        v6 = [ip for ip, _, flags in _ipv6_table() if not flags & (_TENTATIVE | _DAD_FAILED)]
        return tuple(dict.fromkeys([*_ipv4_table(), *v6]))
    import ifaddr

    found: list[IPAddress] = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            found.append(IPv4Address(ip.ip) if isinstance(ip.ip, str) else IPv6Address(ip.ip[0]))
    return tuple(found)


def _hint(error: BindError, endpoint: Endpoint, device: str | None) -> str:
    if isinstance(error, AddressInUseError):
        return _who_has(endpoint)
    if isinstance(error, BindPermissionError) and error.stage == "bind":
        return _which_privilege(endpoint)
    if isinstance(error, AddressNotAvailableError):
        return _why_not_available(endpoint, device)
    if isinstance(error, InvalidBindingError) and error.stage == "bind":
        return _what_is_invalid(endpoint)
    if isinstance(error, DeviceNotFoundError):
        wanted = device if error.stage == "setsockopt" else _zone(endpoint)
        return f"no interface is called {wanted!r}: this host has {_interface_names()}"
    if error.errno == errno.EMFILE:
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return f"this process may have {limit} descriptors: close some, or raise RLIMIT_NOFILE"
    return ""


def _who_has(endpoint: Endpoint) -> str:
    if endpoint.port == 0:
        from bindlab.opening.port_range import ephemeral_ports

        ports = ephemeral_ports()
        return (
            f"every port of the system's range {ports[0]}-{ports[-1]} is taken there: "
            "close some, bind another address, or widen net.ipv4.ip_local_port_range"
        )
    if _PLATFORM == "darwin" and endpoint.port in _AIRPLAY:
        return "on macOS, AirPlay Receiver has this port: switch it off, or take another port"
    from bindlab.port_users import description

    return description(endpoint)


def _which_privilege(endpoint: Endpoint) -> str:
    if _PLATFORM == "win32":
        return (
            "another program has it exclusively, or it is in a reserved range: see "
            "netsh interface ipv4 show excludedportrange protocol=tcp"
        )
    from bindlab.opening.port_range import privileged_below

    first = privileged_below()
    if not 0 < endpoint.port < first:
        return "a security policy of this system forbids it"
    try_instead = 8000 + endpoint.port
    if not first <= try_instead <= 65535:
        try_instead = first
    return f"ports below {first} need privileges; try {try_instead}"


def _why_not_available(endpoint: Endpoint, device: str | None) -> str:
    ip = unmap(endpoint.ip)
    if isinstance(ip, IPv6Address):
        bare = IPv6Address(int(ip))
        for own, name, flags in _ipv6_table():
            if own != bare:
                continue
            if flags & _DAD_FAILED:
                return f"another machine on {name}'s link has {bare} too (it failed its check)"
            if flags & _TENTATIVE:
                return f"{name} still checks that nobody else has it: try again in two seconds"
            if ip.scope_id and ip.scope_id not in (name, _index(name)):
                return f"{bare} belongs to {name}: write {bare}%{name}"
            if device and device != name:
                return f"{bare} belongs to {name}, not to {device}"
        for place in ("all", "lo") if ip.is_loopback else ("all",):
            if _reads(f"/proc/sys/net/ipv6/conf/{place}/disable_ipv6") == "1":
                setting = f"net.ipv6.conf.{place}.disable_ipv6"
                return f"IPv6 is switched off here ({setting}): bind 127.0.0.1"
        if not _ipv6_table():
            return "this host has no IPv6 address at all: IPv6 is off, or its interfaces are down"
    if _PLATFORM == "darwin" and ip.is_loopback and isinstance(ip, IPv4Address):
        return f"macOS has 127.0.0.1 only, until: sudo ifconfig lo0 alias {ip}"
    mine = [address_text(other) for other in own_addresses() if other.version == ip.version]
    if not mine:
        return ""
    more = f" and {len(mine) - _SHOWN} more" if len(mine) > _SHOWN else ""
    return f"this host does not have it; it has {', '.join(mine[:_SHOWN])}{more}"


def _what_is_invalid(endpoint: Endpoint) -> str:
    ip = endpoint.ip
    if not isinstance(ip, IPv6Address):
        return ""
    if ip.is_multicast:
        return "a TCP socket cannot be bound to a multicast address"
    if not ip.is_link_local:
        return ""
    bare = IPv6Address(int(ip))
    owners = [name for own, name, _ in _ipv6_table() if own == bare]
    zones = owners or [name for _, name in socket.if_nameindex()]
    written = " or ".join(f"{bare}%{name}" for name in zones[:_SHOWN])
    return f"a link-local address needs the zone that it is in: write {written}"


def _interface_names() -> str:
    return ", ".join(name for _, name in socket.if_nameindex()) or "none"


def _index(name: str) -> str:
    return str(socket.if_nametoindex(name))


def _zone(endpoint: Endpoint) -> str:
    return endpoint.ip.scope_id or "" if isinstance(endpoint.ip, IPv6Address) else ""


def _ipv4_table() -> Iterator[IPv4Address]:
    """The local routing table, which is what bind() compares with: proc(5), fib_trie."""
    last = ""
    for line in _reads("/proc/thread-self/net/fib_trie").splitlines():
        branch, _, rest = line.strip().partition(" ")
        if branch in ("|--", "+--"):
            last = rest
        elif line.strip() == "/32 host LOCAL":
            yield IPv4Address(last)


def _ipv6_table() -> list[tuple[IPv6Address, str, int]]:
    """Return (address, interface, flags) of each IPv6 address: Linux, /proc/net/if_inet6."""
    rows = [line.split() for line in _reads("/proc/thread-self/net/if_inet6").splitlines()]
    return [(IPv6Address(int(row[0], 16)), row[5], int(row[4], 16)) for row in rows]


def _reads(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read().strip()
    except OSError:
        return ""
