"""From arguments to what is printed, and the status that the command ends with."""

import sys
from collections.abc import Sequence
from typing import Final

from bindlab.command.arguments import parser_for
from bindlab.command.output import PROGRAM, complain, write
from bindlab.page import page_width, wrapped

__all__ = ["SCHEMA", "main"]

SCHEMA: Final = 1  # of the JSON, which docs/json.rst describes


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what *arguments* (``sys.argv`` if ``None``) ask for; return the exit status."""
    try:
        return _main(sys.argv[1:] if arguments is None else list(arguments))
    except OSError as error:  # of an import, too, where no descriptor is free
        complain(error)
        return 3


def _main(arguments: Sequence[str]) -> int:
    parser, rest = parser_for(arguments)
    options = parser.parse_args(rest)
    try:
        answer = options.ask(options)
    except ValueError as error:
        parser.exit(2, "\n".join([*wrapped(f"{PROGRAM}: {error}", page_width()), ""]))
    shown: str | dict[str, object] = answer.text()
    if options.json:
        shown = {"schema": SCHEMA, **answer.document()}
    return write(shown, answer.status)
