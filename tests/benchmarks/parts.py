"""The parts of the benchmark, by name, in the order of the table."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from . import (
    asking,
    enumerating,
    holding,
    importing,
    memory,
    opening,
    people,
    racing,
    responding,
    waiting,
)
from .figures import Line
from .scale import Scale

__all__ = ["PARTS"]

PARTS: Final[Mapping[str, Callable[[Scale], Iterator[Line]]]] = {
    "import": importing.lines,
    "open": opening.lines,
    "hold": holding.lines,
    "race": racing.lines,
    "list": enumerating.lines,
    "ask": asking.lines,
    "wait": waiting.lines,
    "respond": responding.lines,
    "people": people.lines,
    "memory": memory.lines,
}
