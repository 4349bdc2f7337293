"""Text from elsewhere (process and interface names) made safe to print on a terminal."""

_CUT = "..."
_WIDEST = len(r"\U0010ffff")


def printable(text: str, longest: int = 255) -> str:
    r"""Return *text* on one line, with everything escaped that a terminal would act on.

    Any user can choose the name of a process or, in a namespace, of an interface. So control
    characters, line breaks, bidirectional marks, lone surrogates and other characters for
    which :meth:`str.isprintable` is false are written as in a Python string, ``\x1b`` or
    ``\u202e``; what is left encodes as UTF-8. More than *longest* characters are cut, and end
    in ``...``. What is printable already comes back as it is.

    >>> printable("sh\x1b[2J\n"), printable("eth0")
    ('sh\\x1b[2J\\n', 'eth0')
    """
    if not text.isprintable():
        # Cut first: escaping makes one character ten, of which no more than *longest* are used.
        text = "".join(map(_visible, text[: longest + 1]))
    return text if len(text) <= longest else text[: longest - len(_CUT)] + _CUT


def printable_lines(text: str) -> str:
    """Return *text*, such as the output of a program, with each of its lines made printable."""
    return "\n".join(printable(line, len(line) * _WIDEST) for line in text.split("\n"))


def json_text(document: object) -> str:
    """Return *document* as JSON in ASCII, without control characters but line breaks."""
    import json

    # json leaves one control character as it is: DEL, which is ASCII.
    return json.dumps(document, indent=2).replace("\x7f", r"\u007f")


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")
