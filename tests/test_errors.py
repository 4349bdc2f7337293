"""The tree of errors: right class for each number and stage, nothing lost on the way."""

import copy
import errno
import os
import pickle
from typing import get_args

import pytest

from bindlab import errors
from bindlab.endpoint import Endpoint
from bindlab.errors import MEANINGS, BindError, Stage, bind_error, error_text

HERE = Endpoint("127.0.0.1", 80)
STAGES: tuple[Stage, ...] = get_args(Stage)


def refused(number: int, stage: Stage = "bind") -> BindError:
    """Return a BindError as it looks after being raised."""
    try:
        try:
            raise OSError(number, os.strerror(number))
        except OSError as error:
            raise bind_error(error, HERE, stage) from error
    except BindError as error:
        return error


@pytest.mark.parametrize(
    ("name", "stage", "kind"),
    [
        ("EADDRINUSE", "bind", "AddressInUseError"),
        ("EADDRINUSE", "listen", "AddressInUseError"),
        ("EADDRNOTAVAIL", "bind", "AddressNotAvailableError"),
        ("EACCES", "bind", "BindPermissionError"),
        ("EPERM", "bind", "BindPermissionError"),
        ("EPERM", "setsockopt", "BindPermissionError"),
        ("EACCES", "socket", "BindPermissionError"),
        ("EAFNOSUPPORT", "socket", "FamilyNotSupportedError"),
        ("EPROTONOSUPPORT", "socket", "FamilyNotSupportedError"),
        ("ENODEV", "setsockopt", "DeviceNotFoundError"),
        ("ENODEV", "bind", "DeviceNotFoundError"),
        ("ENXIO", "zone", "DeviceNotFoundError"),
        ("EINVAL", "bind", "InvalidBindingError"),
        ("EINVAL", "listen", "InvalidBindingError"),
        ("EINVAL", "setsockopt", "OptionNotSupportedError"),
        ("ENOPROTOOPT", "setsockopt", "OptionNotSupportedError"),
        ("EMFILE", "socket", "ResourcesExhaustedError"),
        ("ENFILE", "socket", "ResourcesExhaustedError"),
        ("ENOBUFS", "socket", "ResourcesExhaustedError"),
        ("ENOMEM", "bind", "ResourcesExhaustedError"),
        ("EBADF", "adopt", "DescriptorError"),
        ("ENOTSOCK", "adopt", "DescriptorError"),
        ("EBADF", "listen", "DescriptorError"),
        ("EINTR", "bind", "BindInterruptedError"),
        ("EAGAIN", "bind", "BindUnreadyError"),
        ("EIO", "bind", "BindError"),
    ],
)
def test_a_number_and_a_stage_decide_the_class(name: str, stage: Stage, kind: str) -> None:
    """Each row of the table, and what is in no row, becomes exactly one class."""
    error = refused(getattr(errno, name), stage)
    assert type(error).__name__ == kind
    assert error.errno == getattr(errno, name)
    assert error.strerror in (os.strerror(error.errno), error_text(error.errno))
    assert (error.endpoint, error.stage) == (HERE, stage)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("name", sorted({name for row in MEANINGS for name in row.errnos}))
def test_an_error_stays_the_built_in_class(name: str, stage: Stage) -> None:
    """Whatever class the OSError would have had, the BindError inherits it."""
    number = getattr(errno, name, None)
    if number is None:
        pytest.skip(f"{name} is none of this system's errors")
    assert isinstance(refused(number, stage), type(OSError(number, "")))


@pytest.mark.parametrize("way", ["copy", "deepcopy", *range(pickle.HIGHEST_PROTOCOL + 1)])
@pytest.mark.parametrize("name", ["EADDRINUSE", "EACCES", "EINTR", "EIO"])
def test_errors_travel_whole(name: str, way: str | int) -> None:
    """Pickling (each protocol) and copying keep class, numbers, text, endpoint, hint and cause."""
    error = refused(getattr(errno, name))
    error.hint = error.hint or "a hint"
    if isinstance(way, int):
        twin = pickle.loads(pickle.dumps(error, way))
    else:
        twin = copy.copy(error) if way == "copy" else copy.deepcopy(error)
    assert type(twin) is type(error)
    assert (twin.errno, twin.strerror, str(twin)) == (error.errno, error.strerror, str(error))
    assert (twin.endpoint, twin.stage, twin.hint) == (error.endpoint, error.stage, error.hint)
    assert isinstance(twin.__cause__, OSError)
    assert twin.__cause__.errno == error.errno


def test_the_message_has_one_shape() -> None:
    """Endpoint, the system's words, and in brackets the hint."""
    error = BindError(errno.EACCES, "Permission denied", HERE, "bind", "try 8080")
    assert str(error) == "127.0.0.1:80: Permission denied (try 8080)"
    assert str(BindError(errno.EIO, "Input/output error")) == "Input/output error"


def test_the_table_can_be_read() -> None:
    """Each row has a hint in words, and every public class but the root has a row."""
    assert all(row.hint and row.errnos for row in MEANINGS)
    classes = {getattr(errors, name) for name in errors.__all__ if name.endswith("Error")}
    assert {row.error for row in MEANINGS} == classes - {BindError}


def test_errors_are_caught_as_oserror_is() -> None:
    """except OSError and except PermissionError catch what they did with bare sockets."""
    with pytest.raises(PermissionError):
        raise refused(errno.EACCES)
    with pytest.raises(OSError, match="in use"):
        raise refused(errno.EADDRINUSE)
