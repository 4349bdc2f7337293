"""What a caller asks to have opened, checked before any system call."""

import os
import socket
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from bindlab.endpoint import (
    Endpoint,
    IPAddress,
    Transport,
    parse_address,
    parse_transport,
    unmap,
)
from bindlab.sockaddr import family_of, kind_of, protocol_of

__all__ = ["MAX_BACKLOG", "Request", "checked_backlog", "request", "true_or_false"]

# The kernels cut a backlog down to their own limit (net.core.somaxconn, kern.ipc.soacceptqueue;
# Windows reads this very number as "a reasonable maximum"), so the largest asks for just that.
MAX_BACKLOG = 2**31 - 1
_BROADCAST = IPv4Address("255.255.255.255")  # RFC 919
_NAME_BYTES = 15  # IFNAMSIZ without its NUL; Linux would cut a longer name silently: netdevice(7)


class Request(NamedTuple):
    """A socket to open, on a port that is not part of it, in the terms of ``socket``."""

    ip: IPAddress
    transport: Transport
    family: socket.AddressFamily
    kind: socket.SocketKind
    protocol: int
    host: str
    zone: str
    v6only: bool | None  # None for IPv4
    dual_stack: bool
    device: str | None
    share_port: bool

    def endpoint(self, port: int) -> Endpoint:
        return Endpoint(self.ip, port, self.transport)


def request(
    address: object,
    transport: object = "tcp",
    dual_stack: object = False,
    device: object = None,
    share_port: object = False,
) -> Request:
    """Return the checked request; ``ValueError`` or ``TypeError`` say what to write instead."""
    try:
        return _remembered(address, transport, dual_stack, device, share_port)
    except TypeError:  # one of them cannot even be hashed
        return _checked(address, transport, dual_stack, device, share_port)


def checked_backlog(value: object) -> int:
    """Return *value* if ``listen()`` takes it: an int from 0 to 2**31 - 1."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"backlog is an int, or None for the system's maximum, not {value!r}")
    if not 0 <= value <= MAX_BACKLOG:
        raise ValueError(f"backlog {value} is out of range: write None for the system's maximum")
    return value


def true_or_false(name: str, value: object) -> bool:
    """Return *value* if it is a bool: 1 and "yes" may be mistakes for another argument."""
    if isinstance(value, bool):
        return value
    raise TypeError(f"{name} is True or False, not {value!r}")


def _checked(
    address: object, transport: object, dual_stack: object, device: object, share_port: object
) -> Request:
    ip = parse_address(address)
    kind = parse_transport(transport)
    if kind == "tcp" and (unmap(ip).is_multicast or unmap(ip) == _BROADCAST):
        what = "a multicast group" if unmap(ip).is_multicast else "the broadcast address"
        raise ValueError(
            f"nobody can connect to {ip}, {what}: TCP is served on an address of this host; for "
            'what is sent to all of a group, write bind(..., transport="udp")'
        )
    host, _, zone = str(ip).partition("%")
    if zone.isascii() and zone.isdigit() and int(zone) >= 2**32:
        raise ValueError(f"{ip}: {zone} is no zone: write an interface's name or its index")
    dual = true_or_false("dual_stack", dual_stack)
    if dual and ip != IPv6Address("::"):
        raise ValueError(
            f'dual_stack=True serves both families on every address, not on {ip}: write "::" '
            'as the address, or allocate("127.0.0.1", "::1") for loopback alone'
        )
    # Always set for IPv6, because the default differs between systems, and administrators can
    # change it. With it, an IPv4-mapped address is refused (ipv6(7)).
    v6only = not dual and unmap(ip) is ip if isinstance(ip, IPv6Address) else None
    return Request(
        ip=ip,
        transport=kind,
        family=family_of(ip),
        kind=kind_of(kind),
        protocol=protocol_of(kind),
        host=host,
        zone=zone,
        v6only=v6only,
        dual_stack=dual,
        device=_checked_device(device),
        share_port=true_or_false("share_port", share_port),
    )


# The checks cost half of the system calls that follow, and callers ask for the same again.
_remembered = lru_cache(maxsize=256, typed=True)(_checked)


def _checked_device(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError(f'device is the name of an interface, such as "eth0", not {value!r}')
    if not 0 < len(os.fsencode(value)) <= _NAME_BYTES or "\0" in value or "/" in value:
        raise ValueError(f'{value!r} is no interface: write the name of one, such as "eth0"')
    return value
