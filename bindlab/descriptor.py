"""What a descriptor is that belongs to somebody else, found out without touching it."""

import os
import socket
import sys
from typing import NamedTuple

from bindlab.sockaddr import KINDS, transport_of

# Options that the socket module names only on some systems.
_SO_DOMAIN: int | None = getattr(socket, "SO_DOMAIN", None)
_SO_PROTOCOL: int | None = getattr(socket, "SO_PROTOCOL", None)
_AF_UNIX: int = getattr(socket, "AF_UNIX", -1)

# With the longest addresses, because those of the other socket have to fit. There are two,
# because systemd's RestrictAddressFamilies= may forbid one.
_FAMILIES = (_AF_UNIX, socket.AF_INET6)


class Nature(NamedTuple):
    """What a TCP or UDP socket is, in the numbers of socket(2)."""

    family: int
    kind: int
    protocol: int


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
    """Return what *sock* is: asked of the system, whatever the Python object says.

    What is no TCP or UDP socket of IPv4 or IPv6 is a ``ValueError`` that says what it is.
    """
    kind = sock.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE)
    told = number_from(sock, socket.SOL_SOCKET, _SO_PROTOCOL) or 0
    return checked_nature(_family(sock), kind, told)


def checked_nature(family: int, kind: int, told: int) -> Nature:
    """Return the nature of a socket whose protocol the system tells as *told*, 0 for not at all.

    macOS and Windows do not tell.
    """
    if family not in (socket.AF_INET, socket.AF_INET6):
        name = next((each.name for each in socket.AddressFamily if each == family), family)
        raise ValueError(
            f"it is a socket of {name}, which has no IP address: give one of AF_INET or AF_INET6"
        )
    transport = transport_of(kind, told)
    if transport is None:
        name = next((each.name for each in socket.SocketKind if each == kind), f"type {kind}")
        raise ValueError(f"it is a {name} socket of IP protocol {told}, neither TCP nor UDP")
    return Nature(family, kind, told or KINDS[transport][1])


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
