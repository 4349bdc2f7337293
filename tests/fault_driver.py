"""Fail every system call of every opening function, once each: run by test_faults.py.

Prints one line for each violation of the rules, and how many cases there were.
"""

import ctypes
import errno
import gc
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable

from attempts import descriptors, leave_time_wait

from bindlab.errors import BindError
from bindlab.opening import bind, listen
from bindlab.opening.adoption import activated, adopt
from bindlab.opening.allocation import allocate
from bindlab.opening.reservation import Reservation

CALLS = {
    "socket": "EMFILE ENFILE ENOBUFS ENOMEM EAFNOSUPPORT EPROTONOSUPPORT EACCES EPERM EINVAL",
    "setsockopt": "ENOPROTOOPT EINVAL EPERM EACCES ENODEV ENOMEM ENOBUFS EOPNOTSUPP EDOM EBADF",
    "bind": "EADDRINUSE EADDRNOTAVAIL EACCES EPERM EINVAL ENODEV ENOMEM EINTR EAGAIN ENETDOWN",
    "listen": "EADDRINUSE EINVAL EOPNOTSUPP EACCES EPERM ENOMEM ENOBUFS EBADF EINTR",
    "getsockname": "ENOBUFS EINVAL EBADF ENOTSOCK",
    "getsockopt": "ENOPROTOOPT EINVAL EBADF ENOTSOCK",
}
NAMES = list(CALLS)
ADOPTING = ("adopt", "activated")  # what they refuse stays the caller's

# The first socket is only a place for the duplicate, and any other family will do for that.
# Python asks for the name once more, and does without it. Without SO_PROTOCOL, the number is
# that of TCP or UDP.
ADOPTING_ALL_THE_SAME = {
    *(("socket", name) for name in CALLS["socket"].split()),
    ("getsockname", "ENOBUFS"),
    ("getsockname", "EINVAL"),
    *(("getsockopt", name) for name in CALLS["getsockopt"].split()),
}

# They ask by netlink whether connections have the port: with their second socket, whose two
# options are not needed. Without an answer, what bind() said stands.
ASKING = (
    "bind over TIME_WAIT",
    "allocate over TIME_WAIT",
    "allocate over TIME_WAIT, take",
    "allocate over TIME_WAIT, listen",
)

# What may succeed although a call failed, because there is another way: an IPv4 socket
# for dual_stack=True, "localhost" without one of its addresses, another port or another try.
OTHER_WAYS: dict[str, set[tuple[str, str]]] = {
    "listen dual": {
        ("socket", "EAFNOSUPPORT"),
        ("socket", "EPROTONOSUPPORT"),
        ("bind", "EADDRNOTAVAIL"),
    },
    "allocate localhost": {
        ("socket", "EAFNOSUPPORT"),
        ("socket", "EPROTONOSUPPORT"),
        ("bind", "EADDRNOTAVAIL"),
        ("bind", "EADDRINUSE"),
    },
    "allocate pair": {("bind", "EADDRINUSE"), ("bind", "EACCES"), ("bind", "EPERM")},
    "allocate within": {("bind", "EADDRINUSE"), ("bind", "EACCES"), ("bind", "EPERM")},
    "allocate listen": {("listen", "EADDRINUSE"), ("bind", "EADDRINUSE")},
    **{label: {("bind", "EADDRINUSE")} for label in ASKING},
    "listen over TIME_WAIT": {("bind", "EADDRINUSE")},
    "allocate over TIME_WAIT, listen": {("bind", "EADDRINUSE"), ("listen", "EADDRINUSE")},
    "allocate fixed, listen": {("listen", "EADDRINUSE")},
    "listen fixed": {("bind", "EADDRINUSE")},
    **dict.fromkeys(ADOPTING, ADOPTING_ALL_THE_SAME),
}


def free_port() -> int:
    with bind() as sock:
        return int(sock.getsockname()[1])


def waiting_port() -> int:
    return leave_time_wait(listen())


