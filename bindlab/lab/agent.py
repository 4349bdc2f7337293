"""The process of a host, which calls functions and starts programs in its network namespace."""

# Each call and each program has a process of its own, forked for it: one that blocks, crashes or
# changes its process harms no other, and ends when the caller no longer waits.
#
# The caller hands over two sockets. On the first, which only the agent keeps, the agent tells
# how the process ended: as data, because programs are not trusted. On the second the process
# reads what to do, and answers. A program inherits neither of them, nor anything else but its
# three streams (tests/test_lab_breaking.py, TestWhatAProgramGets).

import contextlib
import importlib
import os
import select
import signal
import socket
import sys
from collections.abc import Iterable
from typing import NamedTuple, NoReturn

from bindlab.lab.errors import LabError
from bindlab.lab.kernel import die_with_parent
from bindlab.lab.objects import (
    Packed,
    Raised,
    Request,
    Returned,
    check,
    pack,
    receive_object,
    send_packed,
)
from bindlab.lab.program import Start
from bindlab.lab.wire import Closed, receive, send_data, take_over

__all__ = ["serve"]


class _Call(NamedTuple):
    pid: int
    pidfd: int
    status: socket.socket


def serve(requests: socket.socket) -> None:
    """Serve calls until nobody can ask for one any more."""
    calls: list[_Call] = []
    while True:
        poll = select.poll()
        poll.register(requests, select.POLLIN)
        for call in calls:
            poll.register(call.pidfd, select.POLLIN)
            poll.register(call.status, 0)  # POLLHUP alone: the caller no longer waits
        ready = {descriptor for descriptor, _ in poll.poll()}
        for call in list(calls):
            if call.pidfd in ready:
                calls.remove(call)
                _finish(call)
            elif call.status.fileno() in ready:
                signal.pidfd_send_signal(call.pidfd, signal.SIGKILL)
        if requests.fileno() in ready:
            what, descriptors = take_over(requests, 4096)
            if not what:
                return
            if len(descriptors) < 2:  # no more may be open here: the caller sees them closed
                for number in descriptors:
                    os.close(number)
                continue
            status, task = (socket.socket(fileno=number) for number in descriptors)
            with task:
                try:
                    calls.append(_start(what, status, task, calls, requests))
                except OSError as error:
                    _tell(status, ["refused", error.errno, str(error)])


def _start(
    what: bytes,
    status: socket.socket,
    task: socket.socket,
    calls: Iterable[_Call],
    requests: socket.socket,
) -> _Call:
    kind, _, module = what.decode().partition(" ")
    if module:
        # Once here, rather than again in the process of each call. What fails will fail there
        # too, and is answered from there.
        with contextlib.suppress(BaseException):
            importlib.import_module(module)
    agent = os.getpid()
    pid = os.fork()
    if pid:
        try:
            return _Call(pid, os.pidfd_open(pid), status)
        except OSError:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise
    try:
        die_with_parent(agent)
        os.setpgid(0, 0)
        for sock in (requests, status, *(call.status for call in calls)):
            sock.close()
        for call in calls:
            os.close(call.pidfd)
        if kind == "run":
            _become(task)
        else:
            _answer(task)
    except (BrokenPipeError, ConnectionResetError, Closed):
        pass  # the caller no longer waits
    except Exception as error:
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        os._exit(1)


def _answer(task: socket.socket) -> NoReturn:
    # A fork that the function makes has no answer to give.
    os.register_at_fork(after_in_child=task.close)
    try:
        request = receive_object(task, Request)
        answer = pack(Returned(request.function(*request.args, **request.kwargs)))
    except BaseException as error:
        answer = _raised(error)
    if task.fileno() >= 0:
        send_packed(task, answer)
    os._exit(0)


def _raised(error: BaseException) -> Packed:
    import traceback

    trace = "".join(traceback.format_exception(error))
    try:
        packed = pack(Raised(error, error.__cause__, trace))
        check(packed)
    except Exception:
        text = f"{type(error).__name__}, which cannot be pickled: {error}"
        return pack(Raised(LabError(None, text), None, trace))
    return packed


def _become(task: socket.socket) -> NoReturn:
    """Turn this process into a program; *task* closes when it runs, or tells why it cannot."""
    start = receive_object(task, Start)
    try:
        standard = receive(task).descriptors
        send_data(task, "started", [os.pidfd_open(os.getpid())])
        for target, source in enumerate(standard):
            os.dup2(source, target)
        # Whatever is open here, a program gets its three streams only.
        for number in map(int, os.listdir("/proc/self/fd")):
            if number > 2:
                with contextlib.suppress(OSError):  # the one that listed the others
                    os.set_inheritable(number, False)
        os.chdir(start.directory)
        # Python ignores these two, and what is ignored stays so in the program.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        os.execvpe(start.command[0], start.command, start.environment)
    except OSError as error:
        send_data(task, [error.errno, error.strerror, error.filename])
    os._exit(127)


def _finish(call: _Call) -> None:
    # What the call left behind in its process group ends with it; until it is waited for,
    # the group's number cannot belong to another.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(call.pid, signal.SIGKILL)
    _, status = os.waitpid(call.pid, 0)
    os.close(call.pidfd)
    _tell(call.status, ["ended", os.waitstatus_to_exitcode(status)])


def _tell(status: socket.socket, data: object) -> None:
    with status, contextlib.suppress(OSError):
        send_data(status, data)
