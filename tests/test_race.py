"""No port is lost between allocate() and listen(), whoever else takes ports meanwhile."""

import pytest
from attempts import LINUX
from benchmarks import race


def lost_in(name: str, claims: int) -> tuple[int, int, int]:
    try:
        result = race.run(name, claims)
    except OSError as error:
        pytest.skip(str(error))
    assert result.claims >= claims
    return result.lost, result.duplicates, result.refused


@LINUX
@pytest.mark.parametrize("name", ["bindlab", "bindlab-lent"])
def test_nothing_is_lost_in_a_short_race(name: str) -> None:
    """8 processes, 25 ports each, outgoing connections as noise, 1,000 ports (hard case 1)."""
    assert lost_in(name, 4000) == (0, 0, 0)


@LINUX
@pytest.mark.slow
@pytest.mark.parametrize("name", ["bindlab", "bindlab-lent"])
def test_nothing_is_lost_in_a_long_race(name: str) -> None:
    """The same with 40,000 claims; benchmarks/race.py shows others in the same race."""
    assert lost_in(name, 40_000) == (0, 0, 0)
