"""What a socket is bound to, as a value: all that decides which packets it can get."""

from collections.abc import Iterable
from ipaddress import IPv4Address

from bindlab.endpoint import Endpoint, IPAddress, parse_address
from bindlab.printable import printable
from bindlab.value import Given, Value, checked_name


class Binding(Value):
    """An endpoint that a socket is bound to, and the options that narrow it.

    ``None`` means unknown, and unknown widens every answer.

    - *v6only*: whether ``IPV6_V6ONLY`` is set (RFC 3493 section 5.3); always ``None`` for IPv4.
    - *device*: the interface that the socket is bound to (``SO_BINDTODEVICE``, socket(7)).
      ``None`` is none at all, which lets in the most.
    - *listening*: whether ``listen()`` was called; means nothing for UDP.
    - *peer*: the only endpoint that a connected socket gets packets from.
    - *groups*: ``(group, interface name)`` for each multicast group that this host has joined.
    """

    endpoint: Endpoint
    v6only: bool | None = None
    device: str | None = None
    listening: bool | None = None
    peer: Endpoint | None = None
    groups: Given[
        Iterable[tuple[IPAddress | str, str]] | None, frozenset[tuple[IPAddress, str]] | None
    ] = Given(default=None)

    def _check(self) -> None:
        super()._check()
        if not isinstance(self.endpoint, Endpoint):
            raise TypeError(
                f"{self.endpoint!r} is no Endpoint: write Endpoint.parse('0.0.0.0:3000')"
            )
        if self.peer is not None and not isinstance(self.peer, Endpoint):
            raise TypeError(f"peer is an Endpoint, not {self.peer!r}: write Endpoint.parse(...)")
        if self.device is not None and self.device != "":
            checked_name("device", self.device)
        self._set(
            v6only=None if isinstance(self.endpoint.ip, IPv4Address) else self.v6only,
            device=self.device or None,
            groups=None if self.groups is None else frozenset(map(_membership, self.groups)),
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


def _membership(pair: tuple[IPAddress | str, str]) -> tuple[IPAddress, str]:
    if not isinstance(pair, tuple) or len(pair) != 2:
        raise TypeError(f"groups pairs a group with an interface's name, not {pair!r}")
    group = parse_address(pair[0])
    if not group.is_multicast:
        raise ValueError(f"{group} is no multicast group: write one such as 224.0.0.251")
    return group, checked_name("the interface of a group", pair[1])
