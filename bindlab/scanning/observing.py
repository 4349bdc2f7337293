"""What attempts at a port meet, and which sockets the system lists on it meanwhile."""

from collections.abc import Iterable, Sequence
from time import perf_counter, sleep
from typing import NamedTuple

from bindlab.binding import Binding
from bindlab.endpoint import Endpoint, Transport
from bindlab.linux import ListedSocket, sockets_on
from bindlab.probing import Outcome, Probe, probe_all
from bindlab.scanning.addresses import LocalAddress

_FEW, _MANY = 2, 128  # connections at a time; the smallest backlogs hold one or two
_PAUSE = 0.01  # seconds for a server to take them
_MOST_UDP = 512  # addresses


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
      refused another, up to the first that accepted again.
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
    addresses: Sequence[LocalAddress],
    port: int,
    timeout: float,
    transport: Transport = "tcp",
    *,
    linger: float = 0.0,
    sparing: bool = False,
) -> Observation:
    """Try *port* on *addresses*, a few at a time, and list its sockets around that.

    *sparing* leaves out what the list tells already: of the addresses that one listed socket
    serves one of loopback and one other are dialled, and none by UDP. Connections are watched
    for *linger* seconds, whether the peer ends them at once.

    One connection that no listed socket explains is tried a second time, so that a server that
    has ended is not taken for NAT, or for one of a single address.
    """
    before = sockets_on(port, transport)
    chosen = addresses
    if sparing and before is not None:
        chosen = _telling(addresses, _open(before), transport)
    attempts = _try(chosen, port, timeout, transport, linger)
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
    stopped: list[LocalAddress] = []
    for attempt in attempts:
        if attempt.probe.accepted and not attempt.address.is_served_by(open_sockets):
            (again,) = _try([attempt.address], port, timeout, transport, 0.0)
            if again.probe.outcome is not Outcome.REFUSED:
                break  # a server is there
            stopped.append(attempt.address)
    return seen._replace(stopped=tuple(stopped))


def _telling(
    addresses: Sequence[LocalAddress], sockets: Sequence[Binding], transport: Transport
) -> list[LocalAddress]:
    """Return those of *addresses* where something may be met that the list does not tell.

    A relay may enter by the loopback of what is behind it for one, and not for another (pasta).
    """
    untried = [(one, loop) for one in sockets for loop in (True, False) if transport == "tcp"]
    found: list[LocalAddress] = []
    for address in addresses:
        loop = address.is_loopback
        served = [one for one in untried if one[1] is loop and address.is_served_by(one[:1])]
        if served or not address.is_served_by(sockets):
            found.append(address)
            untried = [one for one in untried if one not in served]
    return found


def _open(listed: Iterable[ListedSocket]) -> list[Binding]:
    return [one.binding for one in listed if one.is_open]


def _try(
    addresses: Sequence[LocalAddress],
    port: int,
    timeout: float,
    transport: Transport,
    linger: float,
) -> tuple[Attempt, ...]:
    endpoints = [Endpoint(address.ip, port, transport) for address in addresses]
    if transport == "udp":
        # Where a server keeps silent, each round of 128 takes the whole timeout.
        return tuple(map(Attempt, addresses, probe_all(endpoints[:_MOST_UDP], timeout=timeout)))
    probes: list[Probe] = []
    width = _FEW
    while len(probes) < len(endpoints):
        end = len(probes) + width
        found = probe_all(endpoints[len(probes) : end], timeout=timeout, linger=linger)
        probes += found
        # More at a time only where all is silent: there no server's backlog can be filled.
        is_silent = all(each.outcome is Outcome.NO_ANSWER for each in found)
        width = min(4 * width, _MANY) if is_silent else _FEW
        if any(each.accepted for each in found) and len(probes) < len(endpoints):
            sleep(_PAUSE)
    _try_again_alone(probes, timeout, linger)
    return tuple(map(Attempt, addresses, probes))


def _try_again_alone(probes: list[Probe], timeout: float, linger: float) -> None:
    """Replace silence by what one more attempt meets, as many as *timeout* allows twice.

    A server with a short backlog may have been busy with our own attempts.
    """
    deadline = perf_counter() + 2 * timeout
    for number, probe in enumerate(probes):
        if probe.outcome is Outcome.NO_ANSWER and perf_counter() < deadline:
            (probes[number],) = probe_all([probe.endpoint], timeout=timeout, linger=linger)
