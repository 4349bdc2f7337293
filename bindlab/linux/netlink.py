"""The one client of the kernel's netlink sockets, netlink(7), and how messages are written."""

import errno
import os
import socket
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address
from typing import Final, Self, TypeAlias, TypeVar

from bindlab.endpoint import IPAddress

T = TypeVar("T")
Payload: TypeAlias = "bytes | str | int | Attributes"
# An attribute may come twice, and the order can matter: pairs, not a mapping.
Attributes: TypeAlias = Sequence[tuple[int, Payload]]

# Numbers of <linux/netlink.h>, which the socket module names on Linux only, or not at all.
NETLINK_ROUTE: Final = 0
NETLINK_SOCK_DIAG: Final = 4
NLM_F_CREATE: Final = 0x400
NLM_F_EXCL: Final = 0x200
_NLM_F_REQUEST, _NLM_F_ACK, _NLM_F_DUMP = 0x1, 0x4, 0x300
_NLM_F_DUMP_INTR, _NLM_F_CAPPED, _NLM_F_ACK_TLVS = 0x10, 0x100, 0x200
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_NLMSGERR_ATTR_MSG = 1
_NLA_F_NESTED, _NLA_TYPE_MASK = 0x8000, 0x3FFF
_SOL_NETLINK, _NETLINK_EXT_ACK, _NETLINK_GET_STRICT_CHK = 270, 11, 12

_AF_NETLINK: Final[int | None] = getattr(socket, "AF_NETLINK", None)

_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr: length, type, flags, sequence, port
_ATTRIBUTE = struct.Struct("=HH")  # struct nlattr: length, type
_CODE = struct.Struct("=i")
_WORD = struct.Struct("=I")

# The kernel sends at most 32 KiB of a dump at a time, if no single message has more
# (netlink_recvmsg), and an attribute has at most 64 KiB.
_MOST_BYTES_AT_ONCE = 1 << 17
_MOST_BYTES = 1 << 28
_ATTEMPTS = 8


