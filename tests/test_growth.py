"""What grows with a machine, and what does not: exact numbers, no time.

``python -m tests.benchmarks`` says what things cost.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from ipaddress import IPv6Address
from typing import NamedTuple

import pytest
from attempts import LINUX
from benchmarks.on_paper import host_with
from hypothesis import given
from hypothesis import strategies as st
from test_laws import NETWORKS, PEERS, bindings, hosts, origins

from bindlab import (
    BEYOND,
    INTERNET,
    THIS_HOST,
    AddressState,
    Binding,
    Endpoint,
    Host,
    Interface,
    Reach,
    Route,
    Verdict,
    reachable_from,
)
from bindlab.host import System
from bindlab.reach import judging
from bindlab.reach.crowds import Crowd, Target, crowds
from bindlab.reach.origin import Place
from bindlab.reach.path import Path
from bindlab.reach.routing import Routing
from bindlab.reach.rules import GATES, NEEDS, Rule
from bindlab.reach.topology import Topology
from bindlab.reach.verdict import Condition, Origin, Reason

SIZES = (100, 1000)  # networks: two full interfaces at least
ORIGINS = ["10.0.0.77", "10.0.77.77", "10.200.0.7", "192.0.2.9", "10.0.0.0/24", THIS_HOST, BEYOND]


class Counted(NamedTuple):
    """How often a rule was put to a path."""

    count: list[int]

    def rule(self, rule: Rule[Reason] | Rule[Condition]) -> object:
        def holds(path: Path) -> bool:
            self.count[0] += 1
            return rule.holds(path)

        return rule.replace(holds=holds)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """Count what rules are asked from now on."""
    counted = Counted([0])
    monkeypatch.setattr(judging, "GATES", tuple(map(counted.rule, GATES)))
    monkeypatch.setattr(judging, "NEEDS", tuple(map(counted.rule, NEEDS)))
    return counted


def asked(counted: Counted, reach: Reach, origin: Origin | str) -> int:
    """Return how many questions to rules a verdict takes."""
    before = counted.count[0]
    reach.verdict(origin)
    return counted.count[0] - before


@pytest.mark.parametrize("origin", ORIGINS[:2], ids=str)
def test_a_neighbour_costs_the_same_in_any_number_of_networks(
    counted: Counted, origin: str
) -> None:
    """Rules are put to one path of those alike, however many addresses the host has."""
    few, many = (
        asked(counted, reachable_from("0.0.0.0:80", host=host_with(n)), origin) for n in SIZES
    )
    assert few == many > 0


@pytest.mark.parametrize("origin", ORIGINS[2:], ids=str)
def test_addresses_of_one_interface_cost_nothing_more(
    counted: Counted, origin: Origin | str
) -> None:
    """From anywhere, the addresses of an interface cost what one of them costs."""
    one, hundred = (
        asked(
            counted,
            reachable_from("0.0.0.0:80", host=Host([Interface("eth0", 2, None, listed)])),
            origin,
        )
        for listed in (["10.0.0.1/24", "10.0.1.1/24"], [f"10.0.{n}.1/24" for n in range(200)])
    )
    assert one == hundred > 0


def test_another_neighbour_asks_no_rule(counted: Counted) -> None:
    """Neighbours on one network stand at one place."""
    reach = reachable_from("0.0.0.0:80", host=host_with(100))
    assert asked(counted, reach, "10.0.77.77") > 0
    assert asked(counted, reach, "10.0.77.88") == 0


@pytest.mark.parametrize("origin", ORIGINS, ids=str)
def test_a_second_question_asks_no_rule(counted: Counted, origin: Origin | str) -> None:
    """What is known of a place is not worked out again."""
    reach = reachable_from("0.0.0.0:80", host=host_with(100))
    assert asked(counted, reach, origin) > 0
    assert asked(counted, reach, origin) == 0


ROUTES = [
    Route("0.0.0.0/0", "eth0", "192.168.0.1"),
    Route("0.0.0.0/0", "eth1", "10.0.0.1", metric=100),
    Route("10.0.0.0/8", "eth1"),
    Route("192.168.0.0/16", "eth0", source="192.168.0.102"),
    Route("8.8.0.0/16", refusal="unreachable"),
    Route("::/0", "eth1", "fe80::1"),
    Route("fd00::/8", "eth0", "fd00:1::1"),
]


def one_by_one(
    one: Target, place: Place, topology: Topology, routing: Routing
) -> Iterator[Sequence[Crowd]]:
    """Yield what ``crowds()`` does, but no destination speaks for another."""
    for block in crowds(one, place, topology, routing):
        members = (member for crowd in block for member in crowd.members())
        yield [Crowd(each, (each,)) for each in sorted(members, key=lambda each: each.number)]


def shown(verdict: Verdict) -> tuple[object, ...]:
    """Return all of a verdict; endpoints without what they say of one another."""
    return (*verdict.replace(endpoints=()).__getstate__()[1].values(), *verdict.endpoints)


def check_together(binding: Binding, host: Host, origin: Origin | str) -> None:
    """Compare an answer with that of destinations which are all judged by themselves."""
    together = Reach([binding], host).verdict(origin)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judging, "crowds", one_by_one)
        alone = Reach([binding], host).verdict(origin)
        assert shown(together) == shown(alone)


@given(hosts, st.none() | st.lists(st.sampled_from(ROUTES), max_size=4), bindings, origins)
def test_whoever_speaks_for_others_says_what_they_would(
    host: Host, routes: list[Route] | None, binding: Binding, origin: Origin | str
) -> None:
    """No answer changes when every destination is judged by itself."""
    check_together(binding, host.replace(routes=routes), origin)


DEPRECATED = {IPv6Address("fd00:1::2"): AddressState.DEPRECATED}
# On each, the first address of eth0 is one that an origin may well not mean.
ETH0 = [
    *("100.64.3.3/10", "10.9.0.1/31", "10.0.0.12/24", "192.168.0.103/32", "192.168.0.102/24"),
    *("203.0.113.4/24", "fd00:1::2/64", "fd00:2::2/64", "2a00:1::3/64", "fe80::2/64"),
]
MANY = [
    Interface("lo", 1, None, ["127.0.0.1/8", "::1/128"], is_loopback=True),
    Interface("eth0", 2, None, ETH0, states=DEPRECATED),
    Interface("utun0", 4, None, ["10.1.0.1/24", "fd00:5::1/64"]),
    Interface("eth1", 3, None, ["10.2.0.1/24", "10.3.0.1/24", "fd00:6::1/64", "fe80::3/64"]),
]


@pytest.mark.parametrize("system", ["linux", "macos"])
@pytest.mark.parametrize("routes", [None, ROUTES], ids=["unknown", "known"])
@pytest.mark.parametrize("device", [None, "eth0"])
@pytest.mark.parametrize("wildcard", ["0.0.0.0", "::"])
def test_of_many_addresses_the_right_one_speaks(
    wildcard: str, device: str | None, routes: list[Route] | None, system: System
) -> None:
    """What lies in the origin's network, answers it, or is deprecated, speaks for itself."""
    host = Host(MANY, system, routes=routes)
    binding = Binding(Endpoint(wildcard, 80), False, device, listening=True)
    for origin in (*PEERS, *NETWORKS, "10.2.0.9", "fd00:6::9", THIS_HOST, BEYOND, INTERNET, *MANY):
        check_together(binding, host, origin)


CALLS = {
    "bind()": ["socket", "bind"],
    "listen()": ["socket", "bind", "listen", "setsockopt"],
    "allocate()": ["socket", "bind", "getsockname"],
    "allocate('127.0.0.1', '::1')": [
        *("socket", "bind", "getsockname"),
        *("socket", "setsockopt", "bind"),
    ],
}


@LINUX
@pytest.mark.parametrize("call", CALLS)
def test_a_port_takes_as_many_system_calls_as_by_hand(call: str) -> None:
    """The second socket takes the calls that the first took: those that a program would make.

    There is no third one: strace makes them so slow that ports would be looked for.
    """
    if not os.path.exists("/usr/bin/strace"):
        pytest.skip("strace is not installed")
    code = (
        f"from bindlab.opening import *; kept = [{call}, {call}]; [each.close() for each in kept]"
    )
    run = subprocess.run(
        ["strace", "-f", "-e", "trace=network", sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert [line.partition("(")[0] for line in run.stderr.splitlines() if "(" in line] == (
        CALLS[call] * 2
    )
