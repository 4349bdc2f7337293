"""How to read a whole table from the Linux kernel: dumps over a netlink socket, netlink(7).

Knows messages, their ends, errors and attributes. Does not know what the tables mean:
rtnetlink.py does. A netlink socket belongs to the network namespace of the thread that made
it, so every answer is that namespace's, whatever /proc and /sys happen to show.
"""

import errno
import os
import socket
import struct
from types import TracebackType
from typing import Final, Self, TypeAlias

__all__ = ["NETLINK_SOCK_DIAG", "Dumper", "Span", "attribute", "attributes"]

Span: TypeAlias = tuple[int, int]

# Numbers of <linux/netlink.h>, which the socket module names on Linux only, or not at all.
NETLINK_ROUTE: Final = 0
NETLINK_SOCK_DIAG: Final = 4
NLMSG_ERROR: Final = 2
NLMSG_DONE: Final = 3
NLM_F_REQUEST: Final = 0x1
NLM_F_DUMP_INTR: Final = 0x10
NLM_F_DUMP: Final = 0x300
SOL_NETLINK: Final = 270
NETLINK_GET_STRICT_CHK: Final = 12

_AF_NETLINK: Final[int | None] = getattr(socket, "AF_NETLINK", None)
_DONTWAIT: Final[int] = getattr(socket, "MSG_DONTWAIT", 0)
_TRUNC: Final[int] = getattr(socket, "MSG_TRUNC", 0)

_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr: length, type, flags, sequence, port
_ATTRIBUTE = struct.Struct("=HH")  # struct nlattr: length, type
_ERROR = struct.Struct("=i")
_TYPE_MASK = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER

# The kernel sends at most 32 KiB of a dump at a time, if no single message has more
# (netlink_recvmsg).
_BUFFER_SIZE = 1 << 15
_MOST_BYTES = 1 << 28
_ATTEMPTS = 8


class Dumper:
    """A netlink socket that asks for dumps; close it, or use it in a ``with`` statement.

    Where the system has no such socket, making one is an ``OSError``.
    """

    def __init__(self, buffer_size: int = _BUFFER_SIZE, protocol: int = NETLINK_ROUTE) -> None:
        self._sequence = 0
        self._protocol = protocol
        self._open(buffer_size)

    def _open(self, buffer_size: int) -> None:
        if _AF_NETLINK is None:
            raise OSError(errno.EAFNOSUPPORT, "this system has no netlink")
        self._socket = socket.socket(_AF_NETLINK, socket.SOCK_RAW, self._protocol)
        self._buffer = bytearray(buffer_size)

    def close(self) -> None:
        """Close the socket; more than once does no harm."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def filter_in_kernel(self) -> bool:
        """Ask the kernel to heed the filters in a request; return whether it will.

        Since Linux 4.20 (``NETLINK_GET_STRICT_CHK``). An older kernel sends whole tables, so
        an answer must be filtered again.
        """
        try:
            self._socket.setsockopt(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
        except OSError:
            return False
        return True

    def dump(self, request: int, body: bytes, answer: int | None = None) -> list[bytes]:
        """Return the body of each message that answers *request*.

        They are of type *answer*, by default the ``RTM_NEW...`` number of an ``RTM_GET...``.
        A table that changes while it is read is read again (``NLM_F_DUMP_INTR``). The kernel's
        refusal is an ``OSError`` with its errno; a table that never holds still is one with
        ``EAGAIN``, and an answer that no kernel should give one with ``EBADMSG``.
        """
        for _ in range(_ATTEMPTS):
            answers = self._dump_once(request, body, request - 2 if answer is None else answer)
            if answers is not None:
                return answers
        raise OSError(errno.EAGAIN, "the table kept changing while it was read")

    def _dump_once(self, request: int, body: bytes, answer: int) -> list[bytes] | None:
        self._sequence += 1
        flags = NLM_F_REQUEST | NLM_F_DUMP
        length = _HEADER.size + len(body)
        self._socket.send(_HEADER.pack(length, request, flags, self._sequence, 0) + body)
        answers: list[bytes] = []
        received = interrupted = 0
        while received < _MOST_BYTES:
            size = self._receive()
            if size > len(self._buffer):  # cut off, and the rest of the dump is in the way
                self.close()
                self._open(size)
                return None
            received += size
            more, flags = self._parse(size, answer, answers)
            interrupted |= flags & NLM_F_DUMP_INTR
            if not more:
                return None if interrupted else answers
        raise OSError(errno.EMSGSIZE, f"the table is larger than {_MOST_BYTES} bytes")

    def _receive(self) -> int:
        """Return the size of the next part of the answer, which is in the buffer if it fits."""
        while True:
            # send() returns with the first part of a dump made, and each recv() makes the next
            # one (netlink_dump), so a read that would wait waits for nothing.
            size, sender = self._socket.recvfrom_into(self._buffer, 0, _DONTWAIT | _TRUNC)
            if sender == (0, 0):  # the kernel; root's processes may write here, too
                return size

    def _parse(self, size: int, kind: int, answers: list[bytes]) -> tuple[bool, int]:
        """Add to *answers*; return whether more will come, and all flags that were set."""
        buffer, header, sequence = self._buffer, _HEADER.size, self._sequence
        offset = seen = 0
        while size - offset >= header:
            length, what, flags, answered, _ = _HEADER.unpack_from(buffer, offset)
            if not header <= length <= size - offset:
                raise OSError(errno.EBADMSG, f"a netlink message claims {length} bytes")
            if answered == sequence:
                seen |= flags
                if what == kind:
                    answers.append(bytes(buffer[offset + header : offset + length]))
                elif what in (NLMSG_DONE, NLMSG_ERROR):
                    _raise_error(buffer, offset + header, length - header)
                    return False, seen
            offset += (length + 3) & ~3
        return True, seen


def attribute(data: bytes, wanted: int, span: Span) -> Span:
    """Return where the content of the first attribute of type *wanted* lies within *span*.

    ``(0, 0)``, an empty span, where there is none before the first that does not fit.
    """
    offset, end = span
    unpack = _ATTRIBUTE.unpack_from
    while offset + 4 <= end:
        length, kind = unpack(data, offset)
        if length < 4:
            break
        if kind & _TYPE_MASK == wanted:
            return (offset + 4, offset + length) if offset + length <= end else (0, 0)
        offset += (length + 3) & ~3
    return 0, 0


def attributes(data: bytes, offset: int) -> dict[int, bytes]:
    """Return the attributes in *data* from *offset* on, by type; of two alike the last.

    Reading stops at the first one that does not fit (netlink(3), NLA_ALIGN: 4 bytes).
    """
    found: dict[int, bytes] = {}
    end = len(data)
    unpack = _ATTRIBUTE.unpack_from
    while end - offset >= 4:
        length, kind = unpack(data, offset)
        if not 4 <= length <= end - offset:
            break
        found[kind & _TYPE_MASK] = data[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    return found


def _raise_error(buffer: bytearray, offset: int, length: int) -> None:
    """Raise the error that an NLMSG_ERROR or NLMSG_DONE message carries, if it is one."""
    if length < _ERROR.size:
        return
    (code,) = _ERROR.unpack_from(buffer, offset)
    if code < 0:
        raise OSError(-code, os.strerror(-code))
