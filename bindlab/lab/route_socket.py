"""Requests to the kernel's routing socket that make links, addresses and routes.

rtnetlink(7) over ``AF_NETLINK`` rather than the ``ip`` program: nothing needs to be
installed (slim container images have no ``ip``), a request takes microseconds instead of a
process, and a refusal comes with its errno and the kernel's own words.

Knows messages only: which ones make a network is said in builder.py and configure.py.
"""

import errno
import os
import socket
import struct
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Final, Self, TypeAlias

from bindlab.lab.errors import LabError
from bindlab.linux import attributes

__all__ = ["Attributes", "Netlink", "packed"]

Payload: TypeAlias = "bytes | str | int | Attributes"
# An attribute may come twice, and the order can matter: pairs, not a mapping.
Attributes: TypeAlias = Sequence[tuple[int, Payload]]

RTM_NEWLINK: Final = 16
RTM_GETLINK: Final = 18
RTM_NEWADDR: Final = 20
RTM_NEWROUTE: Final = 24

IFINFO: Final = struct.Struct("=BxHiII")  # family, type, index, flags, change mask
IFADDR: Final = struct.Struct("=BBBBi")  # family, prefix length, flags, scope, index
RTMSG: Final = struct.Struct("=BBBBBBBBI")

_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr of netlink(7)
_ATTRIBUTE = struct.Struct("=HH")
_REQUEST, _ACK, _CREATE, _EXCLUSIVE = 0x1, 0x4, 0x400, 0x200
_ERROR = 2
_SOL_NETLINK, _NETLINK_EXT_ACK = 270, 11
_CAPPED, _ACK_TLVS = 0x100, 0x200
_NLA_F_NESTED = 0x8000
_ERROR_MESSAGE = 1  # NLMSGERR_ATTR_MSG


class Netlink:
    """A routing socket of the namespace in which it is made."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.setsockopt(_SOL_NETLINK, _NETLINK_EXT_ACK, 1)
        self._sequence = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def create(self, kind: int, head: bytes, fields: Attributes, piece: str) -> None:
        """Ask for a new object; a refusal is a ``LabError`` that names *piece*."""
        self._ask(kind, _CREATE | _EXCLUSIVE, head, fields, piece)

    def change(self, kind: int, head: bytes, fields: Attributes, piece: str) -> None:
        """Ask for a change of an existing object; a refusal is a ``LabError``."""
        self._ask(kind, 0, head, fields, piece)

    def link(self, name: str) -> tuple[int, Mapping[int, bytes]]:
        """Return index and attributes of the interface called *name*."""
        head = IFINFO.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
        answer = self._ask(RTM_GETLINK, 0, head, [(3, name)], f"interface {name}")
        _, _, index, _, _ = IFINFO.unpack_from(answer)
        return index, attributes(answer, IFINFO.size)

    def _ask(self, kind: int, flags: int, head: bytes, fields: Attributes, piece: str) -> bytes:
        self._sequence += 1
        body = head + packed(fields)
        size = _HEADER.size + len(body)
        header = _HEADER.pack(size, kind, _REQUEST | _ACK | flags, self._sequence, 0)
        self._socket.send(header + body)
        answer = b""
        while True:
            datagram = self._socket.recv(1 << 16)
            while datagram:
                size, answered, flags, _, _ = _HEADER.unpack_from(datagram)
                message, datagram = datagram[_HEADER.size : size], datagram[size + -size % 4 :]
                if answered == _ERROR:
                    _check(message, flags, piece)
                    return answer
                answer = message


def packed(fields: Attributes) -> bytes:
    """Return *fields* as the kernel reads them."""
    parts: list[bytes] = []
    for number, payload in fields:
        if isinstance(payload, str):
            payload = payload.encode() + b"\0"
        elif isinstance(payload, int):
            payload = struct.pack("=I", payload)
        elif not isinstance(payload, bytes):
            number |= _NLA_F_NESTED
            payload = packed(payload)
        size = _ATTRIBUTE.size + len(payload)
        parts.append(_ATTRIBUTE.pack(size, number) + payload + bytes(-size % 4))
    return b"".join(parts)


def _check(message: bytes, flags: int, piece: str) -> None:
    (code,) = struct.unpack_from("=i", message)
    if code == 0:
        return
    echoed = _HEADER.size
    if not flags & _CAPPED:
        (echoed,) = struct.unpack_from("=I", message, 4)
    start = 4 + echoed + -echoed % 4 if flags & _ACK_TLVS else len(message)
    words = attributes(message, start)
    said = words.get(_ERROR_MESSAGE, b"").rstrip(b"\0").decode(errors="replace")
    missing = " (this kernel lacks it)" if -code in {errno.EOPNOTSUPP, errno.EAFNOSUPPORT} else ""
    text = f"cannot make {piece}: {os.strerror(-code)}{missing}{f': {said}' if said else ''}"
    raise LabError(-code, text)
