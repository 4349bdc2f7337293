"""Sockets that somebody else opened, and passed to this process as descriptors."""

import errno
import os
import socket
import stat
import sys
from collections.abc import Sequence

from bindlab.descriptor import Nature, duplicate_of, nature_of
from bindlab.errors import BindError, bind_error
from bindlab.opening.one_socket import switch_nagle_off
from bindlab.opening.sockets import true_or_false

_FIRST = 3  # SD_LISTEN_FDS_START
_VARIABLES = ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID")
_LAST = 2**31 - 1  # a descriptor is a C int; CPython cuts a larger number down to another one


def adopt(descriptor: int) -> socket.socket:
    """Return the TCP or UDP socket that *descriptor* is, which the new object then owns.

    Family, type and protocol number are asked of the system (getsockname(2); ``SO_TYPE``,
    ``SO_PROTOCOL``, socket(7)), never believed. Where it does not tell the number (macOS,
    Windows), Python keeps 0; then Nagle's algorithm is switched off here (``TCP_NODELAY``),
    because asyncio would leave it on. The socket becomes blocking, which is a
    property of what the processes share, and not inheritable. A descriptor that is closed, or
    no TCP or UDP socket, is a :class:`~bindlab.errors.DescriptorError`; it stays as it is. After
    any error, also that of a signal handler, the descriptor is open, and still the caller's.

    A parent passes sockets with ``subprocess.Popen(..., pass_fds=[sock.fileno()])``, a peer
    with ``socket.send_fds()``. Adopt each once: two objects would both close it.
    """
    if isinstance(descriptor, bool) or not isinstance(descriptor, int):
        raise TypeError(f"a descriptor is an int, as sock.fileno() returns it, not {descriptor!r}")
    if descriptor < 0:
        raise ValueError(f"{descriptor} is no descriptor: the socket was closed, or never opened")
    if descriptor > _LAST:
        raise ValueError(f"{descriptor} is no descriptor: they are numbers from 0 to {_LAST}")
    nature = _checked(descriptor)
    # The new object owns nothing until the descriptor is put into it, and gives it back if a
    # signal handler raises after that. test_interrupted.py raises at every bytecode.
    sock = socket.socket.__new__(socket.socket)
    try:
        _put(descriptor, sock, nature)
        return sock
    except BaseException:
        sock.detach()
        raise


def activated(
    name: str | None = None, *, clean_environment: bool = False
) -> tuple[socket.socket, ...]:
    """Return the sockets that the service manager passed to this process, in its order.

    With *name*, only those of that ``FileDescriptorName=`` (systemd.socket(5)), so that others,
    which may be Unix sockets, stay untouched. Empty where none were passed, or to another
    process (``LISTEN_PID``, and ``LISTEN_PIDFDID`` where Linux can tell it). Each socket is
    adopted as by :func:`adopt`, with its errors; after any error all descriptors are open, and
    still the caller's.

    *clean_environment* removes the variables, so that child processes do not take the
    sockets for theirs, and a second call returns nothing. A variable that cannot be understood
    is a ``ValueError``.
    """
    if name is not None and not isinstance(name, str):
        raise TypeError(f"name is the FileDescriptorName= of the sockets, or None, not {name!r}")
    cleans = true_or_false("clean_environment", clean_environment)
    try:
        descriptors = _passed(name)
    finally:
        if cleans:
            for variable in _VARIABLES:
                os.environ.pop(variable, None)
    natures = [_checked(descriptor) for descriptor in descriptors]
    adopted = tuple(socket.socket.__new__(socket.socket) for _ in natures)
    try:  # as in adopt()
        for descriptor, sock, nature in zip(descriptors, adopted, natures, strict=True):
            _put(descriptor, sock, nature)
        return adopted
    except BaseException:
        for sock in adopted:
            sock.detach()
        raise


def _passed(name: str | None) -> Sequence[int]:
    if "LISTEN_FDS" not in os.environ or "LISTEN_PID" not in os.environ:
        return ()
    if _number("LISTEN_PID") != os.getpid() or not _is_pidfd_id_ours():
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


def _is_pidfd_id_ours() -> bool:
    """Return whether ``LISTEN_PIDFDID`` is this process, as far as the system can tell.

    A process number is used again, and a process has another one in each PID namespace. The
    inode of a pidfd is of one process only, since Linux 6.9; before, all pidfds have the same.
    """
    if "LISTEN_PIDFDID" not in os.environ:
        return True
    wanted = _number("LISTEN_PIDFDID", digits=20)
    if sys.platform != "linux":
        return True
    from select import epoll

    try:
        pidfd = os.pidfd_open(os.getpid())
        try:
            status = os.fstat(pidfd)
        finally:
            os.close(pidfd)
        with epoll() as anonymous:  # in the file system where pidfds were before Linux 6.9
            if os.fstat(anonymous.fileno()).st_dev == status.st_dev:
                return True
    except (OSError, AttributeError):  # AttributeError: a Python that was built for an old Linux
        return True
    return wanted == status.st_ino


def _number(variable: str, digits: int = 9) -> int:
    text = os.environ[variable]
    if not (text.isascii() and text.isdigit()) or len(text) > digits:
        raise ValueError(f"{variable}={text!r} is no number: the service manager writes digits")
    return int(text)


def _checked(descriptor: int) -> Nature:
    """Return what *descriptor* is, if it is a TCP or UDP socket."""
    try:
        with duplicate_of(descriptor) as duplicate:
            return nature_of(duplicate)
    except ValueError as error:
        hint = f"descriptor {descriptor}: {error}"
        raise bind_error(errno.EPROTOTYPE, None, "adopt", hint) from None
    except OSError as error:
        raise _refused(descriptor, error) from error


def _put(descriptor: int, sock: socket.socket, nature: Nature) -> None:
    """Make *sock*, which has no descriptor yet, the owner of *descriptor*."""
    try:
        socket.socket.__init__(sock, *nature, fileno=descriptor)
        sock.set_inheritable(False)
        switch_nagle_off(sock)
        sock.setblocking(True)
    except OSError as error:
        raise _refused(descriptor, error) from error


def _refused(descriptor: int, error: OSError) -> BindError:
    what = _kind_of(descriptor)
    return bind_error(error, None, "adopt", f"descriptor {descriptor}: {what}" if what else "")


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
