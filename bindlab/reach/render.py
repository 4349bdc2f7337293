"""Who gets in, as a person reads it: the answer in one line, then a table, then who does not.

Knows values only and prints nothing.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from bindlab.assumption import assuming
from bindlab.binding import Binding
from bindlab.endpoint import unmap
from bindlab.markup import html_table
from bindlab.page import INDENT, MOST, columns, listed, shorter, wrapped
from bindlab.printable import printable
from bindlab.reach.verdict import (
    BEYOND,
    HEADINGS,
    THIS_HOST,
    Candidate,
    Condition,
    Scope,
    Vantage,
    Verdict,
)

__all__ = ["answer", "bound_to", "markup", "table"]

_HEADINGS: Final = ("who", "opens", "also needed")
_NAME: Final = 36

# What is said beside who gets in. A firewall may always be in the way: the answer says that.
IN_SHORT: Final[Mapping[Condition, str]] = {
    Condition.FIREWALL: "",
    Condition.LINK_ISOLATION: "no client isolation",
    Condition.TAILNET: "the tailnet's rules",
    Condition.ROUTE_THERE: "a route to it",
    Condition.ROUTE_BACK: "a route back",
    Condition.GUEST: "its host forwards it",
    Condition.NAT: "a router forwards it",
    Condition.WEAK_HOST: "",
    Condition.PEER_ZONE: "its own zone after the %",
    Condition.DUAL_STACK: "IPV6_V6ONLY is off",
    Condition.ROUTE_LOCALNET: "route_localnet is on",
    Condition.LOCAL_ROUTE: "a local route",
    Condition.GROUP_MEMBERSHIP: "this machine is in the group",
    Condition.MULTICAST_ROUTING: "a multicast router",
    Condition.BROADCAST: "sent as a broadcast",
    Condition.REPLY_ADDRESS: "takes a reply from elsewhere",
    Condition.LOCATION: "it is on that network",
    Condition.L3MDEV_ACCEPT: "l3mdev_accept is on",
    Condition.VRF_PROGRAM: "a program in the VRF",
    Condition.OTHER_LINK: "sent by another link",
    Condition.SENT_BY_LOOPBACK: "sent by loopback",
}


def answer(rows: Sequence[Verdict], endpoints: Iterable[Candidate]) -> str:
    """Return one sentence: for whom the sockets of *rows* are open, and what these open.

    *endpoints* are what there is to dial, best first.
    """
    inside, *others = rows
    let_in = [row for row in others if row]
    if not let_in:
        if not inside:
            return f"Nobody can reach it: {inside.explanation}."
        at = f", at {inside.opens}" if inside.opens else ""
        return f"Private: only this machine can reach it{at}"
    if any(Condition.GUEST in row.conditions for row in let_in if row.origin is BEYOND):
        return "Open: others get in through the host of this machine, if it forwards the port."
    everywhere = ", to the internet too" if _is_open_to_all(let_in) else ""
    best = _best(let_in, endpoints)
    what = f"{_verb(best)} {best.opens}" if best else "can reach it"
    return f"Open{everywhere}: others {what}, if no firewall stops them."


def table(
    rows: Sequence[Verdict], background: Collection[str], width: int, hint: str | None
) -> list[str]:
    """Return a line for each way in, and a sentence for each reason why somebody is shut out.

    Networks of the interfaces *background*, and link-local ones, are counted in one line, which
    *hint* ends; ``None`` shows them all.
    """
    shown = [row for row in rows if hint is None or not _is_background(row, background)]
    folded = sum(map(bool, rows)) - sum(map(bool, shown))
    if folded == 1 or all(isinstance(row.origin, Vantage) for row in shown):
        shown, folded = list(rows), 0
    lines: list[str] = []
    if any(row for row in rows if row.origin is not THIS_HOST):
        cells = _merged([row for row in shown if row])
        is_plain = not any(needed for *_, needed in cells)
        lines += columns([_HEADINGS[:2] if is_plain else _HEADINGS, *cells], width, INDENT)
    if folded and lines:
        more = f"and {folded} more, by virtual interfaces or fe80::/64 ({hint} shows them)"
        lines += wrapped(more, width, INDENT)
    reasons = _reasons([row for row in shown if not row], is_everybody=not lines)
    if reasons and lines:
        lines.append("")
    for sentence in reasons:
        lines += wrapped(sentence, width, INDENT, f"{INDENT}  ")
    return lines


def bound_to(bindings: Sequence[Binding]) -> list[str]:
    """Return what *bindings* are, and which addresses a wildcard means, in sentences."""
    sentences = [f"Bound to {binding}{_meaning(binding)}." for binding in bindings[:MOST]]
    if more := len(bindings) - MOST:
        sentences += [f"And to {more} more."] if more > 0 else []
    return sentences


def markup(
    bindings: Sequence[Binding], rows: Sequence[Verdict], assumptions: Iterable[str] = ()
) -> str:
    """Return a table of all *rows* as HTML, with links to what they open."""
    cells = (row.cells for row in rows)
    notes = (assuming([note]) for note in dict.fromkeys(assumptions))
    urls = {url for row in rows for url in row.urls()}
    return html_table(bound_to(bindings), HEADINGS, cells, notes, urls)


def _verb(row: Verdict) -> str:
    return "send to" if row.endpoints[0].transport == "udp" else "open"


def _is_open_to_all(rows: Iterable[Verdict]) -> bool:
    return any(row.origin is Vantage.INTERNET and row.opens for row in rows)


def _best(rows: Sequence[Verdict], endpoints: Iterable[Candidate]) -> Verdict | None:
    """Return the row whose first endpoint is the likeliest of *endpoints*."""
    for endpoint in endpoints:
        for row in rows:
            if row.opens and row.endpoints[0] == endpoint and endpoint.audience > Scope.HOST:
                return row
    return None


def _is_background(row: Verdict, background: Collection[str]) -> bool:
    if isinstance(row.origin, Vantage):
        return False
    return row.interface in background or str(row.origin).startswith("fe80:")


def _merged(rows: Iterable[Verdict]) -> list[tuple[str, str, str]]:
    """Return the cells of *rows*; those that say the same are one."""
    same: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        needed = ", ".join(filter(None, (IN_SHORT[each] for each in row.conditions)))
        needed = needed.replace("a route to it, a route back", "a route to it and back")
        same.setdefault((row.opens or "-", needed), []).append(shorter(row.who, _NAME))
    return [
        (listed(who, 1 if len(who) > 2 else 2), opens, needed)
        for (opens, needed), who in same.items()
    ]


def _reasons(rows: Iterable[Verdict], is_everybody: bool) -> list[str]:
    """Return a sentence for each reason why some are shut out."""
    same: dict[str, list[str]] = {}
    for row in rows:
        same.setdefault(row.explanation, []).append(shorter(row.who, _NAME))
    if is_everybody and len(same) == 1:
        return [f"Nobody else can: {reason}." for reason in same]
    return [f"Shut out: {listed(who)}: {reason}." for reason, who in same.items()]


def _meaning(binding: Binding) -> str:
    ip = binding.endpoint.ip
    if not binding.endpoint.is_unspecified:
        return ""
    family = {True: "IPv4 ", False: "IPv6 " if binding.v6only else ""}[unmap(ip).version == 4]
    by = f" by {printable(binding.device, _NAME)}" if binding.device else ""
    return f": every {family}address of this machine{by}"
