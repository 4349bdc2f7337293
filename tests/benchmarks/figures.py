"""What was measured, as values and as the rows of a Markdown table."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

__all__ = ["HEAD", "Figure", "Line", "amount", "row"]

HEAD = """\
| | 1 is | bindlab | goal | others |
|---|---|---|---|---|"""


class Figure(NamedTuple):
    """A multiple of the line's unit: the median of all rounds, and the quartiles around it."""

    median: float
    low: float
    high: float
    remark: str = ""


class Line(NamedTuple):
    """One row: what was done, what counts as 1, what bindlab and others took for it."""

    what: str
    unit: str
    ours: Mapping[str, Figure]
    goal: str = ""
    others: Mapping[str, Figure] = {}


def row(line: Line) -> str:
    """Return *line* as a row of the table that :data:`HEAD` begins."""
    others = " · ".join(_cell(name, figure, spread=False) for name, figure in line.others.items())
    ours = " · ".join(_cell(name, figure, spread=True) for name, figure in line.ours.items())
    return "| " + " | ".join([line.what, line.unit, ours, line.goal, others or "-"]) + " |"


def amount(seconds: float) -> str:
    """Return a length of time with two figures and its unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{_short(seconds / size)} {unit}"
    return f"{_short(seconds / 1e-9)} ns"


def names(lines: Iterable[Line]) -> set[str]:
    """Return who was measured."""
    return {name for line in lines for name in (*line.ours, *line.others)}


def _cell(name: str, figure: Figure, *, spread: bool) -> str:
    text = f"**{_short(figure.median)}**" if spread else _short(figure.median)
    if spread and _short(figure.low) != _short(figure.high):
        text += f" ({_short(figure.low)}-{_short(figure.high)})"
    return " ".join(filter(None, [name, text, figure.remark]))


def _short(number: float) -> str:
    digits = 2 if number < 2 else 1 if number < 20 else 0
    return f"{number:,.{digits}f}"
