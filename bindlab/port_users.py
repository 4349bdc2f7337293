"""Who has a port, in words, and whether connections have it: as far as Linux tells anybody."""

import os

from bindlab.endpoint import Endpoint, unmap
from bindlab.linux import ListedSocket, owners_of, sockets_on

__all__ = ["description", "has_connections", "owner"]


def has_connections(endpoint: Endpoint) -> bool:
    """Whether connections, such as an earlier server's, have the TCP port of *endpoint*.

    Those at another address do not count, nor does a socket that is bound and not connected.
    Where the system does not tell, nothing is known of any: ``False``.
    """
    listed = sockets_on(endpoint.port, "tcp", connections=True) or ()
    return any(one.binding.peer and _is_in_the_way(one, endpoint) for one in listed)


def description(endpoint: Endpoint) -> str:
    """Return who has the port of *endpoint*, in words; "" where the system does not tell."""
    listed = sockets_on(endpoint.port, endpoint.transport, connections=True)
    if listed is None:
        return ""
    users = [one for one in listed if _is_in_the_way(one, endpoint)]
    # Of the same family first: a wildcard of the other one may not be what is in the way.
    version = unmap(endpoint.ip).version
    users.sort(key=lambda one: unmap(one.binding.endpoint.ip).version != version)
    users.sort(key=lambda one: (one.binding.peer is not None, not one.is_open))
    if not users:
        return (
            "no visible socket listens there: one is bound without listening, "
            "or a wildcard address of the other family covers it"
        )
    first = users[0]
    if first.binding.peer is None:
        who, has = owner(first.inode, first.uid), first.binding.endpoint
        if endpoint.transport == "udp":
            return f"{who} has {has}"
        return f"{who} listens on {has}" if first.is_open else f"{who} has bound {has}"
    for user in users:
        if user.inode:
            return (
                f"{owner(user.inode, user.uid)} has a connection that uses this port at its own end"
            )
    return (
        "connections that no process has any more keep it (as in TIME_WAIT, for a minute at "
        "most): those of an earlier server that did not set SO_REUSEADDR, as listen() does, "
        "or outgoing ones"
    )


def owner(inode: int, uid: int, seconds: float = 0.02) -> str:
    """Return in words whose the socket with *inode* is, as far as this process may see.

    Another user's processes are out of sight for all but root: then it is *uid* alone. Where
    there are too many processes to look at all of them in *seconds*, it says so.
    """
    found, out_of_time = owners_of([inode], seconds)
    if inode in found:
        pid, name = found[inode]
        return "this process itself" if pid == os.getpid() else f"{name} (process {pid})"
    why = " (not all were looked at)" if out_of_time else ", out of sight,"
    return f"a process of user {uid}{why}"


def _is_in_the_way(one: ListedSocket, endpoint: Endpoint) -> bool:
    """Whether a socket that is bound as *endpoint* may meet *one*, whatever their devices."""
    has, asks = unmap(one.binding.endpoint.ip), unmap(endpoint.ip)
    if has.version == asks.version:
        return has.is_unspecified or asks.is_unspecified or int(has) == int(asks)
    if has.version == 6:
        return has.is_unspecified and one.binding.v6only is not True
    return asks.is_unspecified
