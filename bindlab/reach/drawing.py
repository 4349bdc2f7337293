"""The same picture as SVG, for notebooks and web pages: it reads in light and dark.

Text has the colour of the page around it; green gets in, dashed amber may, a red cross is no.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from bindlab.host import Host
from bindlab.markup import escaped
from bindlab.page import width_of
from bindlab.reach.picture import Door, doors_of, named
from bindlab.reach.verdict import Answer, Condition, Verdict

__all__ = ["drawing"]

_LETTER, _LINE, _ROW, _GAP, _ARROW = 7.9, 18, 40, 14, 64  # pixels
_COLOURS: Final = {Answer.YES: "#2e9e5b", Answer.CONDITIONAL: "#c98a00", Answer.NO: "#d1495b"}


def drawing(
    host: Host, headlines: Sequence[str], rows: Sequence[Verdict], background: Collection[str]
) -> str:
    """Return the machine as a box, its addresses at the wall, and who gets in by each."""
    doors, others = doors_of(host, rows, background)
    doors += [Door("", "", row) for row in others]
    if folded := sum(each.display_name in background for each in host.interfaces):
        doors.append(Door("", f"and {folded} virtual interfaces"))
    column = _wide(door.name for door in doors)
    wall = column + _wide(door.address for door in doors) + 4 * _GAP
    top = len(headlines) * _LINE + _GAP
    guests = [door.guest for door in doors if door.guest is not None]
    said = _wide(text for row in guests for text in (named(row), _opens(row)))
    width = max(wall + _ARROW + _GAP + said, _wide(headlines)) + _GAP
    bottom = top + len(doors) * _ROW
    parts = [_text(1, _LINE * number, line) for number, line in enumerate(headlines, start=1)]
    parts.append(
        f'<rect x="1" y="{top}" width="{wall:.0f}" height="{bottom - top}" rx="6" fill="none" '
        'stroke="currentColor" stroke-opacity="0.5"/>'
    )
    for number, door in enumerate(doors):
        y = top + number * _ROW + _ROW / 2
        parts.append(_text(_GAP, y + 4, door.name))
        parts.append(_text(column + 2 * _GAP, y + 4, door.address))
        if door.guest is not None:
            parts.extend(_guest(door.guest, wall, y))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width:.0f}" '
        f'height="{bottom + 2}" viewBox="0 0 {width:.0f} {bottom + 2}" '
        'style="max-width: 100%; height: auto" font-family="ui-monospace, monospace" '
        f'font-size="13" fill="currentColor"><title>{escaped(" ".join(headlines))}</title>'
        f"{''.join(parts)}</svg>"
    )


def _guest(row: Verdict, wall: float, y: float) -> Iterator[str]:
    """Yield an arrow to the wall, and beside it who comes and what they open."""
    colour, near, far = _COLOURS[row.answer], wall + 6, wall + _ARROW
    dashes = ' stroke-dasharray="5 4"' if row.answer is Answer.CONDITIONAL else ""
    head = f"M{near + 8:.0f},{y - 5:.0f} L{near:.0f},{y:.0f} L{near + 8:.0f},{y + 5:.0f}"
    if row.answer is Answer.NO:
        near += 20
        head = f"M{near - 5:.0f},{y - 5:.0f} l10,10 m-10,0 l10,-10"
    for shape in (f'd="M{far:.0f},{y:.0f} L{near:.0f},{y:.0f}"{dashes}', f'd="{head}"'):
        yield f'<path {shape} fill="none" stroke="{colour}" stroke-width="2"/>'
    yield _text(far + _GAP, y - 3, named(row))
    yield _text(far + _GAP, y + 13, _opens(row), ' fill-opacity="0.75"')


def _opens(row: Verdict) -> str:
    if row.answer is Answer.NO:
        return "shut out"
    through = "if a router forwards the port" if Condition.NAT in row.conditions else "may get in"
    return row.opens or through


def _text(x: float, y: float, text: str, style: str = "") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}"{style}>{escaped(text)}</text>' if text else ""


def _wide(texts: Collection[str] | Iterator[str]) -> float:
    """Return the pixels of the widest of *texts*."""
    return max((width_of(text) * _LETTER for text in texts), default=0)
