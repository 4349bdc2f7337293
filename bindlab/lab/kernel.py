"""Processes and namespaces, by the few system calls that Python does not offer."""

# Imported only where a network is made. The calls go through ctypes: os.unshare() and os.setns()
# exist from Python 3.12 on, prctl(2) in no version.

import ctypes
import errno
import os
import signal
import sys
from collections.abc import Callable

from bindlab.lab.errors import LabError

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

# unshare(2), namespaces(7). Debian and Ubuntu have switches of their own besides.
_REASONS = {
    ("a user namespace", errno.EPERM): (
        " (sysctl kernel.unprivileged_userns_clone is 0, or a container's seccomp profile "
        "forbids it: run as root, or with --cap-add SYS_ADMIN)"
    ),
    ("a user namespace", errno.ENOSPC): " (sysctl user.max_user_namespaces is reached, or 0)",
    ("a user namespace", errno.EINVAL): " (it was built without CONFIG_USER_NS)",
    ("a network namespace", errno.EPERM): (
        " (CAP_SYS_ADMIN is missing; where a user namespace was allowed, AppArmor took its "
        "rights: sysctl kernel.apparmor_restrict_unprivileged_userns)"
    ),
    ("a network namespace", errno.ENOSPC): " (sysctl user.max_net_namespaces is reached, or 0)",
    ("a network namespace", errno.EINVAL): " (it was built without CONFIG_NET_NS)",
}

# There is no library without a name on Windows, where this is imported and nothing is called.
_libc = ctypes.CDLL(None if os.name == "posix" else "msvcrt", use_errno=True)


def new_network() -> None:
    """Move this process into a fresh network namespace (unshare(2))."""
    _demand("a network namespace", _libc.unshare(CLONE_NEWNET))


def own_network() -> None:
    """Move this process into a fresh network namespace that it is root of.

    With CAP_SYS_ADMIN that is all. Without, a fresh user namespace comes first, in which
    the caller's own user and group are called root (user_namespaces(7)).
    """
    try:
        new_network()
        return
    except LabError as error:
        if error.errno != errno.EPERM:
            raise
    uid, gid = os.geteuid(), os.getegid()
    _demand("a user namespace", _libc.unshare(CLONE_NEWUSER))
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        try:
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
        except OSError as error:
            why = f"cannot become root of a user namespace: {error}"
            raise LabError(error.errno, why) from error
    new_network()


def enter(namespace: int) -> None:
    """Move this process into the network namespace that is open as descriptor *namespace*."""
    _demand("to enter a network namespace", _libc.setns(namespace, CLONE_NEWNET))


def forked(body: Callable[[], None]) -> int:
    """Fork a process that calls *body* and ends, at the latest when this one does."""
    parent = os.getpid()
    if pid := os.fork():
        return pid
    try:
        die_with_parent(parent)
        body()
        os._exit(0)
    except (ConnectionError, EOFError):
        pass  # nobody waits for what it would say
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        os._exit(1)


def die_with_parent(parent: int) -> None:
    """Have this process killed when *parent*, which made it, ends."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it has ended already
        os._exit(1)


def adopt_orphans() -> None:
    """Make this process the parent of descendants whose own parent ends."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    _demand(f"prctl({option})", _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0))


def _demand(piece: str, result: int) -> None:
    """Raise why the kernel refuses *piece*, if *result* of a system call says that it does."""
    if result != 0:
        number = ctypes.get_errno()
        why = _REASONS.get((piece, number), "")
        raise LabError(number, f"the kernel refuses {piece}: {os.strerror(number)}{why}")
