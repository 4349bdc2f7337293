"""What a socket is bound to, as a value: all that decides which packets it can get.

Knows no socket: inspect_socket.py asks one, a test writes one by hand.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address

from bindlab.endpoint import Endpoint, IPAddress, parse_address
from bindlab.interface import checked_flag, checked_name
from bindlab.printable import printable
from bindlab.value import Value

__all__ = ["Binding"]


class Binding(Value):
    """An endpoint that a socket is bound to, and the options that narrow it.

    ``None`` means unknown, and unknown widens every answer.

    - *v6only*: whether ``IPV6_V6ONLY`` is set (RFC 3493 section 5.3); always ``None`` for IPv4.
    - *device*: the interface that the socket is bound to (``SO_BINDTODEVICE``, socket(7)).
      ``None`` is none at all, which lets in the most.
    - *listening*: whether ``listen()`` was called; means nothing for UDP.
    - *peer*: the only endpoint that a connected socket hears.
    - *groups*: ``(group, interface name)`` for each multicast group that this host has joined.
    """

    __slots__ = ("endpoint", "v6only", "device", "listening", "peer", "groups")

    endpoint: Endpoint
    v6only: bool | None
    device: str | None
    listening: bool | None
    peer: Endpoint | None
    groups: frozenset[tuple[IPAddress, str]] | None

    def __init__(
        self,
        endpoint: Endpoint,
        v6only: bool | None = None,
        device: str | None = None,
        listening: bool | None = None,
        peer: Endpoint | None = None,
        groups: Iterable[tuple[IPAddress | str, str]] | None = None,
    ) -> None:
        if not isinstance(endpoint, Endpoint):
            raise TypeError(f"{endpoint!r} is no Endpoint: write Endpoint.parse('0.0.0.0:3000')")
        if device is not None and device != "":
            checked_name("device", device)
        if peer is not None and not isinstance(peer, Endpoint):
            raise TypeError(f"peer is an Endpoint, not {peer!r}: write Endpoint.parse(...)")
        v6only = checked_flag("v6only", v6only)
        if isinstance(endpoint.ip, IPv4Address):
            v6only = None
        if groups is not None:
            groups = frozenset(map(_membership, groups))
        self._set(
            endpoint=endpoint,
            v6only=v6only,
            device=device or None,
            listening=checked_flag("listening", listening),
            peer=peer,
            groups=groups,
        )

    @property
    def pin(self) -> str | None:
        """The interface that packets must come by: the zone of the address, or the device.

        A zone overrides the device (``__inet6_bind``: "override any existing binding").
        """
        bound = self.endpoint.ip
        return (bound.scope_id if bound.version == 6 else None) or self.device

    def __str__(self) -> str:
        details = [
            {True: "IPv6 only", False: "dual-stack", None: ""}[self.v6only]
            if self.endpoint.is_unspecified
            else "",
            f"device {printable(self.device)}" if self.device else "",
            f"connected to {self.peer}" if self.peer else "",
            "not listening" if self.listening is False and self.endpoint.transport == "tcp" else "",
        ]
        return ", ".join([str(self.endpoint), *filter(None, details)])


def _membership(value: tuple[IPAddress | str, str]) -> tuple[IPAddress, str]:
    if not isinstance(value, tuple) or len(value) != 2 or not isinstance(value[1], str):
        raise TypeError(f"groups pairs a group with an interface's name, not {value!r}")
    group = parse_address(value[0])
    if not group.is_multicast:
        raise ValueError(f"{group} is no multicast group: write one such as 224.0.0.251")
    return group, checked_name("the interface of a group", value[1])
