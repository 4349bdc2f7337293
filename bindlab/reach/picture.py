"""The machine as a picture in plain text: a box, its addresses at the wall, who gets in by each.

ASCII, so that it looks the same in a log, a terminal and an issue.
"""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from bindlab.endpoint import address_text, parse_address
from bindlab.host import Host
from bindlab.interface import Interface
from bindlab.page import pad, shorter, width_of, wrapped
from bindlab.reach.topology import neighbours_of
from bindlab.reach.verdict import THIS_HOST, Answer, Vantage, Verdict

__all__ = ["Door", "doors_of", "named", "picture"]

_ARROWS: Final = {Answer.YES: "<----", Answer.CONDITIONAL: "<-?--", Answer.NO: "  x--"}
_LEGEND: Final = "<---- gets in   <-?-- may get in   x-- is shut out"
_TITLE: Final = "-- this machine "
_NAME: Final = 15


class Door(NamedTuple):
    """An address of the machine, and who comes by it; a *name* is said once an interface."""

    name: str
    address: str
    guest: Verdict | None = None


def picture(
    host: Host,
    headlines: Sequence[str],
    rows: Sequence[Verdict],
    background: Collection[str],
    width: int,
) -> str:
    """Return the machine, each address with who comes by it; interfaces in *background* counted."""
    doors, others = doors_of(host, rows, background)
    column = max((width_of(door.name) for door in doors), default=0)
    inside = [f"  {pad(door.name, column)}  {door.address}" for door in doors]
    if folded := sum(each.display_name in background for each in host.interfaces):
        inside.append(f"  and {folded} virtual interfaces")
    wall = max(map(width_of, [*inside, _TITLE])) + 2
    guests = [_arrow(door.guest) for door in doors] + [""]
    lines = [line for headline in headlines for line in wrapped(headline, width)]
    lines += ["", f"+{_TITLE}{'-' * (wall - len(_TITLE))}+"]
    for line, who in zip(inside, guests, strict=False):
        lines.append(_fitting(f"|{pad(line, wall)}|{who}", width))
    lines.append(f"+{'-' * wall}+")
    lines += [_fitting(f"{' ' * (wall + 2)}{_arrow(row)}", width) for row in others]
    return "\n".join([*lines, "", _LEGEND])


def doors_of(
    host: Host, rows: Sequence[Verdict], background: Collection[str]
) -> tuple[list[Door], list[Verdict]]:
    """Return each address with the row that comes by it, and the rows that come by none."""
    at_link = {(row.interface, row.origin): row for row in rows}
    vantages = [row for row in rows if isinstance(row.origin, Vantage)]
    doors: list[Door] = []
    for interface in host.interfaces:
        if interface.display_name in background:
            continue
        name, state = shorter(interface.display_name, _NAME), _state(interface)
        for address in interface.addresses:
            guest = at_link.get((interface.display_name, neighbours_of(address, interface)))
            if interface.holds_loopback and vantages and _comes_by(vantages[0], interface):
                guest = vantages.pop(0)
            text = address_text(parse_address(address)).partition("%")[0]
            doors.append(Door(name, f"{text}{state}", guest))
            name = ""
        if name:
            doors.append(Door(name, f"no address{state}"))
    return doors, vantages


def named(row: Verdict) -> str:
    """Return the origin of *row* in a word or two."""
    return row.who.partition(" (")[0].partition("%")[0]


def _arrow(row: Verdict | None) -> str:
    if row is None:
        return ""
    return f"{_ARROWS[row.answer]} {named(row)}"


def _fitting(line: str, width: int) -> str:
    """Return *line*, with other words for who comes if these have no room."""
    return line if width_of(line) <= width else f"{line.rpartition(' ')[0]} its network"


def _comes_by(row: Verdict, loopback: Interface) -> bool:
    """Whether this machine's own programs knock at loopback, be it in vain."""
    at_loopback = not row.endpoints or row.endpoints[0].interface == loopback.display_name
    return row.origin is THIS_HOST and at_loopback


def _state(interface: Interface) -> str:
    if interface.is_up is False:
        return " (down)"
    return " (no carrier)" if interface.is_running is False else ""
