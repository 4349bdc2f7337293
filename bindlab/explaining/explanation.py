"""The explanation as a value, and as the text that a person reads."""

from collections.abc import Iterable, Iterator

from bindlab.binding import Binding
from bindlab.explaining.changes import Change
from bindlab.explaining.checks import Check
from bindlab.host import Host
from bindlab.reach import Answer, Candidate, Origin, Reach, Verdict
from bindlab.value import Value

__all__ = ["Explanation"]

_PAGE = 100


class Explanation(Value):
    """Why an origin can or cannot reach a socket of a machine, and what to do about it.

    - *bindings*: what listens; empty where nothing does.
    - *origin*, *verdict*: who was asked about, and the answer; ``None`` where nobody was, or
      nothing listens.
    - *certain*: in sentences, what is known from here.
    - *changes*: what to bind instead so that the origin gets in; empty where it is let in.
    - *remedies*: what else to do on this machine.
    - *checks*: what nobody can know from here, the likeliest first.
    - *host*: the machine, as it was; *assumptions*: what was taken for granted.

    True unless the origin is shut out for certain, or nothing listens.
    """

    bindings: tuple[Binding, ...]
    origin: Origin | None
    verdict: Verdict | None
    certain: tuple[str, ...]
    changes: tuple[Change, ...]
    remedies: tuple[str, ...]
    checks: tuple[Check, ...]
    host: Host
    assumptions: tuple[str, ...]

    @property
    def reach(self) -> Reach:
        """Who can reach what listens; a ``ValueError`` where nothing does."""
        return Reach(self.bindings, self.host, self.assumptions)

    @property
    def dial(self) -> tuple[Candidate, ...]:
        """What the origin dials, best first; empty where it is shut out."""
        return self.verdict.endpoints if self.verdict is not None else ()

    def to_document(self) -> dict[str, object]:
        """Return this explanation as what JSON can hold, section by section."""
        return {
            "bindings": [str(binding) for binding in self.bindings],
            "verdict": None if self.verdict is None else self.verdict.to_document(),
            "certain": list(self.certain),
            "changes": [
                {
                    "bind": str(change.bind),
                    "dial": change.dial.to_document(),
                    "text": str(change),
                }
                for change in self.changes
            ],
            "remedies": list(self.remedies),
            "checks": [str(check) for check in self.checks],
            "assumptions": list(self.assumptions),
        }

    def __bool__(self) -> bool:
        return bool(self.bindings) and (self.verdict is None or bool(self.verdict))

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        answer = [] if self.origin is None or self.verdict is None else [_answer(self.verdict)]
        detour = [f"it gets in {self.verdict.explanation}"] if self.verdict and self.changes else []
        yield from ["What is certain:", *_wrapped("- ", [*self.certain, *answer, *detour])]
        if self.origin is None and self.bindings:
            yield from ["", str(self.reach)]
        changes = map(str, self.changes)
        to_do = [*(f"or {one}" if n else one for n, one in enumerate(changes)), *self.remedies]
        if to_do:
            who = "others" if self.origin is None else "it"
            serve = (
                "To let {who} in" if self.bindings else "For {who} to get in, once a server runs"
            )
            purpose = "For a direct way" if self.dial else serve.format(who=who)
            yield from ["", f"{purpose}:", *_wrapped("- ", to_do)]
        if self.checks:
            after = "Then check" if to_do else "Check"
            yield from ["", f"{after}, the likeliest first:", *_wrapped("- ", self.checks)]
        if self.verdict is not None and self.verdict.assumptions:
            notes = [f"assumed: {note}" for note in self.verdict.assumptions]
            yield from ["", *_wrapped("", notes)]


def _answer(verdict: Verdict) -> str:
    if verdict.answer is Answer.NO:
        return f"{verdict.who} cannot reach it: {verdict.explanation}"
    at = f" at {verdict.opens} ({verdict.endpoints[0].reason})" if verdict.opens else ""
    if verdict.answer is Answer.YES:
        return f"{verdict.who} can reach it{at}, unless a firewall here keeps it from itself"
    return f"nothing here shuts {verdict.who} out{at}"


def _wrapped(mark: str, sentences: Iterable[object]) -> Iterator[str]:
    import textwrap  # not needed until somebody reads

    for sentence in sentences:
        yield from textwrap.wrap(
            f"{mark}{sentence}",
            _PAGE,
            subsequent_indent=" " * len(mark),
            break_long_words=False,
            break_on_hyphens=False,
        )
