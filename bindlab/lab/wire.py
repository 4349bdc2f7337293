"""Messages between the processes of a lab, with open descriptors beside them (unix(7))."""

import array
import contextlib
import errno
import json
import os
import socket
import struct
from collections.abc import Sequence
from typing import NamedTuple

from bindlab.lab.errors import LabError

__all__ = [
    "MOST_DESCRIPTORS",
    "Closed",
    "Message",
    "hand_over",
    "pair",
    "receive",
    "receive_data",
    "send",
    "send_data",
    "take_over",
]

MOST_DESCRIPTORS = 253  # in one message: SCM_MAX_FD of the kernel

_HEADER = struct.Struct("!IH")


class Closed(EOFError):
    """The other side is gone, and nothing more will come."""


class Message(NamedTuple):
    """What came: the receiver owns the descriptors."""

    payload: bytes
    descriptors: Sequence[int]


def pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected sockets that wait, whatever socket.setdefaulttimeout() says."""
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.settimeout(None)
    return ours, theirs


def send(channel: socket.socket, payload: bytes, descriptors: Sequence[int] = ()) -> None:
    """Send a message; ``BrokenPipeError`` or ``ConnectionResetError`` when nobody reads it."""
    hand_over(channel, _HEADER.pack(len(payload), len(descriptors)), descriptors)
    if payload:  # the reader of an empty one may be gone by now
        channel.sendall(payload, socket.MSG_NOSIGNAL)


def receive(channel: socket.socket) -> Message:
    """Return the next message; :class:`Closed` when none will come.

    ``LabError`` (EMFILE) when this process may not open what came with it.
    """
    header, descriptors = take_over(channel, _HEADER.size)
    with contextlib.ExitStack() as on_failure:
        for number in descriptors:
            on_failure.callback(os.close, number)
        if not header:
            raise Closed("nothing more will come")
        header += _exactly(channel, _HEADER.size - len(header))
        size, count = _HEADER.unpack(header)
        payload = _exactly(channel, size)
        if len(descriptors) != count:
            text = f"{count} descriptors were sent, and {len(descriptors)} came"
            raise LabError(errno.EMFILE, f"{os.strerror(errno.EMFILE)}: {text}")
        on_failure.pop_all()
    return Message(payload, descriptors)


def hand_over(channel: socket.socket, data: bytes, descriptors: Sequence[int]) -> None:
    """Send *data* and copies of open descriptors in one piece."""
    # Not socket.send_fds(), which takes no flags: a caller may have SIGPIPE at its default.
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
    channel.sendmsg([data], rights if descriptors else [], socket.MSG_NOSIGNAL)


def take_over(channel: socket.socket, size: int) -> tuple[bytes, Sequence[int]]:
    """Return up to *size* bytes, and the descriptors that came with them.

    They are fewer than were sent where this process may open no more.
    """
    room = socket.CMSG_SPACE(MOST_DESCRIPTORS * array.array("i").itemsize)
    # Not socket.recv_fds(), which ignores its flags: programs would inherit what it receives.
    data, rights, _, _ = channel.recvmsg(size, room, socket.MSG_CMSG_CLOEXEC)
    return data, [number for _, _, packed in rights for number in array.array("i", packed)]


def send_data(channel: socket.socket, data: object, descriptors: Sequence[int] = ()) -> None:
    """Send what JSON can hold."""
    send(channel, json.dumps(data).encode(), descriptors)


def receive_data(channel: socket.socket) -> object:
    """Return the next message, which is data without descriptors."""
    payload, descriptors = receive(channel)
    for number in descriptors:
        os.close(number)
    data: object = json.loads(payload)
    return data


def _exactly(channel: socket.socket, size: int) -> bytes:
    parts: list[bytes] = []
    while size:
        part = channel.recv(min(size, 1 << 20))
        if not part:
            raise Closed("the other side stopped in the middle of a message")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
