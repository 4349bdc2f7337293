"""The exceptions for a system that refuses, and the table that says which one it is and why."""

import errno as numbers
import os
import socket
from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from bindlab.endpoint import Endpoint

__all__ = [
    "AddressInUseError",
    "AddressNotAvailableError",
    "BindError",
    "BindInterruptedError",
    "BindPermissionError",
    "BindUnreadyError",
    "DescriptorError",
    "DeviceNotFoundError",
    "FamilyNotSupportedError",
    "InvalidBindingError",
    "OptionNotSupportedError",
    "ResourcesExhaustedError",
    "Stage",
    "bind_error",
    "error_text",
]

Stage: TypeAlias = Literal[
    "zone", "socket", "setsockopt", "bind", "getsockname", "listen", "adopt", ""
]


class BindError(OSError):
    """The system refused to open *endpoint*; ``errno`` and ``strerror`` are its own.

    *stage* is the step that it refused: ``"zone"`` (if_nametoindex(3)), ``"socket"``,
    ``"setsockopt"``, ``"bind"``, ``"getsockname"``, ``"listen"`` or ``"adopt"``. *hint* says
    in words why, and what to do. *ports* is the range that was tried, where no port of it was to
    be had, and *endpoint* then has port 0. ``__cause__`` is the original ``OSError``; pickling and
    copying keep all of it. Subclasses also inherit the built-in class which that
    ``OSError`` has, so that ``except PermissionError`` still catches a denied port.

    >>> print(BindError(98, "Address already in use", Endpoint("127.0.0.1", 80), "bind"))
    127.0.0.1:80: Address already in use
    """

    # Defaults, because copy and pickle rebuild an OSError from (errno, strerror).
    endpoint: Endpoint | None = None
    stage: Stage = ""
    hint: str = ""
    ports: range | None = None

    def __init__(
        self,
        errno: int | None = None,
        strerror: str | None = None,
        endpoint: Endpoint | None = None,
        stage: Stage = "",
        hint: str = "",
    ) -> None:
        super().__init__(errno, strerror)
        self.endpoint = endpoint
        self.stage = stage
        self.hint = hint

    def __str__(self) -> str:
        subject = "" if self.endpoint is None else f"{self.endpoint}: "
        if self.ports:
            place, _, transport = subject.rpartition(":0")
            last = f"-{self.ports[-1]}" if len(self.ports) > 1 else ""
            subject = f"{place}:{self.ports[0]}{last}{transport}"
        return f"{subject}{self.strerror}{f' ({self.hint})' if self.hint else ''}"

    def __reduce__(self) -> tuple[type[OSError], tuple[object, ...], dict[str, object]]:
        state: dict[str, object] = {**self.__dict__, "__cause__": self.__cause__}
        return type(self), (self.errno, self.strerror), state

    def __setstate__(self, state: dict[str, object] | None) -> None:
        # CPython would do the same; PyPy would make ``__cause__`` an attribute like another.
        for name, value in (state or {}).items():
            setattr(self, name, value)


class AddressInUseError(BindError):
    """Another socket has the port, or every port that would do is taken (``EADDRINUSE``)."""


class AddressNotAvailableError(BindError):
    """This host does not have the address, or it is not ready yet (``EADDRNOTAVAIL``)."""


class FamilyNotSupportedError(BindError):
    """The system does not offer this address family, such as IPv6 (``EAFNOSUPPORT``)."""


class InvalidBindingError(BindError):
    """The address cannot be bound so, as a link-local one without its zone (``EINVAL``)."""


class DeviceNotFoundError(BindError):
    """No interface of this host has that name or index (``ENODEV``, ``ENXIO``)."""


class OptionNotSupportedError(BindError):
    """The system does not have a socket option that was asked for (``ENOPROTOOPT``)."""


class ResourcesExhaustedError(BindError):
    """The process or the system has no descriptors (``EMFILE``, ``ENFILE``) or memory left."""


class DescriptorError(BindError):
    """The descriptor is closed, or is no IP socket (``EBADF``, ``ENOTSOCK``)."""


class BindPermissionError(BindError, PermissionError):
    """The system demands a privilege, as it does for low ports (``EACCES``, ``EPERM``)."""


class BindInterruptedError(BindError, InterruptedError):
    """A signal interrupted the system call (``EINTR``)."""


class BindUnreadyError(BindError, BlockingIOError):
    """The system has no resources for it at the moment (``EAGAIN``)."""


class Meaning(NamedTuple):
    """A row of the table: what an error number means at some stages, in words."""

    errnos: tuple[str, ...]
    stages: tuple[Stage, ...]  # none: at any stage that no row above names
    error: type[BindError]
    hint: str  # why, and what helps


