"""Ends the processes of a lab: those that a process made, and those that are on a network."""

import contextlib
import os
import signal
import time
from collections.abc import Collection, Iterator
from io import FileIO

_MOST_SURPRISES = 10  # passes that find new processes, before one is taken to start itself anew
_SURE = 40  # passes over all processes that find nobody
_PATIENCE = 5.0  # seconds; what is killed may take a while to end


def end_descendants() -> None:
    """Kill the children of this process until it has none.

    It is the child subreaper (PR_SET_CHILD_SUBREAPER) of all that they start: what loses its
    parent becomes a child, also a daemon, and one that starts itself anew for ever.
    """
    # A child that ended keeps its number until it is waited for: no other process gets it.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    known: set[int] = set()
    surprises = 0
    while True:
        children = set(_children())
        surprises += not children <= known
        known |= children
        for pid in children:
            if surprises > _MOST_SURPRISES:
                _stay_on_one_processor()
                _slow_down(pid)
            with contextlib.suppress(ProcessLookupError):
                group = os.getpgid(pid)
                if group != os.getpgrp():
                    os.killpg(group, signal.SIGKILL)  # at once: no member can fork meanwhile
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        if surprises <= _MOST_SURPRISES:
            time.sleep(0.0005)  # what is killed needs the processor to end


def _children() -> list[int]:
    # As quick as can be: a program may start itself anew faster than /proc can be listed.
    with contextlib.suppress(FileNotFoundError), open("/proc/thread-self/children") as file:
        return [int(word) for word in file.read().split()]
    me = os.getpid()  # a kernel without CONFIG_PROC_CHILDREN
    return [pid for pid in _processes() if _parent(pid) == me]


def _parent(pid: int) -> int | None:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", "rb") as file:
        # proc(5): the name, in parentheses, may hold any bytes; state and parent follow.
        return int(file.read().rpartition(b")")[2].split()[1])
    return None


def end_members(namespaces: Collection[int]) -> None:
    """Kill the processes that are in network namespaces, given by descriptors.

    This is for what a killed builder left behind. It ends after some seconds in any case. As
    long as the descriptors are open, no other namespace gets the number of one.
    """
    wanted = {os.readlink(f"/proc/self/fd/{number}") for number in namespaces}
    deadline = time.monotonic() + _PATIENCE
    before = _stay_on_one_processor()
    seen_nobody = 0  # how often in a row: one that starts itself anew is missed now and then
    try:
        while seen_nobody < _SURE and time.monotonic() < deadline:
            seen_nobody += 1
            for pid in sorted(_processes(), reverse=True):  # the newest first: it ends the soonest
                if pid != os.getpid() and _is_on(pid, wanted):
                    seen_nobody = 0
                    with contextlib.suppress(OSError), FileIO(os.pidfd_open(pid)) as process:
                        if _is_on(pid, wanted):
                            _slow_down(pid)
                            signal.pidfd_send_signal(process.fileno(), signal.SIGKILL)
    finally:  # it is the thread of a test, which Ctrl-C may interrupt here
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, before)


def _is_on(pid: int, wanted: Collection[str]) -> bool:
    """Return whether *pid* is in one of the network namespaces *wanted*, as far as we may see."""
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/{pid}/ns/net") in wanted
    return False


def _stay_on_one_processor() -> set[int]:
    """Keep this thread on one processor, and return those that it had: see _slow_down()."""
    before = os.sched_getaffinity(0)
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, {min(before)})
    return before


def _slow_down(pid: int) -> None:
    """Let *pid*, and all that it starts from now on, run only while this thread does nothing.

    A program that starts itself anew without a pause is otherwise gone before it is killed, and
    its child as well. What a process has of the scheduler, its children inherit (sched(7)).
    """
    with contextlib.suppress(OSError):
        os.sched_setaffinity(pid, os.sched_getaffinity(0))
        os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))


def _processes() -> Iterator[int]:
    return (int(entry) for entry in os.listdir("/proc") if entry.isdigit())
