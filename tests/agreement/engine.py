"""Runs one topology: opens every socket there is to open, and dials all from everywhere."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from ipaddress import IPv6Address
from socket import socket, socketpair
from typing import NamedTuple, Protocol, TypeAlias

from bindlab import lab
from bindlab.endpoint import IPAddress, address_text, parse_address
from bindlab.host import Host
from bindlab.reach.verdict import THIS_HOST, Origin, Verdict

from .bindings import addresses_of, specs_for
from .client import Attempt, Outcome, default_sources, dial_all
from .commands import run_ip
from .server import Spec, open_all, serve
from .topologies import Topology

__all__ = ["Bound", "Observation", "Predict", "Run", "Trial", "claimed_links", "run"]

_FIRST_PORT = 20000
_SOCKETS_OF_A_SERVER = 200  # the kernel hands over 253 descriptors at once


class Answers(Protocol):
    """What a prediction is asked."""

    def verdict(self, origin: Origin, /) -> Verdict: ...


# A socket, and the host that it is on.
Predict: TypeAlias = Callable[[socket, Host], Answers]


class Bound(NamedTuple):
    """A socket that is open on the target, and what is predicted of it."""

    spec: Spec
    port: int
    reach: Answers


class Trial(NamedTuple):
    """What is to be tried: a socket, from a host, to one address of the target.

    *origin* is what the prediction is asked about, *destination* the address in the target's
    words. One is *usual* whose sender is on the link that its address is of, has no device of
    its own, and dials what it means.
    """

    bound: Bound
    host: str
    origin: Origin
    destination: IPAddress
    attempt: Attempt
    usual: bool


class Observation(NamedTuple):
    """What came of a trial; *got_in*: the socket that was meant got the packet."""

    trial: Trial
    outcome: Outcome
    got_in: bool

    def __str__(self) -> str:
        source = f" from {self.outcome.source}" if self.outcome.source else ""
        to = f"{address_text(self.trial.destination)} (as {self.trial.attempt.destination})"
        got = "it got in" if self.got_in else "it did not get in"
        return f"{self.trial.host}{source} to {to}: {self.outcome.met}; {got}"


class Run(NamedTuple):
    """All that was seen of one topology; *again* repeats trials, with more patience."""

    topology: Topology
    host: Host
    refused: Mapping[Spec, str]
    observations: Sequence[Observation]
    again: Callable[[Iterable[Trial], float], list[Observation]]


def run(
    topology: Topology,
    predict: Predict,
    judge: Callable[[Run], None],
    *,
    patience: float,
    most: int | None = None,
) -> None:
    """Make the topology, observe all that can be, and have *judge* look at it while it lasts.

    *most* is about how many trials to make at most: of pairs of a socket and an origin, a
    random part is tried then, and of those everything.
    """
    with lab.network(**topology.machines) as net:
        target = net[topology.target]
        target.call(run_ip, topology.setup)
        # The networks of the lab are inside this machine, whatever that is a guest of.
        host = target.host().replace(guest=None)
        bounds: list[Bound] = []
        sockets: list[socket] = []
        refused: dict[Spec, str] = {}
        specs = specs_for(host, topology.also)
        for start in range(0, len(specs), _SOCKETS_OF_A_SERVER):
            part = specs[start : start + _SOCKETS_OF_A_SERVER]
            first = _FIRST_PORT + start
            opened = target.call(open_all, part, first)
            for port, (spec, got) in enumerate(zip(part, opened, strict=True), start=first):
                if isinstance(got, socket):
                    bounds.append(Bound(spec, port, predict(got, host)))
                    sockets.append(got)
                else:
                    refused[spec] = got
        trials = _sampled(list(_trials(topology, net, host, bounds)), most, topology.name)

        def observe(chosen: Iterable[Trial], patience: float) -> list[Observation]:
            return list(_observe(net, target, sockets, bounds, list(chosen), patience))

        judge(Run(topology, host, refused, observe(trials, patience), observe))


def _sampled(trials: list[Trial], most: int | None, seed: str) -> list[Trial]:
    if most is None or len(trials) <= most:
        return trials
    rng = random.Random(seed)
    chosen: dict[tuple[int, Origin], bool] = {}
    share = most / len(trials)
    return [
        trial
        for trial in trials
        if chosen.setdefault((trial.bound.port, trial.origin), rng.random() < share)
    ]


def _observe(
    net: lab.Network,
    target: lab.LabHost,
    sockets: Sequence[socket],
    bounds: Sequence[Bound],
    trials: Sequence[Trial],
    patience: float,
) -> Iterator[Observation]:
    arrived: set[int] = set()
    tokens = {bound.port: token for token, bound in enumerate(bounds)}
    with ThreadPoolExecutor(32) as pool, ExitStack() as stopping:
        servers: list[Future[list[int]]] = []
        numbered = list(enumerate(sockets))
        for start in range(0, len(numbered), _SOCKETS_OF_A_SERVER):
            stop, theirs = socketpair()
            stopping.enter_context(stop)
            part = numbered[start : start + _SOCKETS_OF_A_SERVER]
            servers.append(pool.submit(target.call, serve, part, theirs))
            stopping.callback(theirs.close)
        dialling: list[Future[list[Outcome]]] = []
        for host in dict.fromkeys(trial.host for trial in trials):
            attempts = [trial.attempt for trial in trials if trial.host == host]
            dialling.append(pool.submit(net[host].call, dial_all, attempts, patience))
        outcomes = {o.number: o for future in dialling for o in future.result()}
        stopping.close()
        for server in servers:
            arrived.update(server.result())
    for trial in trials:
        outcome = outcomes[trial.attempt.number]
        mine = outcome.token is not None and outcome.token == tokens[trial.bound.port]
        yield Observation(trial, outcome, mine or trial.attempt.number in arrived)


def _trials(
    topology: Topology, net: lab.Network, host: Host, bounds: Sequence[Bound]
) -> Iterator[Trial]:
    number = 0
    for name in topology.machines:
        if name == topology.target:
            ways = list(_from_self(topology, host))
        else:
            ways = list(_from_peer(topology, net[name], host))
        for bound in bounds:
            for way in ways:
                number += 1
                attempt = Attempt(
                    number, bound.spec.transport, way.source, way.dialled, bound.port, way.device
                )
                yield Trial(bound, name, way.origin, way.destination, attempt, way.usual)


class _Way(NamedTuple):
    """The origin to ask about, the source to send from, the address, and how it is dialled."""

    origin: Origin
    source: str | None
    destination: IPAddress
    dialled: str
    device: str | None = None
    usual: bool = True


def _from_self(topology: Topology, host: Host) -> Iterator[_Way]:
    own = addresses_of(host)
    loopback = [interface.name for interface in host.interfaces if interface.holds_loopback]
    vrfs = [interface.name for interface in host.interfaces if interface.kind == "vrf"]
    destinations = [*own, *map(parse_address, ("127.0.0.2", *topology.also))]
    for destination in destinations:
        yield _Way(THIS_HOST, None, destination, str(destination))
        for name in (*loopback, *vrfs):
            yield _Way(THIS_HOST, None, destination, str(destination), name, usual=False)
        for source in own:
            if source.version != destination.version or _other_zone(source, destination):
                continue
            yield _Way(source, str(source), destination, str(destination))
            for name in (*loopback, *vrfs) if source.version == 4 else vrfs:
                yield _Way(source, str(source), destination, str(destination), name, usual=False)
    # To 0.0.0.0 from an own address means that address (S3 of the laws of delivery).
    for source in own:
        if source.version == 4:
            yield _Way(source, str(source), source, "0.0.0.0", usual=False)


def _from_peer(topology: Topology, asked: lab.LabHost, host: Host) -> Iterator[_Way]:
    theirs = addresses_of(asked.host())
    links = _shared_links(topology, asked.name)
    sources = [ip for ip in theirs if not ip.is_loopback]
    # An origin that is an address of ours would be this host; a packet from there never comes.
    ours = {int(ip) for ip in addresses_of(host)}
    ways = list(_dialled(host, links, loopback=len(sources) == len(theirs)))
    ways += [(parse_address(address), address) for address in topology.also]
    by_default = asked.call(default_sources, [dialled for _, dialled in ways])
    homes = {int(a): i.name for i in asked.host().interfaces for a in i.addresses}
    for destination, dialled in ways:
        chosen = by_default[dialled]
        leaves_by = homes.get(int(parse_address(chosen))) if chosen else None
        arrives_by = links.get(leaves_by or "")
        default = _in_our_words(parse_address(chosen), links) if chosen else None
        if default is not None and int(default) not in ours:
            usual = _stands_where_it_says(default, destination, arrives_by, host)
            yield _Way(default, None, destination, dialled, usual=usual)
        for source in sources:
            origin = _in_our_words(source, links)
            if origin is None or source.version != destination.version or int(source) in ours:
                continue
            if _other_zone(source, parse_address(dialled)):
                continue
            usual = _stands_where_it_says(source, destination, arrives_by, host)
            usual = usual and homes.get(int(source)) == leaves_by
            yield _Way(origin, str(source), destination, dialled, usual=usual)
            zone = source.scope_id if isinstance(source, IPv6Address) else None
            for name in links:
                if len(links) > 1 and zone in (None, name):
                    yield _Way(origin, str(source), destination, dialled, name, usual=False)


def _stands_where_it_says(
    source: IPAddress, destination: IPAddress, arrives_by: str | None, host: Host
) -> bool:
    """Return whether a packet with *source* comes by the link that its address belongs to."""
    if source.is_link_local:
        return True
    claimed = claimed_links(source, host)
    return arrives_by in claimed if claimed else not destination.is_link_local


def claimed_links(source: IPAddress, host: Host) -> frozenset[str]:
    """Return the interfaces of *host* on whose links *source* says it is; none: it is beyond."""
    if isinstance(source, IPv6Address) and source.scope_id is not None:
        return frozenset({host.interface(source.scope_id).name})
    return frozenset(
        interface.name
        for interface in host.interfaces
        for address in interface.addresses
        if not interface.holds_loopback and _without_zone(source) in address.network
    )


def _dialled(
    host: Host, links: Mapping[str, str], *, loopback: bool
) -> Iterator[tuple[IPAddress, str]]:
    """Yield each address of *host*, and how a peer on *links* writes it.

    One that has loopback addresses of its own would dial itself by ours.
    """
    for ip in dict.fromkeys(_without_zone(ip) for ip in addresses_of(host)):
        if isinstance(ip, IPv6Address) and ip.is_link_local:
            for their, our in links.items():
                yield IPv6Address(f"{ip}%{our}"), f"{ip}%{their}"
        elif loopback or not ip.is_loopback:
            yield ip, str(ip)


def _in_our_words(source: IPAddress, links: Mapping[str, str]) -> Origin | None:
    """Return a peer's address as the target writes it, or ``None`` where it cannot."""
    if not isinstance(source, IPv6Address) or source.scope_id is None:
        return source
    our = links.get(source.scope_id)
    return None if our is None else IPv6Address(f"{_without_zone(source)}%{our}")


def _shared_links(topology: Topology, peer: str) -> Mapping[str, str]:
    """Return the target's interface on the same network, for each of a peer's."""
    ours = {nic.network or name: name for name, nic in topology.machines[topology.target].nics}
    return {
        name: ours[nic.network or name]
        for name, nic in topology.machines[peer].nics
        if (nic.network or name) in ours and name != "lo"
    }


def _without_zone(ip: IPAddress) -> IPAddress:
    return IPv6Address(int(ip)) if isinstance(ip, IPv6Address) else ip


def _other_zone(source: IPAddress, destination: IPAddress) -> bool:
    zones = [ip.scope_id for ip in (source, destination) if isinstance(ip, IPv6Address)]
    return None not in zones and len(set(zones)) > 1
