"""An explanation as the text that a person reads."""

import textwrap
from collections.abc import Collection, Iterable, Iterator

from bindlab.explaining.changes import Remedy
from bindlab.explaining.explanation import Explanation
from bindlab.reach import BEYOND, INTERNET, Answer, Condition, Vantage, Verdict

__all__ = ["text_of"]

_PAGE = 100


def text_of(found: Explanation) -> str:
    """Return *found* as text: what is certain, what to do, what to check."""
    return "\n".join(_lines(found))


def _lines(found: Explanation) -> Iterator[str]:
    answer = [] if found.origin is None or found.verdict is None else [_answer(found.verdict)]
    detour = [f"it gets in {found.verdict.explanation}"] if found.verdict and found.remedies else []
    yield from ["What is certain:", *_wrapped("- ", [*found.certain, *answer, *detour])]
    if found.origin is None and found.bindings:
        yield from ["", str(found.reach)]
    remedies = (_remedy(found, remedy) for remedy in found.remedies)
    to_do = [f"or {text}" if number else text for number, text in enumerate(remedies)]
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


def _remedy(found: Explanation, remedy: Remedy) -> str:
    """Return *remedy* in words, and who gets in with it, if something else is bound."""
    if remedy.bind is None:
        return str(remedy)
    return f"{remedy}; that lets in {_audience(found.lets_in(remedy))}"


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


def _audience(rows: Collection[Verdict]) -> str:
    by_detour = [row for row in rows if Condition.WEAK_HOST in row.conditions]
    straight = [row for row in rows if row not in by_detour]
    words = [row.who for row in straight if not isinstance(row.origin, Vantage)]
    words[:1] = [f"everyone on {word}" for word in words[:1]]
    vantages = {row.origin for row in straight}
    if BEYOND in vantages:
        words.append("other networks through a router")
    if INTERNET in vantages:
        words.append("the internet")
    networks = [row.who for row in by_detour if not isinstance(row.origin, Vantage)]
    if networks:
        words.append(f"whoever on {', '.join(networks)} has a route to it")
    return ", ".join(words[:-1]) + (" and " if words[1:] else "") + words[-1] if words else "nobody"
