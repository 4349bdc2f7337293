"""Who has a port, as far as Linux tells anybody: the tables in /proc/net, and /proc/PID/fd.

Knows their form (proc(5)). On other systems, and for a TCP socket that is bound and does not
listen, it knows nothing: an empty answer proves nothing.
"""

import os
import sys
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from bindlab.endpoint import Endpoint, IPAddress, Transport, unmap
from bindlab.printable import printable

__all__ = ["PortUser", "description", "has_connections", "owner", "users_of"]

_LISTEN = 10  # linux/include/net/tcp_states.h


class PortUser(NamedTuple):
    """A socket that has the port, as the kernel reports it."""

    ip: IPAddress
    state: int
    uid: int
    inode: int  # 0 for a connection that no process has any more, as in TIME_WAIT


def users_of(port: int, transport: Transport) -> Iterator[PortUser]:
    """Yield the visible sockets of the calling thread's network namespace that have *port*.

    A table that cannot be read is an ``OSError``: it must not pass for an empty one.
    """
    wanted = f":{port:04X}"
    for version in ("", "6"):
        # Not /proc/net, which is that of the process's first thread.
        for line in _lines(f"/proc/thread-self/net/{transport}{version}"):
            fields = line.split(None, 10)
            digits, colon, number = fields[1].partition(":")
            if colon + number == wanted:
                state, uid, inode = int(fields[3], 16), int(fields[7]), int(fields[9])
                yield PortUser(_address(digits), state, uid, inode)


def has_connections(endpoint: Endpoint) -> bool:
    """Whether connections, such as an earlier server's, have the TCP port of *endpoint*.

    Those at another address do not count. A socket that listens need not be looked for: the
    kernel lets nobody bind over one.
    """
    return any(
        user.state != _LISTEN and _overlap(unmap(user.ip), unmap(endpoint.ip))
        for user in users_of(endpoint.port, "tcp")
    )


def description(endpoint: Endpoint) -> str:
    """Return who has the port of *endpoint*, in words; "" where this is not Linux."""
    if not sys.platform.startswith("linux"):
        return ""
    asked = unmap(endpoint.ip)
    users = [
        user
        for user in users_of(endpoint.port, endpoint.transport)
        if _overlap(unmap(user.ip), asked)
    ]
    # A wildcard of the other family is in the way only if it is dual-stack, which is not shown.
    users.sort(key=lambda user: unmap(user.ip).version != asked.version)
    for user in users:
        if endpoint.transport == "udp" or user.state == _LISTEN:
            verb = "has" if endpoint.transport == "udp" else "listens on"
            has = Endpoint(user.ip, endpoint.port, endpoint.transport)
            who = f"{owner(user.inode, user.uid)} {verb} {has}"
            if unmap(user.ip).version == asked.version:
                return who
            return f"{who}, and may serve both families; or a socket out of sight is bound here"
    for user in users:
        if user.inode:
            return (
                f"{owner(user.inode, user.uid)} has a connection that uses this port at its own end"
            )
    if users:
        return (
            "connections that no process has any more keep it (as in TIME_WAIT, for a minute at "
            "most): those of an earlier server that did not set SO_REUSEADDR, as listen() does, "
            "or outgoing ones"
        )
    return (
        "no visible socket listens there: one is bound without listening, "
        "or a wildcard address of the other family covers it"
    )


def _lines(path: str) -> Iterator[str]:
    try:
        with open(path, encoding="utf-8") as table:
            yield from table
    except FileNotFoundError:
        if not os.path.exists(os.path.dirname(path)):
            raise
        # A kernel that was started without IPv6 has no table of it.


def _overlap(one: IPAddress, other: IPAddress) -> bool:
    if one.is_unspecified or other.is_unspecified:
        return one.version == other.version or IPv6Address("::") in (one, other)
    return int(one) == int(other) and one.version == other.version


def owner(inode: int, uid: int) -> str:
    """Return in words whose the socket with *inode* is, as far as this process may see.

    Another user's processes are out of sight for all but root: then it is *uid* alone.
    """
    for pid in _processes():
        try:
            with os.scandir(f"/proc/{pid}/fd") as descriptors:
                if not any(_points_to(entry.path, inode) for entry in descriptors):
                    continue
            with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
                name = printable(file.read().removesuffix("\n")) or "a program"
        except OSError:  # another user's process, or one that has just ended
            continue
        return "this process itself" if int(pid) == os.getpid() else f"{name} (process {pid})"
    return f"a process of user {uid}, out of sight,"


def _processes() -> list[str]:
    try:
        return [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:  # a sandbox without /proc
        return []


def _points_to(path: str, inode: int) -> bool:
    try:
        return os.readlink(path) == f"socket:[{inode}]"
    except OSError:
        return False


def _address(digits: str) -> IPAddress:
    # The kernel prints words of 32 bits as numbers, in its own byte order.
    words = [digits[i : i + 8] for i in range(0, len(digits), 8)]
    packed = b"".join(int(word, 16).to_bytes(4, sys.byteorder) for word in words)
    return IPv4Address(packed) if len(packed) == 4 else IPv6Address(packed)
