"""Python objects in messages, pickled, with the live sockets inside them."""

# A pickle can run any code where it is taken apart. So this is for messages that no program can
# write: requests come from the test's process, and the answer of a function from the process
# that was forked for it, by a socket that closes before that process could become a program.
# A socket belongs to the network namespace in which it was made, also in another process.

import contextlib
import io
import pickle
import socket
from collections.abc import Callable, Generator, Mapping, MutableSet, Sequence
from typing import Generic, NamedTuple, TypeVar

from bindlab.lab.wire import MOST_DESCRIPTORS, Message, receive, send

__all__ = [
    "Packed",
    "Raised",
    "Request",
    "Returned",
    "check",
    "pack",
    "receive_answer",
    "receive_object",
    "send_object",
    "send_packed",
]

T = TypeVar("T")


class Request(NamedTuple):
    """A function to call, and its arguments."""

    function: Callable[..., object]
    args: tuple[object, ...]
    kwargs: Mapping[str, object]


class Returned(NamedTuple, Generic[T]):
    """What the function returned."""

    value: T


class Raised(NamedTuple):
    """What the function raised, with what a pickled exception loses."""

    error: BaseException
    cause: BaseException | None
    traceback: str


class Packed(NamedTuple):
    """An object, ready to be sent; *kept*, because a socket that nobody holds closes."""

    payload: bytes
    descriptors: Sequence[int]
    kept: object


def pack(message: object) -> Packed:
    """Return *message* ready to be sent; what cannot be pickled fails here, before anything is."""
    buffer = io.BytesIO()
    pickler = _Pickler(buffer, pickle.HIGHEST_PROTOCOL)
    pickler.dump(message)
    if len(pickler.descriptors) > MOST_DESCRIPTORS:
        raise ValueError(f"at most {MOST_DESCRIPTORS} sockets can be handed over at once")
    return Packed(buffer.getvalue(), pickler.descriptors, message)


def check(packed: Packed) -> None:
    """Raise what taking it apart would raise on the other side; it must hold no sockets."""
    _Unpickler(io.BytesIO(packed.payload), []).load()


def send_packed(channel: socket.socket, packed: Packed) -> None:
    """Send what :func:`pack` returned."""
    send(channel, packed.payload, packed.descriptors)


def send_object(channel: socket.socket, message: object) -> None:
    """Send *message*."""
    send_packed(channel, pack(message))


def receive_object(channel: socket.socket, kind: type[T]) -> T:
    """Return the next message, which is a *kind*."""
    with _unpickler(receive(channel)) as unpickler:
        message: object = unpickler.load()
    assert isinstance(message, kind), message
    return message


def receive_answer(
    channel: socket.socket, function: Callable[..., T], sockets: MutableSet[socket.socket]
) -> Returned[T] | Raised:
    """Return what came of *function*; add the sockets in it to *sockets*.

    That it returned what it says is taken on trust, as with all pickles.
    """
    with _unpickler(receive(channel)) as unpickler:
        answer: Returned[T] | Raised = unpickler.load()
    for sock in unpickler.sockets:
        sockets.add(sock)
    return answer


@contextlib.contextmanager
def _unpickler(message: Message) -> Generator["_Unpickler", None, None]:
    """Yield what takes the message apart, with its sockets, which close if that fails."""
    with contextlib.ExitStack() as on_failure:
        sockets = [
            on_failure.enter_context(socket.socket(fileno=number)) for number in message.descriptors
        ]
        yield _Unpickler(io.BytesIO(message.payload), sockets)
        on_failure.pop_all()


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, protocol: int) -> None:
        super().__init__(file, protocol)
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
    def __init__(self, file: io.BytesIO, sockets: Sequence[socket.socket]) -> None:
        super().__init__(file)
        self.sockets = sockets

    def persistent_load(self, pid: tuple[int, float | None]) -> socket.socket:
        index, timeout = pid
        self.sockets[index].settimeout(timeout)
        return self.sockets[index]
