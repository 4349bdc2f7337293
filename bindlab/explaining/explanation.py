"""The explanation as a value; text.py has the text that a person reads."""

from bindlab.binding import Binding
from bindlab.explaining.changes import Change
from bindlab.explaining.checks import Check
from bindlab.host import Host
from bindlab.reach import Candidate, Origin, Reach, Verdict
from bindlab.value import Value

__all__ = ["Explanation"]


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
        from bindlab.explaining.text import text_of  # not needed until somebody reads

        return text_of(self)
