"""The laws that bindlab's predictions must keep, whatever the network.

Soundness: what got in was not answered NO, and the address it dialled is among the verdict's
endpoints. Exactness: for the host itself, by the sources that its kernel chooses, YES and its
endpoints are what connects; from a given source of its own, a YES connects somewhere.
Overclaiming: no other machine is told YES. Precision: where a CONDITIONAL did not get in at
any endpoint, one of its conditions explains what the client met.

A source that does not belong to the link by which its packets come (a machine on two networks
may send so) is observed, and no verdict is held against it: an origin is a claim of place.

A datagram got in when the socket received it, whether or not the answer came back; a TCP
client when it was sent the socket's token.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv6Address
from typing import NamedTuple

from bindlab.endpoint import IPAddress, parse_address, unmap
from bindlab.host import Host
from bindlab.reach.verdict import THIS_HOST, Answer, Condition, Origin, Verdict

from .bindings import addresses_of
from .engine import Bound, Observation, Run

__all__ = ["Disagreement", "Report", "judge"]

_PATIENCE = 1.5  # seconds: a SYN that was lost is sent again after one
C = Condition

# What may have stopped an attempt that a CONDITIONAL left open, by what the client met.
_STOPPERS: Mapping[str, frozenset[Condition]] = {
    "ENETUNREACH": frozenset({C.ROUTE_THERE, C.PEER_ZONE, C.LOCATION, C.NAT}),
    "EHOSTUNREACH": frozenset({C.ROUTE_THERE, C.LOCATION, C.FIREWALL}),
    "EACCES": frozenset({C.FIREWALL}),
    "ECONNREFUSED": frozenset({C.FIREWALL, C.LOCATION, C.WEAK_HOST, C.ROUTE_THERE}),
    "silence": frozenset(Condition),
}


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
    """What came of a run: the disagreements, and how precise the rest was."""

    observations: int
    sockets: int
    disagreements: tuple[Disagreement, ...]
    never: Counter[str]  # answers to origins that no address let in

    def __str__(self) -> str:
        total = sum(self.never.values())
        share = f"{100 * self.never['NO'] // total}%" if total else "-"
        return (
            f"{self.observations} observations of {self.sockets} sockets; of {total} pairs that "
            f"can never connect {share} are a NO; {len(self.disagreements)} disagreements"
        )


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
    for bound, origin, observations in _pairs(seen.values()):
        if not any(observation.got_in for observation in observations):
            never[bound.reach.verdict(origin).answer.name] += 1
    sockets = len({observation.trial.bound.port for observation in seen.values()})
    return Report(len(seen), sockets, disagreements, never)


def _pairs(
    seen: Iterable[Observation],
) -> Iterator[tuple[Bound, Origin, Sequence[Observation]]]:
    """Yield what was seen for each socket and each origin that can be asked about."""
    pairs: dict[tuple[int, Origin], list[Observation]] = {}
    for observation in seen:
        if observation.trial.origin is not None:
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
    own = {_plain(ip, run.host) for ip in addresses_of(run.host)}
    firewall = bool(run.topology.machines[run.topology.target].firewall)
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
        listed = own | {_plain(parse_address(bound.spec.address), run.host)}
        missing = [o for o in got_in if pair.at(o) in listed - named]
        if missing:
            yield pair.broke("soundness: it connects at an address that is not named", missing)
        tried = [o for o in observations if pair.at(o) in named]
        if observations[0].trial.host == run.topology.target:
            yield from _inside(pair, tried)
        elif verdict.answer is Answer.YES:
            yield pair.broke("overclaiming: an unconditional YES to another machine", observations)
        elif tried and not got_in and not any(_explains(verdict, o, firewall) for o in tried):
            yield pair.broke("precision: what stopped it is not among the conditions", tried)


def _inside(pair: _Pair, tried: Sequence[Observation]) -> Iterator[Disagreement]:
    """Yield what is not exact for the host itself, where exactness is possible."""
    lost = [o for o in tried if not o.got_in]
    if pair.origin is THIS_HOST:
        if pair.verdict.answer is Answer.CONDITIONAL:
            if not _answers_are_lost(pair):
                yield pair.broke("exactness: only conditional for this host", pair.observations)
        elif lost:
            yield pair.broke("exactness: YES, and it does not connect", lost)
    elif pair.verdict.answer is Answer.YES and lost and len(lost) == len(tried):
        yield pair.broke("exactness: YES from this source, and nothing connects", lost)


def _answers_are_lost(pair: _Pair) -> bool:
    """Return whether datagrams got in and no answer came back, as the verdict warns."""
    answered = any(observation.outcome.token is not None for observation in pair.observations)
    return Condition.ROUTE_BACK in pair.verdict.conditions and not answered


def _explains(verdict: Verdict, observation: Observation, firewall: bool) -> bool:
    """Return whether a condition that the verdict names may have stopped this attempt."""
    stoppers = _STOPPERS.get(observation.outcome.met, frozenset())
    absent = {C.LINK_ISOLATION} if firewall else {C.LINK_ISOLATION, C.FIREWALL}
    return not (stoppers - absent).isdisjoint(verdict.conditions)


def _plain(ip: IPAddress, host: Host) -> tuple[int, int, str]:
    """Return *ip* as what can be compared: un-mapped, its zone as the interface's name."""
    bare = unmap(ip)
    zone = bare.scope_id if isinstance(bare, IPv6Address) else None
    return bare.version, int(bare), host.interface(zone).name if zone else ""
