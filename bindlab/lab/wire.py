"""Python objects over a Unix socket, with the live sockets inside them.

An object is pickled; each :class:`socket.socket` and :class:`Descriptor` found in it
travels as a file descriptor (SCM_RIGHTS, unix(7)) and is a socket again on the other side.
A socket belongs to the network namespace in which it was made, whoever holds it.
"""

import array
import io
import pickle
import socket
import struct
from collections.abc import Callable, MutableSet, Sequence
from typing import TypeVar

__all__ = ["Closed", "Descriptor", "Packet", "pair", "receive", "receive_result"]

T = TypeVar("T")

_HEADER = struct.Struct("!IH")
_MOST_DESCRIPTORS = 253  # SCM_MAX_FD of the kernel


def pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected sockets that wait, whatever socket.setdefaulttimeout() says."""
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.settimeout(None)
    return ours, theirs


class Closed(EOFError):
    """The other side is gone, and nothing more will come."""


class Descriptor:
    """An open file by its number, to be handed over."""

    def __init__(self, number: int) -> None:
        self.number = number


class Packet:
    """*message*, ready to be sent; what cannot be pickled fails here, before anything is."""

    def __init__(self, message: object) -> None:
        buffer = io.BytesIO()
        pickler = _Pickler(buffer, pickle.HIGHEST_PROTOCOL)
        pickler.dump(message)
        self._kept = message  # a socket that nobody holds closes
        self._payload = buffer.getvalue()
        self._descriptors = pickler.descriptors
        if len(self._descriptors) > _MOST_DESCRIPTORS:
            raise ValueError(f"at most {_MOST_DESCRIPTORS} sockets can be handed over at once")

    def check(self) -> None:
        """Raise what taking the message apart would raise on the other side."""
        unpickler = _Unpickler(io.BytesIO(self._payload), [])
        unpickler.load()

    def send(self, channel: socket.socket) -> None:
        """Send the message; ``BrokenPipeError`` when the other side is gone."""
        header = _HEADER.pack(len(self._payload), len(self._descriptors))
        rights = array.array("i", self._descriptors)
        channel.sendmsg(
            [header],
            [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)] if rights else [],
            socket.MSG_NOSIGNAL,
        )
        channel.sendall(self._payload, socket.MSG_NOSIGNAL)


def receive(channel: socket.socket) -> object:
    """Return the next message; :class:`Closed` when none will come."""
    message: object = _unpickler(channel).load()
    return message


def receive_result(
    channel: socket.socket, function: Callable[..., T], sockets: MutableSet[socket.socket]
) -> T:
    """Return the next message, which is what *function* returned; add its sockets to *sockets*.

    That it is of the function's type is taken on trust, as with all pickles.
    """
    unpickler = _unpickler(channel)
    result: T = unpickler.load()
    for sock in unpickler.sockets.values():
        sockets.add(sock)
    return result


def _unpickler(channel: socket.socket) -> "_Unpickler":
    room = socket.CMSG_SPACE(_MOST_DESCRIPTORS * array.array("i").itemsize)
    # Not inheritable: https://docs.python.org/3/library/os.html#inheritance-of-file-descriptors
    header, rights, _, _ = channel.recvmsg(_HEADER.size, room, socket.MSG_CMSG_CLOEXEC)
    descriptors = [number for _, _, data in rights for number in array.array("i", data)]
    header += _exactly(channel, _HEADER.size - len(header)) if header else b""
    if not header:
        raise Closed("nothing more will come")
    size, count = _HEADER.unpack(header)
    payload = io.BytesIO(_exactly(channel, size))
    if len(descriptors) != count:
        raise OSError(f"{count} descriptors were sent and {len(descriptors)} came: too many open")
    return _Unpickler(payload, descriptors)


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, protocol: int) -> None:
        super().__init__(file, protocol)
        self.descriptors: list[int] = []

    def persistent_id(self, obj: object) -> tuple[int, bool, float | None] | None:
        if isinstance(obj, Descriptor):
            return (self._index(obj.number), False, None)
        if isinstance(obj, socket.socket):
            if type(obj) is not socket.socket:
                raise TypeError(f"a {type(obj).__name__} cannot be handed over: only plain sockets")
            return (self._index(obj.fileno()), True, obj.gettimeout())
        return None

    def _index(self, descriptor: int) -> int:
        if descriptor < 0:
            raise ValueError("a closed socket cannot be handed over")
        if descriptor not in self.descriptors:
            self.descriptors.append(descriptor)
        return self.descriptors.index(descriptor)


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, descriptors: Sequence[int]) -> None:
        super().__init__(file)
        self._descriptors = descriptors
        self.sockets: dict[int, socket.socket] = {}

    def persistent_load(self, pid: tuple[int, bool, float | None]) -> socket.socket | Descriptor:
        index, is_socket, timeout = pid
        if not is_socket:
            return Descriptor(self._descriptors[index])
        if index not in self.sockets:
            sock = socket.socket(fileno=self._descriptors[index])
            sock.settimeout(timeout)
            self.sockets[index] = sock
        return self.sockets[index]


def _exactly(channel: socket.socket, size: int) -> bytes:
    parts: list[bytes] = []
    while size:
        part = channel.recv(min(size, 1 << 20))
        if not part:
            raise Closed("the other side stopped in the middle of a message")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
