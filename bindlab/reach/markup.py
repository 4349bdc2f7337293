"""A table as HTML, for notebooks: text in, text out, everything in it escaped.

Colours are left to the page, so that it reads in light and dark.
"""

from collections.abc import Iterable, Sequence

__all__ = ["html_table"]

_CELL = 'style="text-align: left; vertical-align: top"'


def html_table(
    headlines: Iterable[str],
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    notes: Iterable[str] = (),
) -> str:
    """Return *headlines*, a table with *headings*, and *notes*, as a piece of HTML."""
    lines = [*(f"<p><strong>{_escaped(line)}</strong></p>" for line in headlines)]
    lines.append("<table>")
    cells = "".join(f'<th scope="col" {_CELL}>{_escaped(text)}</th>' for text in headings)
    lines.append(f"<thead><tr>{cells}</tr></thead>")
    lines.append("<tbody>")
    for row in rows:
        cells = "".join(f"<td {_CELL}>{_escaped(text)}</td>" for text in row)
        lines.append(f"<tr>{cells}</tr>")
    lines.append("</tbody></table>")
    lines.extend(f"<p><small>{_escaped(note)}</small></p>" for note in notes)
    return "\n".join(lines)


def _escaped(text: str) -> str:
    import html  # not needed but in a notebook

    return html.escape(text)
