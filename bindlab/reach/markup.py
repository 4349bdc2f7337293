"""A table as HTML, for notebooks: text in, text out, everything in it escaped.

Colours are left to the page, so that it reads in light and dark.
"""

from collections.abc import Iterable, Sequence

__all__ = ["escaped", "html_table"]

_CELL = 'style="text-align: left; vertical-align: top"'


def html_table(
    headlines: Iterable[str],
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    notes: Iterable[str] = (),
) -> str:
    """Return *headlines*, a table with *headings*, and *notes*, as a piece of HTML."""
    lines = [*(f"<p><strong>{escaped(line)}</strong></p>" for line in headlines)]
    lines.append("<table>")
    cells = "".join(f'<th scope="col" {_CELL}>{escaped(text)}</th>' for text in headings)
    lines.append(f"<thead><tr>{cells}</tr></thead>")
    lines.append("<tbody>")
    for row in rows:
        cells = "".join(f"<td {_CELL}>{escaped(text)}</td>" for text in row)
        lines.append(f"<tr>{cells}</tr>")
    lines.append("</tbody></table>")
    lines.extend(f"<p><small>{escaped(note)}</small></p>" for note in notes)
    return "\n".join(lines)


def escaped(text: str) -> str:
    """Return *text* as HTML and SVG show it as it is."""
    import html  # not needed but in a notebook

    return html.escape(text)
