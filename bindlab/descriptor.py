"""What a descriptor is that belongs to somebody else, found out without touching it."""

import os
import socket
import sys
from typing import NamedTuple

__all__ = ["Nature", "duplicate_of", "family_name", "nature_of", "number_from"]

# Options that the socket module names only on some systems.
_SO_DOMAIN: int | None = getattr(socket, "SO_DOMAIN", None)
_SO_PROTOCOL: int | None = getattr(socket, "SO_PROTOCOL", None)
_AF_UNIX: int = getattr(socket, "AF_UNIX", -1)

# With the longest addresses, because those of the other socket have to fit. There are two,
# because systemd's RestrictAddressFamilies= may forbid one.
_FAMILIES = (_AF_UNIX, socket.AF_INET6)


class Nature(NamedTuple):
    """What a socket is, in the numbers of socket(2), as the system says."""

    family: int
    kind: int
    protocol: int  # 0 where the system does not tell, as macOS and Windows do not


def duplicate_of(descriptor: int) -> socket.socket:
    """Return a socket object of our own for the socket that *descriptor* is; close it after use.

    It answers ``getsockname()``, ``getpeername()`` and ``getsockopt()`` for *descriptor*, and
    changes nothing of it. Its own ``family``, ``type`` and ``proto`` mean nothing:
    :func:`nature_of` asks for the true ones. What is closed, or no socket, is an ``OSError``
    here or at the first question.
    """
    # A signal handler may raise after any bytecode: Ctrl-C does, and so does the timeout of a
    # test. A socket object made from somebody's descriptor would close that descriptor then.
    # And a number from os.dup() that no object owns yet would be left open. So first comes an
    # object with a descriptor of its own, and then dup2(2) puts the duplicate in its place, in
    # one system call. At every moment one object owns it, and closes nothing but that.
    # test_interrupted.py raises at every bytecode.
    #
    # A new socket object also takes the default timeout (socket.setdefaulttimeout()), and makes
    # its descriptor non-blocking. Here that happens before dup2(), so it does not happen to the
    # other one: O_NONBLOCK is shared by all duplicates.
    # On Windows sockets are no file descriptors; PyPy reads addresses by the object's family.
    if sys.platform != "win32" and sys.implementation.name != "pypy":
        os.fstat(descriptor)  # a closed one is an error, before its number is that of our own
        for family in _FAMILIES:
            try:
                own = socket.socket(family, socket.SOCK_DGRAM)
            except OSError:
                continue
            try:
                os.dup2(descriptor, own.fileno(), inheritable=False)
                return own
            except BaseException:
                own.close()
                raise
    # If a handler raises within this call, the duplicate may stay open.
    return socket.fromfd(descriptor, -1, getattr(socket, "SOCK_NONBLOCK", -1))


def nature_of(sock: socket.socket) -> Nature:
    """Return what *sock* is: asked of the system, whatever the Python object says."""
    return Nature(
        _family(sock),
        sock.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE),
        number_from(sock, socket.SOL_SOCKET, _SO_PROTOCOL) or 0,
    )


def family_name(family: int) -> str:
    """Return the name of an address family, such as ``AF_UNIX``, or its number in words."""
    names = [each.name for each in socket.AddressFamily if each == family]
    return (*names, f"family {family}")[0]


def number_from(sock: socket.socket, level: int, option: int | None) -> int | None:
    """Return the value of a socket option; ``None`` where the system does not have it."""
    if option is None:
        return None
    try:
        return sock.getsockopt(level, option)
    except OSError:
        return None


def _family(sock: socket.socket) -> int:
    if _SO_DOMAIN is not None:
        return sock.getsockopt(socket.SOL_SOCKET, _SO_DOMAIN)
    match sock.getsockname():  # macOS and Windows: the address shows its family
        case (str(), int()):
            return socket.AF_INET
        case (str(), int(), int(), int()):
            return socket.AF_INET6
        case _:
            return _AF_UNIX
