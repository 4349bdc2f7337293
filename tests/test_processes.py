"""Which process has a socket: found among all descriptors, within a bounded time."""

import os
import socket
import subprocess
import sys
import time

import pytest

from bindlab.linux import processes
from bindlab.linux.processes import owners_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")

PATIENT = 10.0
NAMED = """
import ctypes, socket, sys
ctypes.CDLL(None).prctl(15, b"\\x1b[2J\\nroot\\xff")
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
sys.stdin.read()
"""


def inode_of(sock: socket.socket) -> int:
    return os.fstat(sock.fileno()).st_ino


def test_the_own_process_is_found_first() -> None:
    """A socket of this process is found whatever else there is, several at once."""
    with socket.socket() as one, socket.socket() as other:
        inodes = [inode_of(one), inode_of(other)]
        found, out_of_time = owners_of(inodes, PATIENT)
    assert [found[inode].pid for inode in inodes] == [os.getpid()] * 2
    assert not out_of_time


def test_the_name_of_a_process_can_be_printed() -> None:
    """Any user's process may call itself anything: what is told of it is one printable line."""
    with subprocess.Popen(
        [sys.executable, "-c", NAMED], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        (inode,) = {
            os.stat(f"/proc/{other.pid}/fd/{each}").st_ino
            for each in os.listdir(f"/proc/{other.pid}/fd")
            if os.readlink(f"/proc/{other.pid}/fd/{each}").startswith("socket:")
        }
        process = owners_of([inode], PATIENT).found[inode]
        assert other.stdin is not None
        other.stdin.close()
    assert process.pid == other.pid
    assert process.name == "\\x1b[2J\\nroot\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("inode", [0, 1])
def test_what_nobody_has_is_not_found(inode: int) -> None:
    """Inode 0, of a connection that no process has, is not looked for at all."""
    found, out_of_time = owners_of([inode], PATIENT)
    assert not found
    assert not out_of_time


def test_the_search_ends_in_time_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many processes there are, no more than the given time is spent on them."""
    me = os.getpid()
    monkeypatch.setattr(processes, "_processes", lambda: iter([me] * 1_000_000))
    before = time.monotonic()
    found, out_of_time = owners_of([1], 0.02)
    assert time.monotonic() - before < 1.0
    assert (dict(found), out_of_time) == ({}, True)


def test_without_proc_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sandbox without /proc is no error."""

    def refuse(_: str) -> list[str]:
        raise FileNotFoundError

    monkeypatch.setattr(os, "listdir", refuse)
    monkeypatch.setattr(os, "scandir", refuse)
    assert owners_of([1], PATIENT) == ({}, False)
