"""A program that runs on a host of the lab."""

import contextlib
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Sequence
from io import FileIO
from typing import Self

from bindlab.lab.errors import LabError
from bindlab.lab.messages import receive
from bindlab.printable import printable_lines

_MOST_OUTPUT = 1 << 26  # bytes that are read; a program can make the file as long as it likes


class Program:
    """A running program of a host: a context manager that ends it.

    Leaving the ``with`` sends SIGTERM, and SIGKILL when that did not end it in *patience*
    seconds; what it left behind in its process group is killed too. A daemon, which leaves
    its group, ends with the network.

    ``returncode`` is what :meth:`poll` last returned.
    """

    patience = 2.0

    def __init__(
        self, args: Sequence[str], process: FileIO, channel: socket.socket, captured: FileIO
    ) -> None:
        self.args = tuple(args)
        self._process = process
        self._channel = channel
        self._captured = captured
        self._owner = os.getpid()
        # Held by the thread that waits: the end is told once.
        self._waiting = threading.RLock()
        self._output = ""
        self.returncode: int | None = None

    def __repr__(self) -> str:
        code = self.poll()
        state = "running" if code is None else f"ended with {code}"
        return f"<Program {' '.join(self.args)}: {state}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def output(self) -> str:
        """What it has written to its standard output and error, where captured, until it ended.

        A program that writes to a file rather than to a terminal may hold its lines back;
        Python does, unless ``PYTHONUNBUFFERED`` is set in *env*. After 64 MiB no more is read.
        """
        with contextlib.suppress(ValueError):  # closed meanwhile
            descriptor = self._captured.fileno()
            size = min(os.fstat(descriptor).st_size, _MOST_OUTPUT)
            written = os.pread(descriptor, size, 0)
            self._output = written.decode(errors="replace")
        return self._output

    def poll(self) -> int | None:
        """Return its exit status, minus the signal's number if one ended it; ``None`` before."""
        return self._ended_within(0)

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit status once it has ended; ``TimeoutError`` after *timeout* seconds."""
        code = self._ended_within(timeout)
        if code is None:
            raise TimeoutError(f"{self!r} after {timeout} seconds")
        return code

    def wait_for_output(self, text: str, timeout: float = 5.0) -> str:
        """Return its output once *text* is in it.

        ``TimeoutError`` after *timeout* seconds, and as soon as it has ended without.
        """
        deadline = time.monotonic() + timeout
        while text not in self.output:
            ended = self.poll() is not None
            if text not in self.output and (ended or time.monotonic() > deadline):
                wrote = printable_lines(self.output)
                raise TimeoutError(f"{self!r} did not write {text!r}, but: {wrote}")
            time.sleep(0.002)
        return self.output

    def send_signal(self, number: int) -> None:
        """Send it a signal; one that has ended gets none."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError, ValueError):  # it ends just now
                signal.pidfd_send_signal(self._process.fileno(), number)

    def close(self) -> None:
        """End it if it still runs, as leaving the ``with`` does.

        A forked child of the process that started it closes its copies, and ends nothing.
        """
        end([self])

    def release(self) -> None:
        """Close what is held of it, which the network does at its end; it is as good as dead."""
        if self.returncode is None and self.is_ours():
            self.returncode = -signal.SIGKILL
        self._output = self.output
        # Each of these may be closed again: an interruption in the middle does no harm.
        self._captured.close()
        self._process.close()
        self._channel.close()

    def is_ours(self) -> bool:
        """Return whether this process started it, and is no fork of the one that did."""
        return os.getpid() == self._owner

    def _ended_within(self, timeout: float | None) -> int | None:
        if not self._waiting.acquire(timeout=-1 if timeout is None else max(timeout, 0)):
            return None
        try:
            if self.returncode is None and self.is_ours():
                # Not select(2), which takes no descriptor beyond 1023.
                poll = select.poll()
                poll.register(self._channel, select.POLLIN)
                if poll.poll(None if timeout is None else max(timeout, 0) * 1000):
                    self.returncode = self._read_end()
                    self.release()
            return self.returncode
        finally:
            self._waiting.release()

    def _read_end(self) -> int:
        with contextlib.suppress(EOFError, ConnectionResetError):
            match receive(self._channel):
                case ["ended", int(status)], _:
                    return status
                case told, _:
                    raise LabError(None, f"the end of {self.args[0]} is told as {told}")
        with contextlib.suppress(ProcessLookupError):  # its host is gone, and it goes with it
            signal.pidfd_send_signal(self._process.fileno(), signal.SIGKILL)
        return -signal.SIGKILL


def end(programs: Sequence[Program]) -> None:
    """End programs together, in the time that the most patient of them takes."""
    running = [program for program in programs if program.is_ours() and program.poll() is None]
    try:
        for number in (signal.SIGTERM, signal.SIGKILL):
            started = time.monotonic()
            for program in running:
                program.send_signal(number)
            for program in running:
                with contextlib.suppress(TimeoutError):
                    program.wait(started + program.patience - time.monotonic())
    finally:
        for program in programs:
            program.release()
