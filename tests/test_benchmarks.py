"""The benchmarks still run, and say something about everything; how fast things are is no test."""

import pytest
from attempts import LINUX
from benchmarks.figures import HEAD, row
from benchmarks.parts import PARTS
from benchmarks.scale import TINY


@LINUX
@pytest.mark.parametrize("name", PARTS)
def test_each_part_yields_rows(name: str) -> None:
    """A part yields lines that have a figure of bindlab, more than nothing, and fit the table."""
    try:
        lines = list(PARTS[name](TINY))
    except OSError as error:
        pytest.skip(str(error))
    assert lines
    for line in lines:
        figures = [*line.ours.values(), *line.others.values()]
        assert line.ours
        assert all(0 <= each.low <= each.median <= each.high for each in figures)
        assert row(line).count("|") == HEAD.splitlines()[0].count("|")
