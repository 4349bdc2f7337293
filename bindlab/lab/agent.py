"""The process that lives in a host's network namespace and calls functions there.

Each call runs in a process of its own, forked for it: a function that blocks, crashes or
changes its process harms no other, and ends when the caller no longer waits.
"""

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
from bindlab.lab.messages import Ended, Raised, Request, Returned
from bindlab.lab.wire import Packet, receive

__all__ = ["serve"]


class _Call(NamedTuple):
    pid: int
    pidfd: int
    reply: socket.socket


def serve(requests: socket.socket) -> None:
    """Serve calls until nobody can ask for one any more.

    A request is a message that names the function's module, with a socket for the answer;
    the request itself comes over that one.
    """
    calls: list[_Call] = []
    while True:
        poll = select.poll()
        poll.register(requests, select.POLLIN)
        for call in calls:
            poll.register(call.pidfd, select.POLLIN)
            poll.register(call.reply, 0)  # POLLHUP alone: the caller no longer waits
        ready = {descriptor for descriptor, _ in poll.poll()}
        for call in list(calls):
            if call.pidfd in ready:
                calls.remove(call)
                _finish(call)
            elif call.reply.fileno() in ready:
                signal.pidfd_send_signal(call.pidfd, signal.SIGKILL)
        if requests.fileno() in ready:
            flags = socket.MSG_CMSG_CLOEXEC
            message, descriptors, _, _ = socket.recv_fds(requests, 4096, 1, flags)
            if not message:
                return
            _load(message.decode())
            reply = socket.socket(fileno=descriptors[0])
            calls.append(_start(reply, calls, requests))


def _load(module: str) -> None:
    # Once here, rather than again in the process of each call. What fails will fail there
    # too, and is answered from there.
    with contextlib.suppress(BaseException):
        importlib.import_module(module)


def _start(reply: socket.socket, calls: Iterable[_Call], requests: socket.socket) -> _Call:
    pid = os.fork()
    if pid:
        return _Call(pid, os.pidfd_open(pid), reply)
    try:
        die_with_parent()
        os.setpgid(0, 0)
        requests.close()
        for call in calls:
            os.close(call.pidfd)
            call.reply.close()
        _answer(reply)
    except Exception as error:
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        os._exit(1)


def _answer(reply: socket.socket) -> NoReturn:
    try:
        request = receive(reply)
        assert isinstance(request, Request)
        value = Packet(request.function(*request.args, **request.kwargs))
    except BaseException as error:
        _raised(error).send(reply)
    else:
        Packet(Returned()).send(reply)
        value.send(reply)
    os._exit(0)


def _raised(error: BaseException) -> Packet:
    import traceback

    trace = "".join(traceback.format_exception(error))
    try:
        packet = Packet(Raised(error, error.__cause__, trace))
        packet.check()
    except Exception:
        text = f"{type(error).__name__}, which cannot be pickled: {error}"
        return Packet(Raised(LabError(None, text), None, trace))
    return packet


def _finish(call: _Call) -> None:
    # What the call left behind in its process group ends with it; until it is waited for,
    # the group's number cannot belong to another.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(call.pid, signal.SIGKILL)
    _, status = os.waitpid(call.pid, 0)
    with contextlib.suppress(OSError):
        Packet(Ended(os.waitstatus_to_exitcode(status))).send(call.reply)
    call.reply.close()
    os.close(call.pidfd)
