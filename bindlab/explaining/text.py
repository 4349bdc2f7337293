"""An explanation as the text that a person reads."""

import textwrap
from collections.abc import Iterable, Iterator

from bindlab.explaining.explanation import Explanation
from bindlab.reach import Answer, Verdict

__all__ = ["text_of"]

_PAGE = 100


def text_of(found: Explanation) -> str:
    """Return *found* as text: what is certain, what to do, what to check."""
    return "\n".join(_lines(found))


def _lines(found: Explanation) -> Iterator[str]:
    answer = [] if found.origin is None or found.verdict is None else [_answer(found.verdict)]
    detour = [f"it gets in {found.verdict.explanation}"] if found.verdict and found.changes else []
    yield from ["What is certain:", *_wrapped("- ", [*found.certain, *answer, *detour])]
    if found.origin is None and found.bindings:
        yield from ["", str(found.reach)]
    changes = map(str, found.changes)
    to_do = [*(f"or {one}" if n else one for n, one in enumerate(changes)), *found.remedies]
    if to_do:
        who = "others" if found.origin is None else "it"
        serve = "To let {who} in" if found.bindings else "For {who} to get in, once a server runs"
        purpose = "For a direct way" if found.dial else serve.format(who=who)
        yield from ["", f"{purpose}:", *_wrapped("- ", to_do)]
    if found.checks:
        after = "Then check" if to_do else "Check"
        yield from ["", f"{after}, the likeliest first:", *_wrapped("- ", found.checks)]
    if found.verdict is not None and found.verdict.assumptions:
        notes = [f"assumed: {note}" for note in found.verdict.assumptions]
        yield from ["", *_wrapped("", notes)]


def _answer(verdict: Verdict) -> str:
    if verdict.answer is Answer.NO:
        return f"{verdict.who} cannot reach it: {verdict.explanation}"
    at = f" at {verdict.opens} ({verdict.endpoints[0].reason})" if verdict.opens else ""
    if verdict.answer is Answer.YES:
        return f"{verdict.who} can reach it{at}, unless a firewall here keeps it from itself"
    return f"nothing here shuts {verdict.who} out{at}"


def _wrapped(mark: str, sentences: Iterable[object]) -> Iterator[str]:
    for sentence in sentences:
        yield from textwrap.wrap(
            f"{mark}{sentence}",
            _PAGE,
            subsequent_indent=" " * len(mark),
            break_long_words=False,
            break_on_hyphens=False,
        )
