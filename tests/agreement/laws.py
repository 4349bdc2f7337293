"""The laws that bindlab's predictions must keep, whatever the network.

Soundness: what got in was not answered NO, and the address it dialled is among the verdict's
endpoints where it is one to dial from there: any from inside, of a link's interface those in the
origin's own network, and the one that the socket is bound to. No verdict names an address that
the host does not have.

Exactness: for the host itself, by the sources that its kernel chooses, YES and its endpoints
are what connects; from a given source of its own, a YES connects at every endpoint, and a TCP
answer that never connects is a NO, or left to an IPv6 router that may bring answers back
(those are counted).

Certainty: a socket on loopback shuts out every other machine where route_localnet is off.
Overclaiming: no other machine is told YES.
Precision: where a CONDITIONAL did not get in at any endpoint, one of its conditions explains
what the client met; and most of what can never connect is a NO.

A sender may stand anywhere: a source that does not belong to the link by which its packets come,
as that of a machine on two networks, is an ordinary origin. Exactness and precision are asked of
usual attempts, soundness of those as well that are bound to a device, or dial 0.0.0.0.

A datagram got in when the socket received it, whether or not the answer came back; a TCP
client when it was sent the socket's token.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from bindlab.endpoint import IPAddress, parse_address, unmap
from bindlab.host import Host
from bindlab.interface import Interface
from bindlab.reach.origin import is_internet
from bindlab.reach.topology import Topology
from bindlab.reach.verdict import THIS_HOST, Answer, Condition, Origin, Verdict

from .bindings import addresses_of
from .engine import Bound, Observation, Run, claimed_links

__all__ = ["Disagreement", "Report", "judge", "precision"]

_PATIENCE = 1.5  # seconds: a SYN that was lost is sent again after one
C = Condition

# What may have stopped an attempt that a CONDITIONAL left open, by what the client met. Silence
# may be anything that is possible in the topology at all (_possible).
_STOPPERS: Mapping[str, frozenset[Condition]] = {
    "ENETUNREACH": frozenset({C.ROUTE_THERE, C.PEER_ZONE, C.LOCATION, C.NAT}),
    "EHOSTUNREACH": frozenset({C.ROUTE_THERE, C.LOCATION, C.FIREWALL}),
    "EACCES": frozenset({C.FIREWALL}),
    "ECONNREFUSED": frozenset({C.FIREWALL, C.LOCATION, C.WEAK_HOST, C.ROUTE_THERE}),
    "silence": frozenset(Condition),
}
# No link of the lab isolates, no socket is a group's, IPV6_V6ONLY of a real socket is known,
# and a datagram that gets in got in, whatever its answer comes from.
_IMPOSSIBLE = frozenset(
    {
        C.LINK_ISOLATION,
        C.DUAL_STACK,
        C.GROUP_MEMBERSHIP,
        C.MULTICAST_ROUTING,
        C.BROADCAST,
        C.REPLY_ADDRESS,
    }
)
# What a host does not tell: programs that the lab does not start usually, and the interface of a
# local route.
_UNTOLD = frozenset({C.SENT_BY_LOOPBACK, C.VRF_PROGRAM, C.LOCAL_ROUTE})
_LEAST = 0.8  # of what can never connect is a NO, in each topology


class Disagreement(NamedTuple):
    """A law that a prediction broke, and all there is to know about it."""

    law: str
    bound: Bound
    origin: Origin
    verdict: Verdict
    seen: Sequence[Observation]
    pair: Sequence[Observation]  # all that was seen of the same socket and origin

    def __str__(self) -> str:
        verdict = self.verdict
        named = ", ".join(condition.name for condition in verdict.conditions)
        reason = verdict.reason.name if verdict.reason else named or "unconditional"
        lines = [
            f"{self.law}: {self.bound.spec}, asked about {self.origin}",
            f"  predicted {verdict.answer.name} ({reason}): {verdict.explanation}",
            f"  endpoints {', '.join(map(str, verdict.endpoints)) or 'none'}",
            *(f"  kernel: {observation}" for observation in self.seen),
        ]
        return "\n".join(lines)


class Report(NamedTuple):
    """What came of a run: the disagreements, and how precise the rest was.

    Every observation was held against a verdict. *never* counts the answers to origins that no
    address let in.
    """

    observations: int
    sockets: int
    disagreements: tuple[Disagreement, ...]
    never: Counter[str]
    unreturned: int  # the host's own sources, told that a router must bring answers back: none did

    @property
    def is_precise(self) -> bool:
        """Whether enough of what can never connect is a NO."""
        return self.never["NO"] >= _LEAST * self.never.total()

    def __str__(self) -> str:
        return (
            f"{self.observations} observations of {self.sockets} sockets; "
            f"{precision(self.never['NO'], self.never.total())}; "
            f"{self.unreturned} left to a router in vain; {len(self.disagreements)} disagreements"
        )


def precision(no: int, never: int) -> str:
    """Return in words how many of the pairs that *never* connect are a NO."""
    share = f"{100 * no / never:.1f} %" if never else "-"
    return f"of {never} pairs that can never connect {share} are a NO"


def judge(run: Run) -> Report:
    """Return what a run says of the laws; what looks wrong is tried again, patiently."""
    seen = {observation.trial.attempt.number: observation for observation in run.observations}
    suspects = {
        observation.trial.attempt.number: observation.trial
        for broken in _broken(run, seen.values())
        for observation in broken.pair
    }
    if suspects:
        for observation in run.again(suspects.values(), _PATIENCE):
            seen[observation.trial.attempt.number] = observation
    disagreements = tuple(_broken(run, seen.values()))
    never: Counter[str] = Counter()
    unreturned = 0
    for bound, origin, observations in _pairs(seen.values()):
        if not any(observation.got_in for observation in observations):
            verdict = bound.reach.verdict(origin)
            never[verdict.answer.name] += 1
            inside = observations[0].trial.host == run.topology.target
            unreturned += inside and verdict.answer is Answer.CONDITIONAL
    sockets = len({observation.trial.bound.port for observation in seen.values()})
    return Report(len(seen), sockets, disagreements, never, unreturned)


def _pairs(
    seen: Iterable[Observation],
) -> Iterator[tuple[Bound, Origin, Sequence[Observation]]]:
    """Yield what was seen for each socket and each origin that can be asked about."""
    pairs: dict[tuple[int, Origin], list[Observation]] = {}
    for observation in seen:
        key = (observation.trial.bound.port, observation.trial.origin)
        pairs.setdefault(key, []).append(observation)
    for (_, origin), observations in pairs.items():
        yield observations[0].trial.bound, origin, observations


class _Pair(NamedTuple):
    """A socket, an origin, what is predicted of them, and all that was seen."""

    bound: Bound
    origin: Origin
    verdict: Verdict
    observations: Sequence[Observation]
    host: Host

    def at(self, observation: Observation) -> tuple[int, int, str]:
        return _plain(observation.trial.destination, self.host)

    def broke(self, law: str, which: Sequence[Observation]) -> Disagreement:
        return Disagreement(law, self.bound, self.origin, self.verdict, which, self.observations)


def _broken(run: Run, seen: Iterable[Observation]) -> Iterator[Disagreement]:
    own = Counter(_plain(ip, run.host) for ip in addresses_of(run.host))
    possible = _possible(run)
    for bound, origin, observations in _pairs(seen):
        verdict = bound.reach.verdict(origin)
        pair = _Pair(bound, origin, verdict, observations, run.host)
        wrong = [o for o in observations if o.outcome.token is not None and not o.got_in]
        if wrong:
            yield pair.broke("another socket answered", wrong)
        got_in = [o for o in observations if o.got_in]
        if got_in and verdict.answer is Answer.NO:
            yield pair.broke("soundness: NO, and it connects", got_in)
            continue
        named = {_plain(endpoint.ip, run.host) for endpoint in verdict.endpoints}
        # 127.0.0.2 is the host's, but in no table: it need be named only where it is bound.
        bound_to = _plain(parse_address(bound.spec.address), run.host)
        inside = observations[0].trial.host == run.topology.target
        # Of several interfaces with one address nobody tells whose local route it is.
        of_one = {address for address, count in own.items() if count == 1}
        to_dial = of_one if inside else _beside(origin, bound.spec.device, run.host)
        missing = [
            o for o in got_in if o.trial.usual and pair.at(o) in (to_dial | {bound_to}) - named
        ]
        if missing and not _is_of_two(pair):
            yield pair.broke("soundness: it connects at an address that is not named", missing)
        foreign = [e for e in verdict.endpoints if not _is_of(e.ip, run.host, own)]
        if foreign:
            yield pair.broke("an address is named that is none of the host's", observations)
        tried = [o for o in observations if o.trial.usual and pair.at(o) in named]
        shut = "" if inside or verdict.answer is Answer.NO else _certain(run, bound)
        if shut:
            yield pair.broke(f"certainty: no NO, and {shut}", observations)
        if inside:
            yield from _inside(pair, tried)
        elif verdict.answer is Answer.YES:
            yield pair.broke("overclaiming: an unconditional YES to another machine", observations)
        elif run.host.routes is None:
            continue  # rules of one's own may lose any answer
        elif tried and not got_in and not any(_explains(verdict, o, possible) for o in tried):
            yield pair.broke("precision: what stopped it is not among the conditions", tried)


def _beside(origin: Origin, device: str | None, host: Host) -> set[tuple[int, int, str]]:
    """Return the addresses of *host* in the network of *origin*, on a live link or the *device*.

    Those on a port of a bridge are reached by detours, and not named beside the bridge's own.
    """
    assert isinstance(origin, IPv4Address | IPv6Address)
    return {
        _plain(parse_address(address), host)
        for name in claimed_links(origin, host) - Topology(host).masters.keys()
        for address in host.interface(name).addresses
        if _is_live(host.interface(name)) and origin in address.network and device in (None, name)
        # A strict reverse path filter may let the origin in by another link alone.
        if len(claimed_links(origin, host)) == 1 or host.interface(name).rp_filter != 1
    }


def _inside(pair: _Pair, tried: Sequence[Observation]) -> Iterator[Disagreement]:
    """Yield what is not exact for the host itself, where exactness is possible."""
    lost = [o for o in tried if not o.got_in]
    if pair.verdict.answer is Answer.NO:
        return
    if pair.origin is THIS_HOST:
        if pair.verdict.answer is Answer.CONDITIONAL:
            if not (_answers_are_lost(pair) or _UNTOLD & {*pair.verdict.conditions}):
                yield pair.broke("exactness: only conditional for this host", pair.observations)
        elif lost:
            yield pair.broke("exactness: YES, and it does not connect", lost)
    elif pair.verdict.answer is Answer.YES:
        if lost and not _is_of_two(pair):
            yield pair.broke("exactness: YES from this source, and it does not connect", lost)
    elif (
        lost
        and _never_connects(pair)
        and not (_is_unreturned(pair) or _is_of_two(pair) or _UNTOLD & {*pair.verdict.conditions})
    ):
        yield pair.broke("exactness: conditional from this source, and never connects", lost)


def _never_connects(pair: _Pair) -> bool:
    return pair.bound.spec.transport == "tcp" and not any(o.got_in for o in pair.observations)


def _is_of_two(pair: _Pair) -> bool:
    """Return whether several interfaces, or others of a VRF, may have the route to the source."""
    if Condition.ROUTE_BACK in pair.verdict.conditions and Topology(pair.host).vrfs:
        return True  # Linux 5.10 finds a way within a VRF, and 6.1 does not
    return addresses_of(pair.host).count(pair.origin) > 1


def _is_unreturned(pair: _Pair) -> bool:
    """Return whether the verdict leaves it to a router on the link to bring the answers back.

    A socket that is pinned to a device sends them out there, and by IPv6 a router may know the
    way: the host cannot tell. No router forwards what is link-local at either end.
    """
    assert isinstance(pair.origin, IPv4Address | IPv6Address)
    return (
        Condition.ROUTE_BACK in pair.verdict.conditions
        and pair.origin.version == 6
        and not (pair.origin.is_link_local or pair.origin.is_loopback)
        and not any(endpoint.ip.is_link_local for endpoint in pair.verdict.endpoints)
    )


def _certain(run: Run, bound: Bound) -> str:
    """Return why the socket shuts out every other machine for certain, if it does."""
    ip = unmap(parse_address(bound.spec.address))
    target = run.topology.machines[run.topology.target]
    lets_in = target.route_localnet or any(nic.route_localnet for _, nic in target.nics)
    if ip.is_loopback and (ip.version == 6 or not lets_in):
        return "it is bound to loopback"
    return ""


def _is_live(interface: Interface) -> bool:
    return interface.is_up is not False and interface.is_running is not False


def _possible(run: Run) -> frozenset[Condition]:
    """Return the conditions that can stop anybody in the topology."""
    machines = run.topology.machines
    target = machines[run.topology.target]
    addresses = {
        name: [address.ip for _, nic in machine.nics for address in nic.addresses]
        for name, machine in machines.items()
    }
    peers = [ip for name, ips in addresses.items() if name != run.topology.target for ip in ips]
    localnet = target.route_localnet or any(nic.route_localnet for _, nic in target.nics)
    present = {
        C.FIREWALL: bool(target.firewall),
        C.NAT: any(map(is_internet, peers)),
        C.WEAK_HOST: sum(bool(nic.addresses) for _, nic in target.nics) > 1,
        C.ROUTE_LOCALNET: localnet,
        C.LOCAL_ROUTE: bool(run.topology.also),
    }
    absent = {condition for condition, possible in present.items() if not possible}
    return frozenset(Condition) - _IMPOSSIBLE - absent


def _is_of(ip: IPAddress, host: Host, own: Collection[tuple[int, int, str]]) -> bool:
    """Return whether *ip* is the host's: in its table, on loopback, or by a local route."""
    bare = unmap(ip)
    local = any(
        bare.version == network.version and bare in network for network in host.local_routes or ()
    )
    return _plain(ip, host) in own or (bare.version == 4 and bare.is_loopback) or local


def _answers_are_lost(pair: _Pair) -> bool:
    """Return whether datagrams got in and no answer came back, as the verdict warns."""
    answered = any(observation.outcome.token is not None for observation in pair.observations)
    return Condition.ROUTE_BACK in pair.verdict.conditions and not answered


def _explains(verdict: Verdict, observation: Observation, possible: Collection[Condition]) -> bool:
    """Return whether a condition that the verdict names may have stopped this attempt."""
    stoppers = _STOPPERS.get(observation.outcome.met, frozenset())
    return any(condition in stoppers and condition in possible for condition in verdict.conditions)


def _plain(ip: IPAddress, host: Host) -> tuple[int, int, str]:
    """Return *ip* as what can be compared: un-mapped, its zone as the interface's name."""
    bare = unmap(ip)
    zone = bare.scope_id if isinstance(bare, IPv6Address) else None
    return bare.version, int(bare), host.interface(zone).name if zone else ""
