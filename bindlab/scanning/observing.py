"""What attempts at a port meet, and which sockets the system lists on it meanwhile."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bindlab.binding import Binding
from bindlab.endpoint import Endpoint, Transport
from bindlab.linux import ListedSocket, sockets_on
from bindlab.probing import Outcome, Probe, probe_all
from bindlab.scanning.addresses import LocalAddress

__all__ = ["Attempt", "Observation", "observe"]


class Attempt(NamedTuple):
    """What an attempt at an address met."""

    address: LocalAddress
    probe: Probe

    @property
    def is_taken(self) -> bool:
        """Whether a socket has what was sent.

        For UDP that is silence too, unless a firewall drops: the system refuses at once for a
        port of its own that nobody has.
        """
        silent_udp = self.probe.endpoint.transport == "udp" and self.is_silent
        return self.probe.accepted or silent_udp

    @property
    def is_absent(self) -> bool:
        """Whether this machine has no such address, as ``::1`` where IPv6 is turned off."""
        return self.probe.outcome in (Outcome.NO_SOURCE, Outcome.WRONG_FAMILY)

    @property
    def is_silent(self) -> bool:
        """Whether nothing came back: a firewall, a full backlog, or a UDP server."""
        return self.probe.outcome is Outcome.NO_ANSWER


class Observation(NamedTuple):
    """What attempts at a port met, and which of its sockets the system listed around them.

    - *listed*: the sockets before the attempts or after them; ``None`` where it does not tell.
    - *ended*, *begun*: what took packets before the attempts only, or after them only.
    - *stopped*: addresses that accepted a connection, explained by no listed socket, and
      refused another.
    """

    attempts: tuple[Attempt, ...]
    listed: tuple[ListedSocket, ...] | None = None
    ended: tuple[Binding, ...] = ()
    begun: tuple[Binding, ...] = ()
    stopped: tuple[LocalAddress, ...] = ()

    @property
    def what_changed(self) -> tuple[str, ...]:
        """In sentences, what changed on the port while it was tried."""
        found: list[str] = []
        if self.ended:
            ended = " and ".join(map(str, self.ended))
            found.append(f"{ended} was there before the attempts, and not after them")
        if self.begun:
            found.append(f"{' and '.join(map(str, self.begun))} came while the port was tried")
        if self.stopped:
            where = ", ".join(map(str, self.stopped))
            found.append(f"{where} answered once, and refused when it was tried again")
        return tuple(found)


def observe(
    addresses: Sequence[LocalAddress], port: int, timeout: float, transport: Transport = "tcp"
) -> Observation:
    """Try *port* on each of *addresses* at the same time, and list its sockets around that.

    A connection that no listed socket explains is tried a second time, so that a server that
    has ended is not taken for NAT, or for one of a single address.
    """
    before = sockets_on(port, transport)
    attempts = _try(addresses, port, timeout, transport)
    after = sockets_on(port, transport)
    seen = Observation(attempts)
    open_sockets: list[Binding] = []
    if before is not None and after is not None:
        first, last = _open(before), _open(after)
        open_sockets = list(dict.fromkeys([*first, *last]))
        seen = Observation(
            attempts,
            listed=tuple({one.inode: one for one in (*before, *after)}.values()),
            ended=tuple(one for one in first if one not in last),
            begun=tuple(one for one in last if one not in first),
        )
    if transport == "udp":
        return seen
    unexplained = [
        attempt.address
        for attempt in attempts
        if attempt.probe.accepted and not attempt.address.is_served_by(open_sockets)
    ]
    again = _try(unexplained, port, timeout, transport)
    refused = (attempt for attempt in again if attempt.probe.outcome is Outcome.REFUSED)
    return seen._replace(stopped=tuple(attempt.address for attempt in refused))


def _open(listed: Iterable[ListedSocket]) -> list[Binding]:
    return [one.binding for one in listed if one.is_open]


def _try(
    addresses: Sequence[LocalAddress], port: int, timeout: float, transport: Transport
) -> tuple[Attempt, ...]:
    endpoints = (Endpoint(address.ip, port, transport) for address in addresses)
    return tuple(map(Attempt, addresses, probe_all(endpoints, timeout=timeout)))
