"""The few system calls that Python does not offer, and what their failures mean."""

# Linux only, and imported only where a network is being made. They go through ctypes:
# ``os.unshare`` exists from Python 3.12 on, prctl(2) in no version.

import ctypes
import errno
import functools
import os
import signal
import sys
from collections.abc import Callable

from bindlab.lab.errors import LabError

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def new_network() -> None:
    """Move this process into a fresh network namespace (unshare(2))."""
    _unshare(CLONE_NEWNET, "a network namespace")


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
    _unshare(CLONE_NEWUSER, f"a user namespace for uid {uid}")
    try:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"0 {uid} 1")
        _write("/proc/self/gid_map", f"0 {gid} 1")
    except OSError as error:
        raise LabError(error.errno, f"cannot become root of a user namespace: {error}") from error
    new_network()


def enter(namespace: int) -> None:
    """Move this process into the network namespace that is open as descriptor *namespace*."""
    if _libc().setns(namespace, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise LabError(number, f"setns: {os.strerror(number)}")


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
        pass  # whom it would tell is gone
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        os._exit(1)


def die_with_parent(parent: int) -> None:
    """Have this process killed when *parent*, which made it, ends (PR_SET_PDEATHSIG)."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it has ended already
        os._exit(1)


def adopt_orphans() -> None:
    """Make this process the parent of descendants whose own parent ends (prctl(2))."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    if _libc().prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise LabError(number, f"prctl({option}): {os.strerror(number)}")


def _unshare(flag: int, piece: str) -> None:
    if _libc().unshare(flag) == 0:
        return
    number = ctypes.get_errno()
    why = _REASONS.get((flag, number), "")
    raise LabError(number, f"the kernel refuses {piece}: {os.strerror(number)}{why}")


# unshare(2), namespaces(7). Debian and Ubuntu have switches of their own besides.
_REASONS = {
    (CLONE_NEWUSER, errno.EPERM): (
        " (sysctl kernel.unprivileged_userns_clone is 0, or a container's seccomp profile "
        "forbids it: run as root, or with --cap-add SYS_ADMIN)"
    ),
    (CLONE_NEWUSER, errno.ENOSPC): " (sysctl user.max_user_namespaces is reached, or 0)",
    (CLONE_NEWUSER, errno.EINVAL): " (it was built without CONFIG_USER_NS)",
    (CLONE_NEWNET, errno.EPERM): (
        " (CAP_SYS_ADMIN is missing; where a user namespace was allowed, AppArmor took its "
        "rights: sysctl kernel.apparmor_restrict_unprivileged_userns)"
    ),
    (CLONE_NEWNET, errno.ENOSPC): " (sysctl user.max_net_namespaces is reached, or 0)",
    (CLONE_NEWNET, errno.EINVAL): " (it was built without CONFIG_NET_NS)",
}


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
