"""The table of the benchmark as a picture: how much longer each thing takes than its unit.

One line a row, on a logarithmic scale: bindlab as a full dot, others as rings, the goal as a mark.
"""

import math
import re
from html import escape

LEAST, MOST = 0.1, 3000.0
WIDTH, ROW, TOP = 640, 40, 30
OURS = re.compile(r"(?:([^*·]+?) )?\*\*([\d.,]+)\*\*")
THEIRS = re.compile(r"(?:^|· )([^·]+?) ([\d.,]+)(?= |$)")
GOAL = re.compile(r"≤ ([\d.]+)")


def plot(table: str) -> str:
    """Return the rows of a Markdown *table* that compare with something, as SVG."""
    rows = [
        [cell.strip() for cell in line.strip("| ").split(" | ")]
        for line in table.splitlines()
        if line.startswith("| ") and "**" in line
    ]
    rows = [row for row in rows if not row[1].startswith("1 ") and "on `" not in row[1]]
    bottom = TOP + len(rows) * ROW
    parts = [
        f'<path d="M{_x(tick):.0f},{TOP - 6} V{bottom}" stroke="currentColor" '
        f'stroke-opacity="{0.6 if tick == 1 else 0.15}"/>'
        f'<text x="{_x(tick):.0f}" y="14" text-anchor="middle">{tick:g}</text>'
        for tick in (0.1, 1, 10, 100, 1000)
    ]
    for number, (what, unit, ours, goal, others) in enumerate(row[:5] for row in rows):
        y = TOP + number * ROW
        label = f"{what} (1 is {unit})".replace("`", "")
        parts.append(f'<text x="4" y="{y + 12}" font-size="12">{escape(label)}</text>')
        for name, value in THEIRS.findall(others):
            parts.append(_dot(name, value, y + 25, "none", "currentColor"))
        for limit in GOAL.findall(goal)[:1]:
            x = _x(float(limit))
            parts.append(f'<path d="M{x:.0f},{y + 18} v14" stroke="#d1495b" stroke-width="3"/>')
        for name, value in OURS.findall(ours):
            parts.append(_dot(name.strip() or "bindlab", value, y + 25, "#2e9e5b", "#2e9e5b"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {WIDTH} {bottom + 4}" '
        'style="width: 100%; height: auto" font-family="system-ui, sans-serif" '
        f'font-size="12" fill="currentColor"><title>What things cost</title>{"".join(parts)}</svg>'
    )


def _x(value: float) -> float:
    kept = min(max(value, LEAST), MOST)
    share = (math.log10(kept) - math.log10(LEAST)) / (math.log10(MOST) - math.log10(LEAST))
    return 12 + share * (WIDTH - 40)


def _dot(name: str, value: str, y: int, fill: str, line: str) -> str:
    number = float(value.replace(",", ""))
    return (
        f'<circle cx="{_x(number):.0f}" cy="{y}" r="5" fill="{fill}" stroke="{line}" '
        f'stroke-width="1.5"><title>{escape(name)}: {value}</title></circle>'
    )
