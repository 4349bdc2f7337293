"""A program that runs on a host of the lab."""

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import IO, Self, TypeAlias

from bindlab.lab.messages import Ended
from bindlab.lab.remote import become
from bindlab.lab.wire import Closed, Descriptor, pair, receive
from bindlab.printable import printable_lines

__all__ = ["Program", "Stream", "launch"]

Stream: TypeAlias = IO[bytes] | IO[str] | int | None
Ask: TypeAlias = Callable[
    [Callable[..., object], tuple[object, ...], Mapping[str, object]], socket.socket
]


class Program:
    """A running program of a host: a context manager that ends it.

    Leaving the ``with`` sends SIGTERM, and SIGKILL when that did not end it in *patience*
    seconds; what it left behind in its process group is killed too.
    """

    patience = 2.0

    def __init__(
        self, args: tuple[str, ...], pidfd: int, reply: socket.socket, captured: int
    ) -> None:
        self.args = args
        self._pidfd = pidfd
        self._reply = reply
        self._captured = captured
        self._owner = os.getpid()
        self._output = ""
        self._returncode: int | None = None

    def __repr__(self) -> str:
        code = self.poll()
        state = "running" if code is None else f"ended with {code}"
        return f"<Program {' '.join(self.args)}: {state}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def output(self) -> str:
        """What it has written so far to its standard output and error, where captured.

        A program that writes to a file rather than to a terminal may hold its lines back;
        Python does, unless ``PYTHONUNBUFFERED`` is set in *env*.
        """
        if self._captured >= 0:
            size = os.fstat(self._captured).st_size
            self._output = os.pread(self._captured, size, 0).decode(errors="replace")
        return self._output

    def poll(self) -> int | None:
        """Return its exit status, minus the signal's number if one ended it; ``None`` before."""
        if self._returncode is None and self._is_answered(0):
            self._read_end()
        return self._returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit status once it has ended; ``TimeoutError`` after *timeout* seconds."""
        if self._returncode is None:
            if not self._is_answered(timeout):
                raise TimeoutError(f"{self!r} after {timeout} seconds")
            self._read_end()
        code = self.poll()
        assert code is not None
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
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def close(self) -> None:
        """End it if it still runs, as leaving the ``with`` does.

        A forked child of the process that started it closes its copies, and ends nothing.
        """
        if self._pidfd < 0:
            return
        try:
            if os.getpid() == self._owner:
                self._terminate()
        finally:
            self._output = self.output
            for descriptor in (self._pidfd, self._captured):
                if descriptor >= 0:
                    os.close(descriptor)
            self._pidfd = self._captured = -1
            self._reply.close()

    def _terminate(self) -> None:
        self.send_signal(signal.SIGTERM)
        try:
            self.wait(self.patience)
        except TimeoutError:
            self.send_signal(signal.SIGKILL)
            self.wait()

    def _is_answered(self, timeout: float | None) -> bool:
        # Not select(2), which takes no descriptor beyond 1023.
        poll = select.poll()
        poll.register(self._reply, select.POLLIN)
        return bool(poll.poll(None if timeout is None else timeout * 1000))

    def _read_end(self) -> None:
        try:
            answer = receive(self._reply)
        except Closed:  # its host is gone, and it went with it
            answer = Ended(-signal.SIGKILL)
        assert isinstance(answer, Ended)
        self._returncode = answer.status


def launch(
    ask: Ask,
    command: tuple[str, ...],
    streams: tuple[Stream, Stream, Stream],
    env: Mapping[str, str] | None,
    cwd: str | os.PathLike[str] | None,
) -> Program:
    """Start *command* in a process that *ask* has made, and return it once it runs."""
    with contextlib.ExitStack() as passing, contextlib.ExitStack() as on_failure:
        started, theirs = map(passing.enter_context, pair())
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        passing.callback(os.close, null)
        captured = os.memfd_create("output", os.MFD_CLOEXEC)
        on_failure.callback(os.close, captured)
        standard = [
            Descriptor(_number(stream, default))
            for stream, default in zip(streams, (null, captured, captured), strict=True)
        ]
        environment = dict(os.environ if env is None else env)
        directory = os.fspath(os.getcwd() if cwd is None else cwd)
        reply = ask(become, (command, environment, directory, standard, theirs), {})
        on_failure.callback(reply.close)
        theirs.close()
        pidfd = receive(started)
        assert isinstance(pidfd, Descriptor)
        on_failure.callback(os.close, pidfd.number)
        try:
            failure = receive(started)
        except Closed:  # by execve(2)
            on_failure.pop_all()
            return Program(command, pidfd.number, reply, captured)
        assert isinstance(failure, OSError)
        raise failure


def _number(stream: Stream, default: int) -> int:
    if stream is None:
        return default
    return stream if isinstance(stream, int) else stream.fileno()
