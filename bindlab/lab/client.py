"""The side of the test's process: it asks the agent of a host for calls and programs."""

import contextlib
import errno
import os
import select
import socket

from bindlab.lab.errors import LabError
from bindlab.lab.wire import Closed, hand_over, pair, receive_data

__all__ = ["AgentClient", "reads_first"]


class AgentClient:
    """Asks the agent that *requests* leads to."""

    def __init__(self, name: str, requests: socket.socket) -> None:
        self._name = name
        self._requests = requests

    def ask(self, what: str) -> tuple[socket.socket, socket.socket]:
        """Have a process made for *what*, and return two sockets.

        By the first the agent tells how the process ended; the second is the process's own.
        """
        with contextlib.ExitStack() as passing, contextlib.ExitStack() as on_failure:
            status, their_status = pair()
            on_failure.enter_context(status)
            passing.enter_context(their_status)
            task, their_task = pair()
            on_failure.enter_context(task)
            passing.enter_context(their_task)
            ends = [their_status.fileno(), their_task.fileno()]
            try:
                hand_over(self._requests, what.encode(), ends)
            except OSError as error:
                if self._is_there():
                    raise
                raise self._gone() from error
            on_failure.pop_all()
        return status, task

    def failure(self, status: socket.socket, what: str) -> LabError:
        """Return why *what* did not answer, as the agent tells it by *status*."""
        try:
            told = receive_data(status)
        except (Closed, ConnectionError):
            return self._full() if self._is_there() else self._gone()
        match told:
            case ["ended", int(code)]:
                text = f"{what} on {self._name} ended without an answer, status {code}"
                return LabError(None, text)
            case ["refused", int(number), str(text)]:
                return LabError(number, f"{self._name} cannot run {what}: {text}")
            case _:
                return LabError(None, f"{self._name} says of {what}: {told}")

    def close(self) -> None:
        """Ask no more: the agent ends."""
        self._requests.close()

    def _is_there(self) -> bool:
        if self._requests.fileno() < 0:
            return False
        poll = select.poll()
        poll.register(self._requests, 0)  # POLLHUP alone
        return not poll.poll(0)

    def _full(self) -> LabError:
        # The kernel drops what an agent may not open: it was handed no socket to say so by.
        text = f"{os.strerror(errno.EMFILE)} on {self._name}: end some of its programs"
        return LabError(errno.EMFILE, text)

    def _gone(self) -> LabError:
        return LabError(
            None, f"{self._name} is gone: its network was closed, or its process killed"
        )


def reads_first(first: socket.socket, second: socket.socket) -> bool:
    """Wait until one of them can be read, or has come to its end; return whether the first can."""
    poll = select.poll()
    poll.register(first, select.POLLIN)
    poll.register(second, select.POLLIN)
    return first.fileno() in dict(poll.poll())
