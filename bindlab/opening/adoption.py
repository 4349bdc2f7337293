"""Sockets that somebody else opened, and passed to this process as descriptors.

Knows the protocol of service managers (sd_listen_fds(3)) and what a descriptor may turn
out to be. Does not open sockets, and never closes a descriptor that it refuses.
"""

import errno
import os
import socket
import stat
import sys
from collections.abc import Sequence

from bindlab.errors import BindError, Stage, refusal
from bindlab.sockaddr import protocol_of, transport_of

__all__ = ["activated", "adopt"]

_FIRST = 3  # SD_LISTEN_FDS_START
_VARIABLES = ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID")
_LAST = 2**31 - 1  # a descriptor is a C int; CPython cuts a larger number down to another one
_SOCK_NONBLOCK: int | None = getattr(socket, "SOCK_NONBLOCK", None)
_STAGE: Stage = "adopt"


def adopt(descriptor: int) -> socket.socket:
    """Return the TCP or UDP socket that *descriptor* is, which the new object then owns.

    Family, type and protocol number are asked of the system (getsockname(2); ``SO_TYPE``,
    ``SO_PROTOCOL``, socket(7)), never believed; where it does not tell the number, as macOS
    and Windows do not, it is that of TCP or UDP. The socket becomes blocking, which is a
    property of what the processes share, and not inheritable. A descriptor that is closed, or
    no TCP or UDP socket, is a :class:`~bindlab.errors.DescriptorError`; it stays as it is.

    A parent passes sockets with ``subprocess.Popen(..., pass_fds=[sock.fileno()])``, a peer
    with ``socket.send_fds()``. Adopt each once: two objects would both close it.
    """
    if isinstance(descriptor, bool) or not isinstance(descriptor, int):
        raise TypeError(f"a descriptor is an int, as sock.fileno() returns it, not {descriptor!r}")
    if descriptor < 0:
        raise ValueError(f"{descriptor} is no descriptor: the socket was closed, or never opened")
    if descriptor > _LAST:
        raise ValueError(f"{descriptor} is no descriptor: they are numbers from 0 to {_LAST}")
    try:
        view = _view(descriptor)
        try:
            kind = view.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE)
        finally:
            view.detach()
        reason, protocol = _judged(view.family, kind, view.proto)
        if not reason:
            return _owned(view.family, kind, protocol, descriptor)
    except OSError as error:
        raise _refused(descriptor, error) from error
    wrong = OSError(errno.EPROTOTYPE, os.strerror(errno.EPROTOTYPE))
    raise _refused(descriptor, wrong, reason)


def activated(
    name: str | None = None, *, clean_environment: bool = False
) -> tuple[socket.socket, ...]:
    """Return the sockets that the service manager passed to this process, in its order.

    With *name*, only those of that ``FileDescriptorName=`` (systemd.socket(5)), so that others,
    which may be Unix sockets, stay untouched. Empty where none were passed, or to another
    process (``LISTEN_PID``). Each socket is adopted as by :func:`adopt`, with its errors; if
    one is refused, no descriptor is closed.

    *clean_environment* removes the variables, so that child processes do not take the
    sockets for theirs, and a second call returns nothing. A variable that cannot be understood
    is a ``ValueError``.
    """
    if name is not None and not isinstance(name, str):
        raise TypeError(f"name is the FileDescriptorName= of the sockets, or None, not {name!r}")
    if not isinstance(clean_environment, bool):
        raise TypeError(f"clean_environment is True or False, not {clean_environment!r}")
    try:
        descriptors = _passed(name)
    finally:
        if clean_environment:
            for variable in _VARIABLES:
                os.environ.pop(variable, None)
    adopted: list[socket.socket] = []
    try:
        for descriptor in descriptors:
            adopted.append(adopt(descriptor))
    except BindError:
        for sock in adopted:
            sock.detach()
        raise
    return tuple(adopted)


def _passed(name: str | None) -> Sequence[int]:
    if "LISTEN_FDS" not in os.environ or "LISTEN_PID" not in os.environ:
        return ()
    if _number("LISTEN_PID") != os.getpid():
        return ()
    descriptors = range(_FIRST, _FIRST + _number("LISTEN_FDS"))
    if name is None:
        return descriptors
    text = os.environ.get("LISTEN_FDNAMES")
    if text is None:
        return descriptors if name == "unknown" else ()  # its name for what has none
    names = text.split(":") if text or descriptors else []
    if len(names) != len(descriptors):
        raise ValueError(
            f"LISTEN_FDNAMES={text!r} has {len(names)} names, but LISTEN_FDS={len(descriptors)}"
        )
    return [each for each, other in zip(descriptors, names, strict=True) if other == name]


def _number(variable: str) -> int:
    text = os.environ[variable]
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise ValueError(f"{variable}={text!r} is no number: the service manager writes digits")
    return int(text)


def _view(descriptor: int) -> socket.socket:
    """Return a socket object that only looks, to be detached: nothing of the descriptor changes."""
    # One that takes the default timeout makes the descriptor non-blocking, for all who share
    # it; one that is said to be non-blocking leaves it alone.
    if _SOCK_NONBLOCK is not None:
        return socket.socket(type=_SOCK_NONBLOCK, fileno=descriptor)
    if sys.platform == "win32":  # which cannot say whether a socket blocks
        return socket.socket(fileno=descriptor)
    blocking = os.get_blocking(descriptor)
    view = socket.socket(fileno=descriptor)
    os.set_blocking(descriptor, blocking)
    return view


def _owned(family: int, kind: int, protocol: int, descriptor: int) -> socket.socket:
    sock = socket.socket(family, kind | (_SOCK_NONBLOCK or 0), protocol, fileno=descriptor)
    try:
        sock.set_inheritable(False)
        sock.setblocking(True)
    except OSError:
        sock.detach()
        raise
    return sock


def _judged(family: int, kind: int, protocol: int) -> tuple[str, int]:
    """Return why this is no TCP or UDP socket, "" if it is one, and its true protocol number."""
    if family not in (socket.AF_INET, socket.AF_INET6):
        return f"it is a socket of {_name(family)}, not an IP socket", protocol
    transport = transport_of(kind, protocol)
    if transport is not None:
        return "", protocol or protocol_of(transport)
    usual = transport_of(kind, 0)
    if usual is None:
        names = [each.name for each in socket.SocketKind if each == kind]
        return f"it is a {(*names, f'type {kind}')[0]} socket, neither TCP nor UDP", protocol
    return f"its protocol is number {protocol}, not {usual.upper()}", protocol


def _refused(descriptor: int, error: OSError, reason: str = "") -> BindError:
    refused = refusal(error, None, _STAGE)
    what = reason or _kind_of(descriptor)
    refused.hint = f"descriptor {descriptor}: {what}" if what else refused.hint
    return refused


def _kind_of(descriptor: int) -> str:
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return "it is closed; pass it on with pass_fds, and adopt it once"
    for test, kind in (
        (stat.S_ISREG, "a file"),
        (stat.S_ISDIR, "a directory"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISCHR, "a device"),
    ):
        if test(mode):
            return f"it is {kind}, no socket"
    return "" if stat.S_ISSOCK(mode) else "it is no socket"


def _name(value: int) -> str:
    return getattr(value, "name", str(value))
