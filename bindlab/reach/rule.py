"""One rule: a word of the answer, and when it is said."""

from collections.abc import Callable
from typing import Generic, TypeVar

from bindlab.reach.path import Path
from bindlab.reach.verdict import Condition, Reason
from bindlab.value import Value

Word = TypeVar("Word", Reason, Condition)


class Rule(Value, Generic[Word]):
    """A word of the answer, the fact for which it is said, and the sentence that says it.

    *reads* names the host's setting that decides the fact, where one does.
    """

    word: Word
    holds: Callable[[Path], object]
    sentence: str
    reads: str = ""
