"""The laws notice: each of them is broken by a prediction that lies, and says so."""

from collections.abc import Callable
from ipaddress import ip_address
from socket import socket

import pytest

from bindlab import lab
from bindlab.host import Host
from bindlab.reach.verdict import (
    THIS_HOST,
    Answer,
    Candidate,
    Condition,
    Origin,
    Reason,
    Vantage,
    Verdict,
)

from .engine import Answers
from .suite import examine, predicted
from .topologies import TOPOLOGIES

AVAILABLE = lab.available()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not AVAILABLE, reason=AVAILABLE.reason),
]
Lie = Callable[[Verdict, Host], Verdict]


class Liar:
    """What bindlab says, changed by a lie."""

    def __init__(self, truth: Answers, host: Host, lie: Lie) -> None:
        self._truth, self._host, self._lie = truth, host, lie

    def verdict(self, origin: Origin, /) -> Verdict:
        """Return the lie that is told of *origin*."""
        return self._lie(self._truth.verdict(origin), self._host)


def _is_own(origin: Origin, host: Host) -> bool:
    own = {address.ip for interface in host.interfaces for address in interface.addresses}
    return isinstance(origin, Vantage) or origin in own


def _refuse(verdict: Verdict, host: Host) -> Verdict:
    return verdict.replace(answer=Answer.NO, reason=Reason.ZONE, conditions=(), endpoints=())


def _invite_peers(verdict: Verdict, host: Host) -> Verdict:
    if verdict.answer is not Answer.NO or _is_own(verdict.origin, host):
        return verdict
    return verdict.replace(
        answer=Answer.CONDITIONAL, reason=None, conditions=(Condition.ROUTE_THERE,)
    )


def _promise_peers(verdict: Verdict, host: Host) -> Verdict:
    if verdict.answer is Answer.NO:
        return verdict
    return verdict.replace(answer=Answer.YES, conditions=())


def _name(address: str, *, given_source: bool) -> Lie:
    def lie(verdict: Verdict, host: Host) -> Verdict:
        own = verdict.origin is not THIS_HOST and _is_own(verdict.origin, host)
        if own is not given_source or verdict.answer is not Answer.YES:
            return verdict
        first = verdict.endpoints[0]
        more = Candidate(ip_address(address), first.port, first.transport)
        return verdict.replace(endpoints=(*verdict.endpoints, more))

    return lie


def _doubt_own(verdict: Verdict, host: Host) -> Verdict:
    if verdict.answer is not Answer.NO or not _is_own(verdict.origin, host):
        return verdict
    named = tuple(
        Candidate(address.ip, 1, "tcp")
        for interface in host.interfaces
        for address in interface.addresses
        if address.version == 4
    )
    return verdict.replace(
        answer=Answer.CONDITIONAL,
        reason=None,
        conditions=(Condition.ROUTE_BACK,),
        endpoints=named,
    )


@pytest.mark.parametrize(
    ("lie", "law"),
    [
        pytest.param(_refuse, "soundness: NO, and it connects", id="all refused"),
        pytest.param(_invite_peers, "certainty: no NO, and it is bound to loopback", id="invited"),
        pytest.param(_promise_peers, "overclaiming: an unconditional YES", id="promised"),
        pytest.param(_doubt_own, "conditional from this source, and never", id="doubted"),
        pytest.param(
            _name("192.168.0.102", given_source=True), "YES from this source", id="one too many"
        ),
        pytest.param(
            _name("10.123.0.1", given_source=False), "none of the host's", id="another's address"
        ),
    ],
)
def test_a_lie_is_a_disagreement(lie: Lie, law: str) -> None:
    """A prediction that breaks a law is found out, by the law that it breaks."""

    def predict(sock: socket, host: Host) -> Liar:
        return Liar(predicted(sock, host), host, lie)

    (topology,) = (topology for topology in TOPOLOGIES if topology.name == "IPv4 only")
    report = examine(topology, predict)
    assert any(law in disagreement.law for disagreement in report.disagreements)


def test_imprecision_is_told() -> None:
    """Verdicts that leave open what never connects are counted, and are too few of a NO."""

    def predict(sock: socket, host: Host) -> Liar:
        return Liar(predicted(sock, host), host, _invite_peers)

    (topology,) = (topology for topology in TOPOLOGIES if topology.name == "IPv6 off")
    assert not examine(topology, predict).is_precise
    assert examine(topology).is_precise


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("weak host", "python -m tests.agreement --only 'weak host'"),
        ("random 7", "python -m tests.agreement --random 1 --seed 7 --only 'random 7'"),
    ],
)
def test_a_failure_can_be_repeated(name: str, command: str) -> None:
    """Each topology knows the command that runs it alone."""
    assert TOPOLOGIES[0]._replace(name=name).command == command
