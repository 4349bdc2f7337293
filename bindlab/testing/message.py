"""How a failure is written: the answer in its first lines, then the evidence."""

from bindlab.page import wrapped

__all__ = ["WIDTH", "message"]

WIDTH = 72  # pytest writes 8 columns before each line


def message(sentence: str, *evidence: str) -> str:
    """Return *sentence* in short lines, which stand behind "AssertionError: ", and *evidence*."""
    lines = wrapped(sentence, WIDTH, " " * len("AssertionError: "), "")
    return "\n\n".join(["\n".join(lines).lstrip(), *evidence])
