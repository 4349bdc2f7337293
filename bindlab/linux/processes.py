"""Which process has a socket, as far as this one may see: /proc/PID/fd of proc(5)."""

import contextlib
import os
import time
from collections.abc import Collection, Generator, Iterator, Mapping
from typing import NamedTuple

from bindlab.linux.sockets import ListedSocket
from bindlab.printable import printable


class Process(NamedTuple):
    """A process, and what it calls itself, made printable: any user can choose any name."""

    pid: int
    name: str


class Owners(NamedTuple):
    """The processes that have sockets, by the sockets' inodes."""

    found: Mapping[int, Process]
    out_of_time: bool
    """Whether some processes were not looked at, because the time was over."""


def owners_of(inodes: Collection[int], seconds: float = 0.02) -> Owners:
    """Return which processes have the sockets with these *inodes*.

    To find them, the descriptors of all processes are read: those of the calling process first,
    then of those that were started last. That ends after so many *seconds* of processor time,
    which do not depend on what else a busy machine does. Another user's processes are
    out of sight for all but root, and a sandbox may have no /proc: a socket that is not found
    may still be somebody's.
    """
    until = time.thread_time() + seconds
    wanted = {f"socket:[{inode}]": inode for inode in inodes if inode}
    found: dict[int, Process] = {}
    with contextlib.closing(_descriptors(until)) as every:  # PyPy would leave a directory open
        for pid, descriptor in every:
            if descriptor in wanted and (name := _name(pid)) is not None:
                found[wanted.pop(descriptor)] = Process(pid, name)
            if not wanted:
                break
    return Owners(found, out_of_time=bool(wanted) and time.thread_time() >= until)


def owners(sockets: Collection[ListedSocket], seconds: float = 0.02) -> list[str]:
    """Return in words whose each of *sockets* is, as far as this process may see.

    Another user's processes are out of sight for all but root: then it is the user's id alone.
    Where there are too many processes to look at all of them in *seconds*, it says so.
    """
    found, out_of_time = owners_of([one.inode for one in sockets], seconds)
    why = " (not all were looked at)" if out_of_time else ", out of sight,"

    def words(one: ListedSocket) -> str:
        if (process := found.get(one.inode)) is None:
            return f"a process of user {one.uid}{why}"
        itself = process.pid == os.getpid()
        return "this process itself" if itself else f"{process.name} (process {process.pid})"

    return [words(one) for one in sockets]


def _descriptors(until: float) -> Generator[tuple[int, str], None, None]:
    """Yield what each descriptor of each process is, as long as there is time."""
    for pid in _processes():
        if time.thread_time() >= until:
            return
        try:
            with os.scandir(f"/proc/{pid}/fd") as entries:
                for entry in entries:
                    try:
                        yield pid, os.readlink(entry.path)
                    except OSError:  # closed meanwhile
                        continue
                    if time.thread_time() >= until:
                        return
        except OSError:  # another user's process, or one that has just ended
            continue


def _processes() -> Iterator[int]:
    """Yield the calling process, then the others, the newest of them first."""
    yield os.getpid()
    with contextlib.suppress(OSError):  # a sandbox without /proc
        yield from sorted(map(int, filter(str.isdecimal, os.listdir("/proc"))), reverse=True)


def _name(pid: int) -> str | None:
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return printable(file.read().removesuffix("\n")) or "a program"
    except OSError:  # it has just ended
        return None