def openings() -> dict[str, Callable[[], object]]:
    fixed = free_port()
    waiting = waiting_port()
    with bind() as sock:
        import fcntl  # which Windows has not, where pytest imports this for doctests

        given = fcntl.fcntl(sock, fcntl.F_DUPFD_CLOEXEC, 100)
    os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
    return {
        "bind": bind,
        "bind udp": lambda: bind(transport="udp"),
        "bind shared": lambda: bind(share_port=True),
        "bind fixed": lambda: bind(fixed),
        "bind shared fixed": lambda: bind(fixed, share_port=True),
        "bind ipv6": lambda: bind(0, "::1"),
        "bind device": lambda: bind(device="lo"),
        "bind over TIME_WAIT": lambda: bind(waiting),
        "listen": listen,
        "listen fixed": lambda: listen(fixed),
        "listen dual": lambda: listen(0, "::", dual_stack=True),
        "listen over TIME_WAIT": lambda: listen(waiting),
        "allocate": allocate,
        "allocate pair": lambda: allocate("127.0.0.1", "::1", transports=("tcp", "udp")),
        "allocate localhost": lambda: allocate("localhost"),
        "allocate fixed": lambda: allocate("127.0.0.1", "::1", port=fixed),
        "allocate within": lambda: allocate("127.0.0.1", "::1", within=range(fixed, fixed + 9)),
        "allocate lendable": lambda: allocate(lendable=True),
        "allocate over TIME_WAIT": lambda: allocate(port=waiting),
        "allocate listen": lambda: allocate("127.0.0.1", "::1").listen(),
        "allocate over TIME_WAIT, take": lambda: allocate(port=waiting).take(),
        "allocate over TIME_WAIT, listen": lambda: allocate(port=waiting).listen(),
        "allocate fixed, listen": lambda: allocate(port=fixed).listen(),
        "adopt": lambda: adopt(os.dup(given)),
        # 3 is SD_LISTEN_FDS_START, and free between two cases.
        "activated": lambda: [os.dup2(given, 3), *activated()][1:],
    }


def open_descriptors() -> set[int]:
    return {int(name) for name in descriptors()}


def close(result: object) -> None:
    if isinstance(result, socket.socket | Reservation):
        result.close()
    elif isinstance(result, Iterable):
        for sock in result:
            close(sock)


def try_once(label: str, opening: Callable[[], object], call: str, nth: int, name: str) -> str:
    """Return what was wrong, "" if nothing was."""
    shim = ctypes.CDLL(None)
    number = getattr(errno, name)
    before = open_descriptors()
    shim.fault_set(NAMES.index(call), nth, number)
    if label in ASKING and call == "socket" and nth == 2:
        call, number = "bind", errno.EADDRINUSE
    try:
        result = opening()
    except BindError as error:
        if error.errno != number:
            return f"errno {error.errno} instead of {number}"
        if not isinstance(error, type(OSError(number, ""))):
            return f"{type(error).__name__} is no {type(OSError(number, '')).__name__}"
        if not error.hint and name not in ("EDOM", "ENETDOWN"):
            return "no hint"
        if label not in ADOPTING and error.endpoint is None:
            return "no endpoint"
        if label not in ADOPTING and error.stage != call and call != "getsockopt":
            return f"stage {error.stage}"
        if not isinstance(error.__cause__, OSError):
            return "no cause"
        stays_ours = label in ADOPTING
        error.__traceback__ = None
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    else:
        is_ipv4 = isinstance(result, socket.socket) and result.family == socket.AF_INET
        close(result)
        if label == "listen dual" and not is_ipv4:
            return "not visibly IPv4"  # hard case 6
        if not shim.fault_fired():
            return "the fault did not happen"
        if (call, name) not in OTHER_WAYS.get(label, set()):
            return "success"
        stays_ours = False
    finally:
        shim.fault_set(-1, 0, 0)
    leaked = open_descriptors() - before
    if stays_ours:
        os.close(leaked.pop())
    return f"{len(leaked)} descriptors leaked" if leaked else ""


def main() -> None:
    shim = ctypes.CDLL(None)
    if shim.unshare(0x40000000) == 0:  # CLONE_NEWNET: nobody else has the fixed ports there
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    os.closerange(3, 4)
    cases = 0
    for label, opening in openings().items():
        shim.fault_set(-1, 0, 0)
        close(opening())
        counts = {call: shim.fault_count(index) for index, call in enumerate(CALLS)}
        for call, names in CALLS.items():
            first = 3 if label in ASKING and call == "setsockopt" else 1
            for nth in range(first, counts[call] + 1):
                for name in names.split():
                    cases += 1
                    wrong = try_once(label, opening, call, nth, name)
                    if wrong:
                        print(f"{label}: {name} at {call} number {nth}: {wrong}")
    gc.collect()
    print(f"{cases} cases", file=sys.stderr)


if __name__ == "__main__":
    main()