# The first row that names both decides. Sources: bind(2), listen(2), socket(2), socket(7),
# ip(7), ipv6(7), and measurements on Linux 6.18 for what they leave out. Error numbers are
# names, because some systems lack some of them.
MEANINGS: tuple[Meaning, ...] = (
    Meaning(
        ("EADDRINUSE",),
        (),
        AddressInUseError,
        "another socket has this port; take another one, or 0 to let the system choose",
    ),
    Meaning(
        ("EADDRNOTAVAIL",),
        (),
        AddressNotAvailableError,
        "no interface of this host has this address; "
        'bind one that it has, or "0.0.0.0" or "::" for all',
    ),
    Meaning(
        ("EACCES", "EPERM"),
        ("bind",),
        BindPermissionError,
        "this port needs a privilege; try one from 1024 up",
    ),
    Meaning(
        ("EACCES", "EPERM"),
        ("setsockopt",),
        BindPermissionError,
        "this socket option needs a privilege",
    ),
    Meaning(("EACCES", "EPERM"), (), BindPermissionError, "a security policy forbids it"),
    Meaning(
        ("EBADF", "ENOTSOCK", "EPROTOTYPE", "EINVAL", "EOPNOTSUPP", "ENOPROTOOPT"),
        ("adopt",),
        DescriptorError,
        "the descriptor is closed, or is no IP socket; pass it on with pass_fds, and adopt it once",
    ),
    Meaning(
        ("EAFNOSUPPORT", "EPROTONOSUPPORT", "EPFNOSUPPORT", "ESOCKTNOSUPPORT"),
        (),
        FamilyNotSupportedError,
        "this system does not offer this address family; "
        "if IPv6 is off, bind an IPv4 address such as 127.0.0.1",
    ),
    Meaning(("ENODEV", "ENXIO"), (), DeviceNotFoundError, "no interface has this name or index"),
    Meaning(
        ("ENOPROTOOPT", "EOPNOTSUPP", "ENOTSUP", "EINVAL"),
        ("setsockopt",),
        OptionNotSupportedError,
        "this system does not have the socket option",
    ),
    Meaning(
        ("EINVAL",),
        ("bind",),
        InvalidBindingError,
        "this address cannot be bound as it stands; "
        "a link-local address needs its zone, as in fe80::1%eth0",
    ),
    Meaning(("EINVAL", "EOPNOTSUPP"), (), InvalidBindingError, "the socket is in no state for it"),
    Meaning(
        ("EMFILE",),
        (),
        ResourcesExhaustedError,
        "this process has no descriptors left; close some, or raise RLIMIT_NOFILE (ulimit -n)",
    ),
    Meaning(
        ("ENFILE",),
        (),
        ResourcesExhaustedError,
        "the whole system has no descriptors left",
    ),
    Meaning(("ENOBUFS", "ENOMEM"), (), ResourcesExhaustedError, "the system has no memory for it"),
    Meaning(
        ("EBADF", "ENOTSOCK"), (), DescriptorError, "the descriptor was closed by someone else"
    ),
    Meaning(("EINTR",), (), BindInterruptedError, "a signal interrupted it; try again"),
    Meaning(("EAGAIN",), (), BindUnreadyError, "the system is short of resources; try again"),
)


def bind_error(
    error: OSError | int, endpoint: Endpoint | None, stage: Stage, hint: str = ""
) -> BindError:
    """Return the :class:`BindError` for *error* at *stage*; without a *hint*, that of the table.

    *error* is what a system call raised, and the caller raises the result ``from`` it; or a
    number of :mod:`errno`, where none did. A number that the table does not know becomes a plain
    :class:`BindError` without a hint.
    """
    if isinstance(error, int):
        error = OSError(error, error_text(error))
    for numbers_of_row, row in _ROWS:
        if error.errno in numbers_of_row and (not row.stages or stage in row.stages):
            return row.error(error.errno, _words_of(error), endpoint, stage, hint or row.hint)
    return BindError(error.errno, _words_of(error) or str(error), endpoint, stage, hint)


def error_text(number: int) -> str:
    """Return what the system says of an error number, those of Winsock included.

    Windows' ``os.strerror()`` knows none of those: Python has a table of them.
    """
    table: Mapping[int, str] = getattr(socket, "errorTab", {})
    return table.get(number, "").rstrip(".") or os.strerror(number)


def _words_of(error: OSError) -> str | None:
    """Return the system's own words, or ours where it has none: "Windows Error 0x2741"."""
    says_nothing = (error.strerror or "").startswith(("Windows Error 0x", "Unknown error"))
    return error_text(error.errno or 0) if says_nothing else error.strerror


_ROWS = tuple(
    ({getattr(numbers, name) for name in row.errnos if hasattr(numbers, name)}, row)
    for row in MEANINGS
)
