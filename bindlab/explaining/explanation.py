"""The explanation as a value; text.py has the text that a person reads."""

from bindlab.assumption import assumption_documents
from bindlab.binding import Binding
from bindlab.explaining.changes import Remedy
from bindlab.explaining.checks import Check
from bindlab.host import Host
from bindlab.markup import html_text
from bindlab.printable import printable
from bindlab.reach import THIS_HOST, Candidate, Condition, Origin, Reach, Verdict
from bindlab.value import Value

__all__ = ["Explanation"]


class Explanation(Value):
    """Why an origin can or cannot reach a socket of a machine, and what to do about it.

    - *bindings*: what listens; empty where nothing does.
    - *origin*, *verdict*: who was asked about, and the answer; ``None`` where nobody was, or
      nothing listens.
    - *certain*: in sentences, what is known from here.
    - *remedies*: sets of changes, each of which is enough to let the origin in, the smallest
      first; empty where it is let in, and where nothing that is changed here is enough.
    - *checks*: what nobody can know from here, the likeliest first.
    - *host*: the machine, as it was; *assumptions*: what was taken for granted.
    - *trouble*: what is wrong with the server itself, which goes before all else: a port that
      accepts and closes at once; "" where nothing is known to be.

    True unless the origin is shut out for certain, or nothing listens.
    """

    bindings: tuple[Binding, ...]
    origin: Origin | None
    verdict: Verdict | None
    certain: tuple[str, ...]
    remedies: tuple[Remedy, ...]
    checks: tuple[Check, ...]
    host: Host
    assumptions: tuple[str, ...]
    trouble: str = ""

    @property
    def reach(self) -> Reach:
        """Who can reach what listens; a ``ValueError`` where nothing does."""
        return Reach(self.bindings, self.host, self.assumptions)

    @property
    def dial(self) -> tuple[Candidate, ...]:
        """What the origin dials, best first; empty where it is shut out.

        Empty too where it has to dial the host of a guest, whose address nobody knows here.
        """
        if self.verdict is None or Condition.GUEST in self.verdict.conditions:
            return ()
        return self.verdict.endpoints

    def lets_in(self, remedy: Remedy) -> tuple[Verdict, ...]:
        """Return who else is let in by *remedy*: a verdict for each network, beyond and internet.

        Only a firewall, a router, the link or a missing route may stop a machine there then.
        """
        rows = remedy.apply(self.bindings, self.host).rows
        return tuple(
            row
            for row in rows
            if row and row.origin is not THIS_HOST and Condition.NAT not in row.conditions
        )

    def to_document(self) -> dict[str, object]:
        """Return this explanation as what JSON can hold, section by section."""
        return {
            "kind": "explanation",
            "summary": self.answer,
            "bindings": [str(binding) for binding in self.bindings],
            "verdict": None if self.verdict is None else self.verdict.to_document(),
            "table": self.reach.to_document() if self.bindings else None,
            "trouble": self.trouble,
            "certain": list(self.certain),
            "remedies": [
                {
                    "changes": [str(change) for change in remedy.changes],
                    "bind": None if remedy.bind is None else str(remedy.bind),
                    "dial": None if remedy.dial is None else remedy.dial.to_document(),
                    "text": str(remedy),
                }
                for remedy in self.remedies
            ],
            "checks": [
                {"code": check.code, "text": check.sentence, "source": check.source or None}
                for check in self.checks
            ],
            "assumptions": assumption_documents(self.assumptions),
        }

    def __bool__(self) -> bool:
        return bool(self.bindings) and (self.verdict is None or bool(self.verdict))

    @property
    def answer(self) -> str:
        """Yes, maybe or no, for whom, and the one thing to open or to do, in a sentence."""
        from bindlab.explaining.text import answer_of

        return answer_of(self)

    @property
    def to_do(self) -> str:
        """What to do in a few words, such as "bind 192.168.0.102 or 0.0.0.0"; "" for nothing."""
        from bindlab.explaining.text import shortly

        return shortly(self.remedies) if self.remedies else ""

    def __repr__(self) -> str:
        from bindlab.explaining.text import answer_of

        return f"<Explanation: {printable(answer_of(self))}>"

    def _repr_html_(self) -> str:
        to_dial = [*self.dial, *(remedy.dial for remedy in self.remedies)]
        urls = {each.url() for each in to_dial if each is not None and each.has_url}
        if self.bindings:
            urls |= {url for row in self.reach.rows for url in row.urls()}
        return html_text(str(self), urls)

    def text(
        self, *, width: int | None = None, unfolded: bool = False, hint: str = "unfolded=True"
    ) -> str:
        """Return the answer, then why, what to do, and what to check: as :meth:`Reach.text`."""
        from bindlab.explaining.text import text_of  # not needed until somebody reads

        return text_of(self, width, unfolded, hint)

    def __str__(self) -> str:
        return self.text()
