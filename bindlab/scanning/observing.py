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
    """What attempts at a port met, and what the system listed before them and after.

    *before* and *after* are ``None`` where it does not tell. *stopped* are the addresses that
    accepted a connection, explained by no socket of the lists, and refused another.
    """

    attempts: tuple[Attempt, ...]
    before: tuple[ListedSocket, ...] | None = None
    after: tuple[ListedSocket, ...] | None = None
    stopped: tuple[LocalAddress, ...] = ()

    @property
    def listed(self) -> tuple[ListedSocket, ...] | None:
        """The sockets that were listed, those that went and those that came included."""
        if self.before is None or self.after is None:
            return None
        latest = {one.inode: one for one in (*self.before, *self.after)}
        return tuple(latest.values())

    @property
    def ended(self) -> frozenset[Binding]:
        """What took packets before the attempts, and not after them."""
        return _open(self.before) - _open(self.after) if self.listed is not None else frozenset()

    @property
    def begun(self) -> frozenset[Binding]:
        """What takes packets after the attempts, and did not before them."""
        return _open(self.after) - _open(self.before) if self.listed is not None else frozenset()

    @property
    def changes(self) -> tuple[str, ...]:
        """In sentences, what changed on the port while it was tried."""
        found: list[str] = []
        if self.ended:
            found.append(f"{_joined(self.ended)} was there before the attempts, and not after them")
        if self.begun:
            found.append(f"{_joined(self.begun)} came while the port was tried")
        if self.stopped:
            where = ", ".join(map(str, self.stopped))
            found.append(f"{where} answered once, and refused when it was tried again")
        return tuple(found)


def observe(
    addresses: Sequence[LocalAddress], port: int, timeout: float, transport: Transport = "tcp"
) -> Observation:
    """Try *port* on each of *addresses* at the same time, and list its sockets around that.

    A connection that no listed socket explains is tried a second time, so that a server that
    has ended is not taken for NAT, or for one of an address only.
    """
    before = sockets_on(port, transport)
    attempts = _try(addresses, port, timeout, transport)
    after = sockets_on(port, transport)
    seen = Observation(attempts, before, after)
    if transport == "udp":
        return seen
    listed = _open(seen.listed)
    unexplained = [
        attempt.address
        for attempt in attempts
        if attempt.probe.accepted and not any(map(attempt.address.is_served_by, listed))
    ]
    again = _try(unexplained, port, timeout, transport)
    refused = (attempt for attempt in again if attempt.probe.outcome is Outcome.REFUSED)
    return seen._replace(stopped=tuple(attempt.address for attempt in refused))


def _try(
    addresses: Sequence[LocalAddress], port: int, timeout: float, transport: Transport
) -> tuple[Attempt, ...]:
    endpoints = (Endpoint(address.ip, port, transport) for address in addresses)
    return tuple(map(Attempt, addresses, probe_all(endpoints, timeout=timeout)))


def _open(listed: Iterable[ListedSocket] | None) -> frozenset[Binding]:
    return frozenset(one.binding for one in listed or () if one.is_open)


def _joined(bindings: Iterable[Binding]) -> str:
    return " and ".join(sorted(map(str, bindings)))
