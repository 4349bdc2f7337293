"""The process of a host, which calls functions and starts programs in its network namespace."""

# Each call and each program has a process of its own: one that blocks, crashes or changes its
# process harms no other, and is killed when the caller no longer waits.
#
# Every request brings a channel, by which the agent says how it went. The process of a call
# has it too, for what the function returned. A program has nothing of bindlab's.

import contextlib
import functools
import importlib
import os
import select
import signal
import socket
from collections.abc import Iterable
from typing import NamedTuple

from bindlab.lab.errors import LabError
from bindlab.lab.kernel import die_with_parent, forked
from bindlab.lab.messages import Call, Raised, Start, packed, receive, send, unpacked


class _Process(NamedTuple):
    pid: int
    pidfd: int
    channel: socket.socket


def serve(requests: socket.socket) -> None:
    """Serve requests until nobody can make one any more."""
    processes: list[_Process] = []
    while True:
        poll = select.poll()
        poll.register(requests, select.POLLIN)
        for process in processes:
            poll.register(process.pidfd, select.POLLIN)
            poll.register(process.channel, 0)  # POLLHUP alone: the caller no longer waits
        ready = {descriptor for descriptor, _ in poll.poll()}
        for process in list(processes):
            if process.pidfd in ready:
                processes.remove(process)
                _finish(process)
            elif process.channel.fileno() in ready:
                signal.pidfd_send_signal(process.pidfd, signal.SIGKILL)
        if requests.fileno() in ready:
            try:
                request, descriptors = receive(requests)
            except EOFError:
                return
            except LabError:
                continue  # no more may be open here; the caller sees its channel closed
            channel = socket.socket(fileno=descriptors.pop(0))
            try:
                ours = (requests, *(process.channel for process in processes))
                processes.append(_start(request, descriptors, channel, ours))
            except OSError as error:
                _tell(channel, ["refused", error.errno, error.strerror, error.filename])
                channel.close()
            finally:
                for number in descriptors:
                    os.close(number)


def _start(
    request: object, descriptors: list[int], channel: socket.socket, ours: Iterable[socket.socket]
) -> _Process:
    match request:
        case ["call", str(module)]:
            # Once here, rather than again in the process of each call. What fails will fail
            # there too, and is answered from there.
            with contextlib.suppress(BaseException):
                importlib.import_module(module)
            pid = forked(lambda: _call(descriptors, channel, ours))
        case _:
            pid = _start_program(descriptors)
    try:
        process = _Process(pid, os.pidfd_open(pid), channel)
        if request == ["run"]:
            send(channel, ["started"], [process.pidfd])
        return process
    except OSError:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise


def _call(descriptors: list[int], channel: socket.socket, ours: Iterable[socket.socket]) -> None:
    os.setpgid(0, 0)
    for sock in ours:
        sock.close()
    me = os.getpid()

    def answer(kind: str, content: object) -> None:
        if os.getpid() == me:  # a fork that the function makes has no answer to give
            with packed(content) as numbers:
                send(channel, [kind], numbers)

    try:
        call, _ = unpacked(descriptors, Call)
        answer("returned", call.function(*call.args, **call.kwargs))
    except BaseException as error:
        answer("raised", _raised(error))


def _raised(error: BaseException) -> Raised:
    import pickle
    import traceback

    trace = "".join(traceback.format_exception(error))
    raised = Raised(error, error.__cause__, trace)
    try:
        pickle.loads(pickle.dumps(raised))
    except Exception:
        text = f"{type(error).__name__}, which cannot be pickled: {error}"
        return Raised(LabError(None, text), None, trace)
    return raised


def _start_program(descriptors: list[int]) -> int:
    """Start a program, and return its process once it runs."""
    import subprocess

    start, _ = unpacked([descriptors.pop()], Start)
    stdin, stdout, stderr = descriptors
    program = subprocess.Popen(
        start.command,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env=start.environment,
        cwd=start.directory,
        process_group=0,
        preexec_fn=functools.partial(die_with_parent, os.getpid()),
    )
    program.returncode = 0  # _finish() waits for it
    return program.pid


def _finish(process: _Process) -> None:
    # What it left behind in its process group ends with it; until it is waited for, the
    # group's number cannot belong to another.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    _, status = os.waitpid(process.pid, 0)
    os.close(process.pidfd)
    with process.channel:
        _tell(process.channel, ["ended", os.waitstatus_to_exitcode(status)])


def _tell(channel: socket.socket, data: object) -> None:
    with contextlib.suppress(OSError):
        send(channel, data)
