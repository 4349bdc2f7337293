"""Text laid out for a page: no line wider than it, no word broken, columns straight."""

import unicodedata
from collections.abc import Iterable, Sequence

from bindlab.printable import printable

__all__ = [
    "INDENT",
    "MOST",
    "columns",
    "indented",
    "listed",
    "pad",
    "page_width",
    "shorter",
    "width_of",
    "wrapped",
]

NARROWEST, INDENT = 40, "  "
MOST = 4  # things that are named together; more are counted
_LONGEST_ADDRESS = 60  # with its scheme, port and a bracket
_LAST = 14  # columns that the last cell of a row has at least
_GAP = "   "


def page_width() -> int:
    """Return how many columns a line may have: ``COLUMNS``, else the terminal's, else 80."""
    import shutil  # not needed until somebody reads

    return max(NARROWEST, shutil.get_terminal_size((80, 24)).columns)


def width_of(text: str) -> int:
    """Return how many columns *text* takes in a terminal: wide characters take two."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def pad(text: str, width: int) -> str:
    """Return *text* with spaces behind it, *width* columns wide."""
    return text + " " * (width - width_of(text))


def shorter(text: str, width: int) -> str:
    """Return *text* on one line of at most *width* columns, cut if it is longer."""
    line = printable(text, width)
    if width_of(line) <= width:
        return line
    kept = line.removesuffix("...")
    while width_of(kept) > width - len("..."):  # of wide characters fewer fit
        kept = kept[:-1]
    return f"{kept}..."


def wrapped(text: str, width: int, first: str = "", rest: str | None = None) -> list[str]:
    """Return *text* in lines of *width* columns, broken between words.

    *first* begins the first line, and *rest*, by default as many spaces, the others. A word
    that is longer than a line is cut, if it is no address: half an address is of no use.
    """
    begins = " " * width_of(first) if rest is None else rest
    lines = [first]
    free = width - width_of(first)
    is_empty = True
    for word in text.split():
        if not is_empty and width_of(word) >= free:
            lines.append(begins)
            free, is_empty = width - width_of(begins), True
        if is_empty and width_of(word) > free and not _is_address(word):
            word = shorter(word, free)
        lines[-1] += word if is_empty else f" {word}"
        free -= width_of(word) + (not is_empty)
        is_empty = False
    return lines


def indented(sentences: Iterable[str], width: int) -> list[str]:
    """Return *sentences*, each on lines of its own, a little to the right."""
    return [line for one in sentences for line in wrapped(one, width, INDENT)]


def listed(items: Sequence[str], most: int = MOST) -> str:
    """Return *items* in words, the first *most* of them if there are many more."""
    if len(items) > most + (most > 1):
        return f"{', '.join(items[:most])} and {len(items) - most} others"
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def columns(rows: Iterable[Sequence[str]], width: int, indent: str = INDENT) -> list[str]:
    """Return *rows* with their cells below each other; the last cell of a row may be wrapped.

    A row whose cells do not fit beside each other has each on a line of its own.
    """
    cells = [_without_empty_end(row) for row in rows]
    fitting = [row for row in cells if row]
    starts: list[int] = []
    while fitting:
        count = max(map(len, fitting))
        left = [
            max((width_of(row[i]) for row in fitting if len(row) > i + 1), default=0)
            for i in range(count)
        ]
        starts = [len(indent) + sum(left[:i]) + len(_GAP) * i for i in range(count)]
        if all(starts[len(row) - 1] + _least(row[-1]) <= width for row in fitting):
            break
        fitting.remove(max(fitting, key=lambda row: sum(map(width_of, row[:-1])) + _least(row[-1])))
    lines: list[str] = []
    for row in cells:
        if row in fitting:
            line = indent
            for start, cell in zip(starts, row[:-1], strict=False):
                line = pad(line, start) + cell
            start = starts[len(row) - 1]
            lines += wrapped(row[-1], width, pad(line, start), " " * start)
        else:
            for number, cell in enumerate(row):
                lines += wrapped(cell, width, f"{indent}    " if number else indent)
    return [line.rstrip() for line in lines]


def _without_empty_end(row: Sequence[str]) -> Sequence[str]:
    while row and not row[-1]:
        row = row[:-1]
    return row


def _least(cell: str) -> int:
    """Return how many columns *cell* needs at least, as the last of its row."""
    longest = max(map(width_of, cell.split()), default=0)
    return max(longest, min(width_of(cell), _LAST))


def _is_address(word: str) -> bool:
    """Whether *word* has an address that may be copied: none is longer, but for its zone."""
    return ("://" in word or "[" in word) and len(word) <= _LONGEST_ADDRESS
