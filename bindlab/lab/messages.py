"""Messages between the processes of a lab: data, open descriptors, and Python objects in files."""

# A message is one packet between two sockets (unix(7), SOCK_SEQPACKET): it comes whole or not
# at all. It is data, as JSON, and descriptors beside it.
#
# Objects travel in a file (memfd_create(2)) among the descriptors, pickled. A pickle can run
# any code where it is taken apart, so unpacked() is only for what no program of a host can have
# written. A program has none of these sockets and files (tests/test_lab_breaking.py), and who
# may open them by /proc/PID/fd may trace that process as well (ptrace(2), proc(5)).

import array
import contextlib
import errno
import json
import os
import pickle
import select
import socket
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import IO, NamedTuple, TypeVar

from bindlab.lab.errors import LabError

_MOST_BYTES = 1 << 18  # net.core.wmem_default, which limits what can be sent, is less
_MOST_DESCRIPTORS = 253  # SCM_MAX_FD of the kernel

T = TypeVar("T")


class Call(NamedTuple):
    """A function to call on a host."""

    function: Callable[..., object]
    args: tuple[object, ...]
    kwargs: Mapping[str, object]


class Raised(NamedTuple):
    """What a function raised, with what a pickled exception loses."""

    error: BaseException
    cause: BaseException | None
    traceback: str


class Start(NamedTuple):
    """A program to start on a host."""

    command: Sequence[str]
    environment: Mapping[str, str]
    directory: str


def pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected sockets that wait, whatever socket.setdefaulttimeout() says."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.settimeout(None)
    return ends


def send(channel: socket.socket, data: object, descriptors: Sequence[int] = ()) -> None:
    """Send what JSON can hold, and copies of open descriptors.

    ``BrokenPipeError`` or ``ConnectionResetError`` when nobody reads it.
    """
    # Not socket.send_fds(), which takes no flags: a caller may have SIGPIPE at its default.
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
    text = json.dumps(data).encode()
    channel.sendmsg([text], rights if descriptors else [], socket.MSG_NOSIGNAL)


def receive(channel: socket.socket) -> tuple[object, list[int]]:
    """Return the next message; its descriptors are the receiver's to close.

    ``EOFError`` or ``ConnectionResetError`` when none will come, ``LabError`` (EMFILE) when
    this process may not open all that came with it.
    """
    room = socket.CMSG_SPACE(_MOST_DESCRIPTORS * array.array("i").itemsize)
    # Not socket.recv_fds(), which ignores its flags: programs would inherit what it receives.
    text, rights, flags, _ = channel.recvmsg(_MOST_BYTES, room, socket.MSG_CMSG_CLOEXEC)
    descriptors = [number for _, _, numbers in rights for number in array.array("i", numbers)]
    try:
        if not text:
            raise EOFError("nothing more will come")
        if flags & socket.MSG_CTRUNC:
            why = "more descriptors were sent than may be open here"
            raise LabError(errno.EMFILE, f"{os.strerror(errno.EMFILE)}: {why}")
        return json.loads(text), descriptors
    except BaseException:
        for number in descriptors:
            os.close(number)
        raise


@contextlib.contextmanager
def packed(content: object) -> Generator[list[int], None, None]:
    """Yield the descriptors that carry *content*: a file with its pickle, and sockets inside it.

    A socket belongs to the network namespace in which it was made, also in another process.
    """
    with open(os.memfd_create("content"), "w+b") as file:
        pickler = _Pickler(file)
        pickler.dump(content)
        file.flush()
        if len(pickler.descriptors) > _MOST_DESCRIPTORS - 4:  # with what else is in a message
            raise ValueError(f"{len(pickler.descriptors)} sockets are too many for one message")
        yield [file.fileno(), *pickler.descriptors]


def unpacked(
    descriptors: Sequence[int], made_by: Callable[..., T]
) -> tuple[T, list[socket.socket]]:
    """Return what was packed, and the sockets in it, which are closed if that fails.

    That it is what *made_by* returns is taken on trust, as with all pickles.
    """
    with contextlib.ExitStack() as on_failure:
        file = on_failure.enter_context(open(descriptors[0], "rb"))
        sockets = [on_failure.enter_context(socket.socket(fileno=n)) for n in descriptors[1:]]
        file.seek(0)
        content: T = _Unpickler(file, sockets).load()
        file.close()
        on_failure.pop_all()
    return content, sockets


def ask(
    agent: socket.socket,
    host: str,
    what: str,
    request: object,
    content: object,
    streams: Sequence[int] = (),
) -> tuple[socket.socket, str, list[int]]:
    """Have the agent of *host* do *what*; return the channel, the answer and its descriptors.

    The process that does it ends when the channel is closed.
    """
    with contextlib.ExitStack() as on_failure:
        channel, theirs = pair()
        on_failure.enter_context(channel)
        with theirs, packed(content) as descriptors:
            try:
                send(agent, request, [theirs.fileno(), *streams, *descriptors])
            except OSError as error:
                if _hangs_up(agent):
                    raise _gone(host) from error
                raise
        try:
            answer, descriptors = receive(channel)
        except (EOFError, ConnectionResetError) as error:
            if _hangs_up(agent):
                raise _gone(host) from error
            # It may open no more, and was handed no channel to say so by.
            text = f"{os.strerror(errno.EMFILE)} on {host}: end some of its programs"
            raise LabError(errno.EMFILE, text) from error
        match answer:
            case [str(kind)]:
                on_failure.pop_all()
                return channel, kind, descriptors
            case ["refused", int(number), str(text), str(filename)]:
                raise OSError(number, text, filename)
            case ["refused", int(number), str(text), None]:
                raise LabError(number, f"{host} cannot run {what}: {text}")
            case ["ended", int(status)]:
                text = f"{what} on {host} ended without an answer, status {status}"
                raise LabError(None, text)
            case _:
                raise LabError(None, f"{host} says of {what}: {answer}")


def _hangs_up(agent: socket.socket) -> bool:
    if agent.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(agent, 0)  # POLLHUP alone
    return bool(poll.poll(0))


def _gone(host: str) -> LabError:
    return LabError(None, f"{host} is gone: its network was closed, or its process killed")


class _Pickler(pickle.Pickler):
    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.descriptors: list[int] = []

    def persistent_id(self, obj: object) -> tuple[int, float | None] | None:
        if not isinstance(obj, socket.socket):
            return None
        if type(obj) is not socket.socket:
            raise TypeError(f"a {type(obj).__name__} cannot be handed over: only plain sockets")
        if obj.fileno() < 0:
            raise ValueError("a closed socket cannot be handed over")
        if obj.fileno() not in self.descriptors:
            self.descriptors.append(obj.fileno())
        return (self.descriptors.index(obj.fileno()), obj.gettimeout())


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: IO[bytes], sockets: Sequence[socket.socket]) -> None:
        super().__init__(file)
        self.sockets = sockets

    def persistent_load(self, pid: tuple[int, float | None]) -> socket.socket:
        index, timeout = pid
        self.sockets[index].settimeout(timeout)
        return self.sockets[index]
