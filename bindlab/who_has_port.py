"""Who has a port, in words, and whether connections have it: as far as Linux tells anybody."""

import os
from collections.abc import Collection

from bindlab.binding import Binding
from bindlab.endpoint import Endpoint, unmap
from bindlab.linux import ListedSocket, owners_of, sockets_on

__all__ = ["has_connections", "may_meet", "owners", "who_has"]


def has_connections(endpoint: Endpoint) -> bool:
    """Whether connections, such as an earlier server's, have the TCP port of *endpoint*.

    Those at another address do not count, nor does a socket that is bound and not connected.
    Where the system does not tell, nothing is known of any: ``False``.
    """
    listed = sockets_on(endpoint.port, "tcp", connections=True) or ()
    return any(one.binding.peer and may_meet(one.binding, endpoint) for one in listed)


def who_has(endpoint: Endpoint) -> str:
    """Return who has the port of *endpoint*, in words; "" where the system does not tell."""
    listed = sockets_on(endpoint.port, endpoint.transport, connections=True)
    if listed is None:
        return ""
    users = [one for one in listed if may_meet(one.binding, endpoint)]
    if not users:
        return (
            "no visible socket listens there: one is bound without listening, "
            "or a wildcard address of the other family covers it"
        )
    first = min(users, key=lambda one: _rank(one, endpoint))
    if first.binding.peer is not None and not first.inode:
        return (
            "connections that no process has any more keep it (as in TIME_WAIT, for a minute at "
            "most): those of an earlier server that did not set SO_REUSEADDR, as listen() does, "
            "or outgoing ones"
        )
    (who,) = owners([first])
    has = first.binding.endpoint
    if first.binding.peer is not None:
        return f"{who} has a connection that uses this port at its own end"
    if endpoint.transport == "udp":
        return f"{who} has {has}"
    return (
        f"{who} listens on {has}" if first.is_open else f"{who} has bound {has} without listening"
    )


def owners(sockets: Collection[ListedSocket], seconds: float = 0.02) -> list[str]:
    """Return in words whose each of *sockets* is, as far as this process may see.

    Another user's processes are out of sight for all but root: then it is the user's id alone.
    Where there are too many processes to look at all of them in *seconds*, it says so.
    """
    found, out_of_time = owners_of([one.inode for one in sockets], seconds)
    why = " (not all were looked at)" if out_of_time else ", out of sight,"

    def words(one: ListedSocket) -> str:
        if (process := found.get(one.inode)) is None:
            return f"a process of user {one.uid}{why}"
        itself = process.pid == os.getpid()
        return "this process itself" if itself else f"{process.name} (process {process.pid})"

    return [words(one) for one in sockets]


def _rank(one: ListedSocket, endpoint: Endpoint) -> tuple[bool, ...]:
    """Return what sorts the likeliest cause first: an open socket, and one of the same family."""
    has, asks = unmap(one.binding.endpoint.ip), unmap(endpoint.ip)
    return (
        one.binding.peer is not None,
        not one.is_open,
        not one.inode,
        has.version != asks.version,
    )


def may_meet(binding: Binding, endpoint: Endpoint) -> bool:
    """Whether a socket that is bound as *endpoint* may meet *binding*, whatever their devices."""
    has, asks = unmap(binding.endpoint.ip), unmap(endpoint.ip)
    if has.version == asks.version:
        return has.is_unspecified or asks.is_unspecified or int(has) == int(asks)
    if has.version == 6:
        return has.is_unspecified and binding.v6only is not True
    return asks.is_unspecified
