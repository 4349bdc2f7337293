"""An explanation as the text that a person reads: the answer, why, what to do, what to check."""

from collections.abc import Iterator, Sequence

from bindlab.assumption import assuming
from bindlab.explaining.changes import Remedy
from bindlab.explaining.explanation import Explanation
from bindlab.interface import Interface
from bindlab.page import indented, listed, page_width, wrapped
from bindlab.reach import BEYOND, INTERNET, Answer, Condition, Scope, Vantage, Verdict, ranked

__all__ = ["answer_of", "shortly", "text_of"]

_CHECKS = 5  # that are shown; more are counted


def text_of(found: Explanation, width: int | None, unfolded: bool, hint: str) -> str:
    """Return *found* as text of *width* columns, the answer in its first line."""
    columns = page_width() if width is None else width
    is_table = found.origin is None and bool(found.bindings)
    table = found.reach.table(width=columns, unfolded=unfolded, hint=hint) if is_table else ""
    verdict = found.verdict
    assumptions = found.assumptions if verdict is None else verdict.assumptions
    parts = [
        wrapped(answer_of(found), columns),
        indented(_why(found), columns),
        table.splitlines(),
        [line for sentence in _to_do(found) for line in wrapped(sentence, columns)],
        _checks(found, columns, None if unfolded else hint),
        wrapped(assuming(assumptions), columns),
    ]
    return "\n\n".join("\n".join(part) for part in parts if any(part))


def answer_of(found: Explanation) -> str:
    """Return yes, maybe or no, for whom, and the one thing to open or to do, in a sentence."""
    verdict = found.verdict
    if not found.bindings:
        no = "No: " if found.origin is not None else ""
        return _sentence(no + (found.certain[0] if no else _capital(found.certain[0])))
    if found.trouble:
        return _sentence(_capital(found.trouble))
    if verdict is None:
        return found.reach.answer
    who, opens = _who(verdict), verdict.opens
    if verdict.answer is Answer.NO:
        do = f" To let it in, {shortly(found.remedies)}." if found.remedies else ""
        return f"No: {who} cannot reach it.{do}"
    if verdict.answer is Answer.YES:
        return f"Yes: {who} opens {opens}" if opens else f"Yes: {who} can reach it."
    if found.remedies and not opens:
        return f"Maybe: {who} can reach it. For that, {shortly(found.remedies)}."
    if not opens and not found.dial:
        return f"Maybe: {who} can reach it, if the machine that runs this one passes it on."
    if not opens:
        return f"Maybe: {who} reaches it, if a router forwards a port to {found.dial[0]}."
    verb = "sends to" if verdict.endpoints[0].transport == "udp" else "opens"
    return f"Maybe: {who} {verb} {opens}, if no firewall stops it."


def _who(verdict: Verdict) -> str:
    """Return who was asked about, without the interface: that is in the reasons."""
    has_name = isinstance(verdict.origin, Vantage | Interface)
    return verdict.who if has_name else str(verdict.origin)


def shortly(remedies: Sequence[Remedy]) -> str:
    """Return what to do in a few words: the first remedy, or all that only bind an address."""
    first = remedies[0]
    bound = [str(one.changes[0]) for one in remedies if one.bind and len(one.changes) == 1]
    if len(bound) == len(remedies) > 1:
        return " or ".join([bound[0], *(text.removeprefix("bind ") for text in bound[1:])])
    return listed([*map(str, first.changes), *filter(None, [first.forward])])


def _why(found: Explanation) -> Iterator[str]:
    verdict = found.verdict
    if verdict is not None:
        if not verdict or found.remedies:
            yield _sentence(verdict.explanation)
        elif verdict.opens:
            best = verdict.endpoints[0]
            yield _sentence(f"{best.ip} is {best.reason}".replace(f"%{best.interface}", ""))
        if verdict.answer is Answer.YES:
            yield "Only a firewall on this machine could stop it."
    named = {f"the socket is bound to {binding}" for binding in found.bindings}
    if (
        named.intersection(found.certain)
        and found.origin is None
        and found.reach.scope > Scope.HOST
    ):
        yield from found.reach.bound
    for sentence in found.certain if found.bindings else found.certain[1:]:
        if sentence not in named:
            yield _sentence(sentence)


def _to_do(found: Explanation) -> Iterator[str]:
    who = "others" if found.origin is None else "it"
    purpose = "Do this" if found.verdict is not None and found.bindings else f"To let {who} in"
    if not found.bindings:
        purpose = f"Once a server runs, to let {who} in"
    elif found.dial:
        purpose = "For a direct way"
    for number, remedy in enumerate(found.remedies):
        lets_in = f" That lets in {_audience(found, remedy)}." if remedy.bind else ""
        yield f"{'Or' if number else purpose}: {remedy}.{lets_in}"


def _checks(found: Explanation, width: int, hint: str | None) -> list[str]:
    """Return the checks as a list; only the first where nobody in particular was asked about.

    The last of many are counted, if *hint* says how to see them.
    """
    checks = [str(check) for check in found.checks]
    is_sure = found.verdict is not None and found.verdict.answer is Answer.YES
    if not checks or (is_sure and len(checks) == 1):
        return []
    if found.origin is None and found.bindings:
        if found.remedies:
            return []
        return wrapped(f"If it does not open elsewhere, check {checks[0]}", width)
    lines = [f"{'Then check' if found.remedies else 'Check'}, the likeliest first:"]
    shown = checks if hint is None or len(checks) <= _CHECKS + 1 else checks[:_CHECKS]
    for number, check in enumerate(shown, start=1):
        lines += wrapped(check, width, f"{number:3}. ")
    if more := len(checks) - len(shown):
        lines.append(f"  and {more} more ({hint} shows them)")
    return lines


def _audience(found: Explanation, remedy: Remedy) -> str:
    """Return who is let in by *remedy*, in words."""
    rows = found.lets_in(remedy)
    if remedy.bind is not None and remedy.bind.is_unspecified:
        family = "IPv4 " if remedy.bind.ip.version == 4 else ""
        too = (
            ", the internet too"
            if any(row.origin is INTERNET and row.opens for row in rows)
            else ""
        )
        return f"every {family}network{too}"
    background = {rank.name for _, rank in ranked(found.host) if rank.is_virtual}
    origins = [row.origin for row in rows]
    words = [
        f"everyone on {row.who}"
        for row in rows
        if not isinstance(row.origin, Vantage)
        and Condition.WEAK_HOST not in row.conditions
        and not str(row.origin).startswith("fe80:")
        and row.interface not in background
    ]
    if INTERNET in origins:
        words.append("the internet")
    elif BEYOND in origins or any(Condition.WEAK_HOST in row.conditions for row in rows):
        words.append("everyone who has a route to it")
    return listed(words) or "nobody else"


def _sentence(clause: str) -> str:
    """Return *clause* as a sentence, if it does not begin with an address or a name."""
    begins_with_it = clause.startswith(("it ", "this ", "the ", "yet ", "no ", "nothing "))
    return f"{_capital(clause) if begins_with_it else clause}."


def _capital(clause: str) -> str:
    return clause[:1].upper() + clause[1:]
