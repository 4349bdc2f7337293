"""Tests side by side, each with a server and a client of its own: nobody meets another."""

from collections import Counter

import pytest
from attempts import LINUX
from lab_home import needs_lab
from parallel_run import OURS, SMALL, Fixture, run

pytestmark = pytest.mark.slow


@LINUX
@needs_lab
@pytest.mark.parametrize("fixture", OURS, ids=lambda fixture: fixture.name)
def test_no_collision_in_a_thousand_tests(fixture: Fixture) -> None:
    """8 workers, 1,000 ports; ``python -m tests.parallel_run`` shows others in the same run."""
    outcome = run(fixture, tests=1000, workers=8, work=0.01, ports=SMALL)
    assert outcome[:3] == (1000, 0, Counter())


def test_a_collision_is_seen() -> None:
    """A fixture whose port is somebody else's collides in each test."""
    taken = Fixture("bindlab", "refused_port", 'socket.create_server(("127.0.0.1", {name}))')
    assert run(taken, tests=4, workers=2, work=0)[:3] == (4, 4, Counter())


def test_what_is_no_collision_is_told_apart() -> None:
    """A test that fails for another reason is not counted as a collision, nor passed over."""
    broken = Fixture("bindlab", "listening_socket", "1 / 0 or {name}")
    outcome = run(broken, tests=4, workers=2, work=0)
    assert outcome[:3] == (4, 0, Counter({"ZeroDivisionError: division by zero": 4}))
