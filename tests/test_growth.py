"""What grows with a machine, and how fast: exact numbers of calls, no time.

``python -m tests.benchmarks`` says what things cost.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import pytest
from attempts import LATE, LINUX
from benchmarks.on_paper import LAYOUTS, host_with

import bindlab
from bindlab import BEYOND, THIS_HOST, Host, Route, listen, reachable_from
from bindlab.linux import routes
from bindlab.linux.rules import Lookup
from bindlab.reach import Origin

PACKAGE = str(Path(bindlab.__file__).parent)
FEW, MANY = 50, 200  # networks
NEIGHBOUR, BEYOND_ALL, OTHER_FAMILY = "10.0.0.77", "8.8.8.8", "2a00:1::1"
TARGET = "0.0.0.0:80"
LAPTOP = Host.of(
    lo=["127.0.0.1/8", "::1/128"],
    wifi=["192.168.0.102/24", "fe80::2/64", "2a00:1::2/64"],
    eth=["10.0.0.12/24", "fe80::3/64"],
    docker0="172.17.0.1/16",
)


class Walk(NamedTuple):
    """What a call entered inside the package."""

    calls: int
    files: set[str]


def walk(call: Callable[[], object]) -> Walk:
    """Return how many functions of bindlab *call* calls, and in which of its files."""
    entered: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            entered.append(frame.f_code.co_filename)

    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
    return Walk(len(entered), set(entered))


@pytest.mark.parametrize("bound", ["127.0.0.1:3000", "0.0.0.0:3000", "[::]:3000"])
def test_a_first_verdict_is_a_short_walk(bound: str) -> None:
    """A reader who follows a first verdict passes few calls, in few files."""
    reachable_from(bound, host=LAPTOP).verdict("192.168.0.50")  # what is imported late is there
    reach = reachable_from(bound, host=LAPTOP)
    found = walk(lambda: reach.verdict("192.168.0.50"))
    assert found.calls < 150
    assert len(found.files) < 10, sorted(found.files)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "origin", [NEIGHBOUR, BEYOND_ALL, OTHER_FAMILY, "10.0.0.0/24", THIS_HOST, BEYOND], ids=str
)
def test_a_first_verdict_grows_no_faster_than_the_networks(
    layout: str, origin: Origin | str
) -> None:
    """Four times the networks take at most about four times the calls, wherever they are."""
    few, many = (
        walk(lambda n=n: reachable_from(TARGET, host=host_with(n, layout)).verdict(origin)).calls
        for n in (FEW, MANY)
    )
    assert many < few * MANY / FEW * 1.2


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_table_grows_no_faster_than_the_networks(layout: str) -> None:
    """Each network has its row, and a row costs the same among few and many."""
    few, many = (
        walk(lambda n=n: reachable_from(TARGET, host=host_with(n, layout)).rows).calls
        for n in (FEW, MANY)
    )
    assert many < few * MANY / FEW * 1.2


def test_a_second_question_is_remembered_and_not_for_ever() -> None:
    """An answer is kept, so that asking again judges nothing, and the memory has a bound."""
    reach = reachable_from(TARGET, host=LAPTOP)
    first = reach.verdict("192.168.0.50")
    assert reach.verdict("192.168.0.50") is first
    for number in range(3000):
        reach.verdict(f"8.8.{number >> 8}.{number & 255}")
    assert len(reach._verdicts) <= 1000


def test_reading_routes_grows_no_faster_than_the_routes() -> None:
    """Four times the lines of a table take at most about four times the calls."""
    lookups = [Lookup(254, suppressed=0), Lookup(254)]  # as a VPN has them
    few, many = (
        walk(lambda n=n: list(routes._in_order(_lines(n), lookups))).calls for n in (FEW, MANY)
    )
    assert many < few * MANY / FEW * 1.2


def _lines(number: int) -> list[routes._Line]:
    return [routes._Line(254, away=[Route(f"10.0.{n}.0/24")]) for n in range(number)]


@LINUX
def test_listening_is_a_short_walk() -> None:
    """Whoever follows listen() reads three files."""
    listen().close()
    found = walk(lambda: listen().close())
    assert found.calls < 10
    assert len(found.files) == 3, sorted(found.files)


CALLS = {
    "bind()": ["socket", "bind"],
    "listen()": ["socket", "bind", "listen", "setsockopt"],
    "allocate()": ["socket", "bind", "getsockname"],
    "allocate('127.0.0.1', '::1')": [
        *("socket", "bind", "getsockname"),
        *("socket", "setsockopt", "bind"),
    ],
}


@LATE
@LINUX
@pytest.mark.parametrize("call", CALLS)
def test_a_port_takes_as_many_system_calls_as_by_hand(call: str) -> None:
    """Each socket takes the calls that a program would make; the first, once, asks what is special.

    What the kernel does with options that are set late is tried once in a process.
    """
    if not os.path.exists("/usr/bin/strace"):
        pytest.skip("strace is not installed")
    kept = f"kept = [{call}, {call}, {call}]"
    code = f"from bindlab.opening import *; {kept}; [each.close() for each in kept]"
    run = subprocess.run(
        ["strace", "-f", "-e", "trace=network", sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
    )
    made = [line.partition("(")[0] for line in run.stderr.splitlines() if "(" in line]
    expected = CALLS[call] * 2
    assert made[-len(expected) :] == expected