class Netlink:
    """A netlink socket; close it, or use it in a ``with`` statement.

    It belongs to the network namespace of the thread that made it, so every answer is that
    namespace's, whatever /proc and /sys happen to show. Where the system has no such socket,
    making one is an ``OSError``.

    A question is a message *kind*, such as ``RTM_GETLINK``, and a *body*: the kernel's own
    structure, and attributes behind it (:func:`packed`). Each answer's body goes through
    *parse*, which may return ``None`` for one that was not asked for. The kernel's refusal is
    an ``OSError`` with its errno and its own words; an answer that *parse* cannot read, or
    that no kernel should give, is one with ``EBADMSG``.
    """

    def __init__(self, protocol: int = NETLINK_ROUTE) -> None:
        if _AF_NETLINK is None:
            raise OSError(errno.EAFNOSUPPORT, "this system has no netlink")
        self._sequence = 0
        self._socket = socket.socket(_AF_NETLINK, socket.SOCK_RAW, protocol)
        # An answer, or the next part of one, is there when send() or recv() returns
        # (netlink_dump), so a read that would wait waits for nothing.
        self._socket.setblocking(False)
        # Say in words why something is refused (Linux 4.12), and heed the filters of a request
        # (4.20): an older kernel sends whole tables, so answers must be filtered here, too.
        for option in (_NETLINK_EXT_ACK, _NETLINK_GET_STRICT_CHK):
            with suppress(OSError):
                self._socket.setsockopt(_SOL_NETLINK, option, 1)

    def close(self) -> None:
        """Close the socket; more than once does no harm."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def dump(self, kind: int, body: bytes, parse: Callable[[bytes], T | None]) -> list[T]:
        """Return what *parse* makes of each entry of a table.

        A table that changes while it is read is read again (``NLM_F_DUMP_INTR``); one that
        never holds still is an ``OSError`` with ``EAGAIN``.
        """
        for _ in range(_ATTEMPTS):
            found, changed = self._ask(kind, _NLM_F_DUMP, body, parse)
            if not changed:
                return found
        raise OSError(errno.EAGAIN, "the table kept changing while it was read")

    def get(self, kind: int, body: bytes, parse: Callable[[bytes], T | None]) -> T:
        """Return what *parse* makes of the answer to a question about one thing."""
        found, _ = self._ask(kind, _NLM_F_ACK, body, parse)
        if not found:
            raise OSError(errno.EBADMSG, "netlink gave no answer")
        return found[0]

    def order(self, kind: int, body: bytes, flags: int = 0) -> None:
        """Have the kernel make or change something.

        With the *flags* ``NLM_F_CREATE | NLM_F_EXCL`` it is made, and must not exist yet.
        """
        self._ask(kind, _NLM_F_ACK | flags, body, bytes)

    def _ask(
        self, kind: int, options: int, body: bytes, parse: Callable[[bytes], T | None]
    ) -> tuple[list[T], bool]:
        """Return the parsed answers, and whether the table changed meanwhile."""
        self._sequence += 1
        options |= _NLM_F_REQUEST
        length = _HEADER.size + len(body)
        self._socket.send(_HEADER.pack(length, kind, options, self._sequence, 0) + body)
        wanted = _answer_to(kind)
        found: list[T] = []
        received, changed = 0, False
        while received < _MOST_BYTES:
            part = self._receive()
            received += len(part)
            try:
                for what, flags, answer in _messages(part, self._sequence):
                    changed |= bool(flags & _NLM_F_DUMP_INTR)
                    if what in (_NLMSG_DONE, _NLMSG_ERROR):
                        _check(answer, flags, what)
                        return found, changed
                    if what == wanted and (parsed := parse(answer)) is not None:
                        found.append(parsed)
            # What struct, ipaddress, int.to_bytes() and the values raise for bytes that make no
            # sense. This is the one place that everything from netlink passes through.
            except (struct.error, ValueError, ArithmeticError, LookupError) as error:
                raise OSError(errno.EBADMSG, f"netlink's answer makes no sense: {error}") from error
        raise OSError(errno.EMSGSIZE, f"the table is larger than {_MOST_BYTES} bytes")

    def _receive(self) -> bytes:
        """Return the next part of the answer."""
        while True:
            part, _, flags, sender = self._socket.recvmsg(_MOST_BYTES_AT_ONCE)
            if sender != (0, 0):  # not the kernel: root's processes may write here, too
                continue
            if flags & socket.MSG_TRUNC:
                raise OSError(errno.EMSGSIZE, f"a message has over {_MOST_BYTES_AT_ONCE} bytes")
            return part


def packed(fields: Attributes) -> bytes:
    """Return *fields* as the kernel reads them: pairs of a type and its content.

    A text gets a final NUL, a number has 32 bits, and what is a list of pairs is nested.
    """
    parts: list[bytes] = []
    for kind, payload in fields:
        if isinstance(payload, str):
            payload = os.fsencode(payload) + b"\0"
        elif isinstance(payload, int):
            payload = _WORD.pack(payload)
        elif not isinstance(payload, bytes):
            kind |= _NLA_F_NESTED
            payload = packed(payload)
        size = _ATTRIBUTE.size + len(payload)
        parts.append(_ATTRIBUTE.pack(size, kind) + payload + bytes(-size % 4))
    return b"".join(parts)


def attributes(data: bytes, offset: int = 0) -> dict[int, bytes]:
    """Return the attributes in *data* from *offset* on, by type; of two alike the last.

    An attribute that does not fit is a ``ValueError`` (netlink(3), NLA_ALIGN: 4 bytes).
    """
    found: dict[int, bytes] = {}
    end = len(data)
    while end - offset >= 4:
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        after = offset + length
        if length < 4 or after > end:
            raise ValueError(f"an attribute claims {length} bytes")
        found[kind & _NLA_TYPE_MASK] = data[offset + 4 : after]
        offset = (after + 3) & ~3
    return found


def number(data: bytes | None, otherwise: int = 0) -> int:
    """Return the 32-bit number that an attribute holds; *otherwise* where there is none."""
    if data is None:
        return otherwise
    (value,) = _WORD.unpack(data)
    return int(value)


def address(data: bytes) -> IPAddress:
    """Return the address of 4 or 16 bytes that an attribute holds."""
    return IPv4Address(data) if len(data) == 4 else IPv6Address(data)


def _answer_to(kind: int) -> int:
    """Return the type of an answer: that of ``NEW...`` for ``GET...``, else as was asked."""
    if kind >> 8:  # a part of netfilter, and a number in that, one more than NEW...
        return kind - 1
    return kind - 2 if kind >= 16 and kind % 4 == 2 else kind


def _messages(part: bytes, sequence: int) -> list[tuple[int, int, bytes]]:
    """Return type, flags and body of each message in *part* that answers our question."""
    found: list[tuple[int, int, bytes]] = []
    header, offset = _HEADER.size, 0
    while len(part) - offset >= header:
        length, kind, flags, answered, _ = _HEADER.unpack_from(part, offset)
        if not header <= length <= len(part) - offset:
            raise ValueError(f"a message claims {length} bytes")
        if answered == sequence:
            found.append((kind, flags, part[offset + header : offset + length]))
        offset += (length + 3) & ~3
    return found


def _check(answer: bytes, flags: int, kind: int) -> None:
    """Raise the refusal that an NLMSG_ERROR or NLMSG_DONE message carries, if it is one."""
    if kind == _NLMSG_DONE and len(answer) < _CODE.size:  # of a dump that has no result of its own
        return
    (code,) = _CODE.unpack_from(answer)
    if code >= 0:
        return
    start = _CODE.size
    if kind == _NLMSG_ERROR:  # the request comes back, or at least its header
        (echoed,) = _WORD.unpack_from(answer, start)
        start += _HEADER.size if flags & _NLM_F_CAPPED else (echoed + 3) & ~3
    said = attributes(answer, start) if flags & _NLM_F_ACK_TLVS else {}
    words = said.get(_NLMSGERR_ATTR_MSG, b"").rstrip(b"\0").decode(errors="replace")
    raise OSError(-code, f"{os.strerror(-code)}{f': {words}' if words else ''}")
