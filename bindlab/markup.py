"""Tables and text as HTML, for notebooks: everything in it escaped, one's own URLs as links.

Colours are left to the page, so that it reads in light and dark.
"""

from collections.abc import Collection, Iterable, Sequence

__all__ = ["escaped", "html_table", "html_text"]

_CELL = 'style="text-align: left; vertical-align: top"'


def html_table(
    headlines: Iterable[str],
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    notes: Iterable[str] = (),
    urls: Collection[str] = (),
) -> str:
    """Return *headlines*, a table with *headings*, and *notes*, as a piece of HTML.

    Where one of *urls* stands, it is a link.
    """
    lines = [*(f"<p><strong>{_linked(line, urls)}</strong></p>" for line in headlines)]
    lines.append("<table>")
    cells = "".join(f'<th scope="col" {_CELL}>{_linked(text, ())}</th>' for text in headings)
    lines.append(f"<thead><tr>{cells}</tr></thead>")
    lines.append("<tbody>")
    for row in rows:
        cells = "".join(f"<td {_CELL}>{_linked(text, urls)}</td>" for text in row)
        lines.append(f"<tr>{cells}</tr>")
    lines.append("</tbody></table>")
    lines.extend(f"<p><small>{_linked(note, urls)}</small></p>" for note in notes if note)
    return "\n".join(lines)


def html_text(text: str, urls: Collection[str]) -> str:
    """Return *text* as it stands, its first line in bold, and each of *urls* as a link."""
    first, _, rest = text.partition("\n")
    return f"<p><strong>{_linked(first, urls)}</strong></p>\n<pre>{_linked(rest, urls)}</pre>"


def escaped(text: str) -> str:
    """Return *text* as HTML and SVG show it as it is."""
    import html  # not needed but in a notebook

    return html.escape(text)


def _linked(text: str, urls: Collection[str]) -> str:
    """Return *text* escaped, with links; only for http and https, whatever *urls* are."""
    for url in sorted(urls, key=len, reverse=True):
        before, found, after = text.partition(url)
        is_part = after[:1].isdigit()  # http://10.0.0.1:80 is a part of http://10.0.0.1:8000
        if found and not is_part and url.startswith(("http://", "https://")):
            link = escaped(url)
            return f'{_linked(before, urls)}<a href="{link}">{link}</a>{_linked(after, urls)}'
    return escaped(text)
