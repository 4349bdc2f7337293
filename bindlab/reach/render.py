"""Bindings and verdicts as a person reads them: a table, and a picture in plain text.

Knows values only and prints nothing. ASCII throughout, so that it looks the same in a log,
a terminal and an issue; wide characters in interface names are counted as two columns.
"""

import unicodedata
from collections.abc import Iterable, Sequence

from bindlab.binding import Binding
from bindlab.endpoint import address_text, parse_address, unmap
from bindlab.host import Host
from bindlab.interface import Interface
from bindlab.printable import printable
from bindlab.reach.markup import html_table
from bindlab.reach.verdict import (
    HEADINGS,
    THIS_HOST,
    Answer,
    Condition,
    Vantage,
    Verdict,
    assumed,
)

__all__ = ["diagram", "markup", "table"]

_PAGE, _NARROWEST = 120, 40
_LONGEST_NAME = 40  # of an interface, in the picture
_ARROWS = {Answer.YES: "<----", Answer.CONDITIONAL: "<-?--", Answer.NO: "  x--"}
_LEGEND = "<---- gets in   <-?-- gets in if its conditions hold   x-- is shut out for certain"


def table(
    bindings: Sequence[Binding], rows: Sequence[Verdict], assumptions: Iterable[str] = ()
) -> str:
    """Return one line for each vantage point: its answer, what it would open, and why."""
    import textwrap  # not needed until somebody reads

    cells = [HEADINGS, *(row.cells for row in rows)]
    widths = [max(_width(line[column]) for line in cells) for column in range(3)]
    room = max(_NARROWEST, _PAGE - sum(widths) - 2 * len(widths))
    lines = [*map(_headline, bindings), ""]
    for *left, why in cells:
        first, *rest = textwrap.wrap(why, room) or [""]
        padded = [_pad(cell, width) for cell, width in zip(left, widths, strict=True)]
        lines.append("  ".join([*padded, first]).rstrip())
        indent = " " * (sum(widths) + 2 * len(widths))
        lines.extend(indent + line for line in rest)
    if notes := _notes(rows, assumptions):
        lines.extend(["", *notes])
    return "\n".join(lines)


def markup(
    bindings: Sequence[Binding], rows: Sequence[Verdict], assumptions: Iterable[str] = ()
) -> str:
    """Return the same as HTML."""
    cells = (row.cells for row in rows)
    return html_table(map(_headline, bindings), HEADINGS, cells, _notes(rows, assumptions))


def diagram(host: Host, bindings: Sequence[Binding], rows: Sequence[Verdict]) -> str:
    """Return the machine as a box, its addresses at the wall, and who gets in by each."""
    at_link = {(row.interface, row.origin): row for row in rows}
    vantages = [row for row in rows if isinstance(row.origin, Vantage)]
    entries: list[tuple[str, str, str]] = []  # interface, address, who comes by it
    for interface in host.interfaces:
        name = printable(interface.display_name, _LONGEST_NAME) + _state(interface)
        for address in interface.addresses:
            guest = at_link.get((interface.display_name, address.network))
            if interface.holds_loopback and vantages and _comes_by(vantages[0], interface):
                guest = vantages.pop(0)
            entries.append((name, address_text(parse_address(address)), _guest(guest)))
            name = ""
        if name:
            entries.append((name, "no address", ""))
    column = max((_width(name) for name, _, _ in entries), default=0)
    doors = [f"  {_pad(name, column)}  {address}" for name, address, _ in entries]
    header = [*(f"  {_headline(binding)}" for binding in bindings), ""]
    width = max(map(_width, [*header, *doors, "  -- this machine --"])) + 2
    wall = " " * (width + 2)
    return "\n".join(
        [
            f"+-- this machine {'-' * (width - 16)}+",
            *(f"|{_pad(line, width)}|" for line in header),
            *(
                f"|{_pad(door, width)}|{guest}"
                for door, (_, _, guest) in zip(doors, entries, strict=True)
            ),
            f"+{'-' * width}+",
            *(wall + _guest(row) for row in vantages),
            "",
            _LEGEND,
        ]
    )


def _notes(rows: Sequence[Verdict], assumptions: Iterable[str]) -> list[str]:
    every = [*assumptions, *(note for row in rows for note in row.assumptions)]
    return [*map(assumed, dict.fromkeys(every))]


def _headline(binding: Binding) -> str:
    ip = binding.endpoint.ip
    if not binding.endpoint.is_unspecified:
        meaning = ""
    elif unmap(ip).version == 4:
        meaning = ": every IPv4 address of this machine"
    elif binding.v6only:
        meaning = ": every IPv6 address of this machine"
    else:
        meaning = ": every address of this machine"
    if meaning and binding.device:
        meaning += f" by {printable(binding.device)}"
    return f"bound to {binding}{meaning}"


def _comes_by(row: Verdict, loopback: Interface) -> bool:
    """Whether this machine's own programs knock at loopback, be it in vain."""
    at_loopback = not row.endpoints or row.endpoints[0].interface == loopback.display_name
    return row.origin is THIS_HOST and at_loopback


def _guest(row: Verdict | None) -> str:
    if row is None:
        return ""
    direct = row.endpoints and not {Condition.NAT, Condition.GUEST}.intersection(row.conditions)
    at = f", at {row.endpoints[0]}" if direct else ""
    return f"{_ARROWS[row.answer]} {printable(f'{row.who}{at}', _PAGE)}"


def _state(interface: Interface) -> str:
    if interface.is_up is False:
        return " (down)"
    return " (no carrier)" if interface.is_running is False else ""


def _width(text: str) -> int:
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _pad(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
