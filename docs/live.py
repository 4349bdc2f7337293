"""Documentation that cannot drift: code is run, and tables are read, when the pages are made.

``{run}`` shows Python and what it prints, ``{picture}`` the drawing of a ``Reach``,
``{command}`` what the command prints, ``{made}`` a table of the library's own data.
A block of a page knows the names of those before it. What raises is a warning, and so an error.
"""

import contextlib
import html
import importlib
import inspect
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from plot import plot
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import bindlab
from bindlab.__main__ import main
from bindlab.errors import MEANINGS
from bindlab.reach.rules import GATES, NEEDS

_names: dict[str, dict[str, object]] = {}  # of the blocks of each page


def run(code: str, names: dict[str, object]) -> str:
    """Run *code*, and return what it prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "<documentation>", "exec"), names)
    return printed.getvalue()


class Run(SphinxDirective):
    has_content = True
    option_spec = {"hide": directives.flag}  # noqa: RUF012 - as docutils declares it

    def run(self) -> list[nodes.Node]:
        code = "\n".join(self.content)
        try:
            output = run(code, _names.setdefault(self.env.docname, {}))
        except Exception as error:
            raise self.error(f"{type(error).__name__}: {error}") from error
        shown = (
            [] if "hide" in self.options else [nodes.literal_block(code, code, language="python")]
        )
        return shown + ([nodes.literal_block(output, output, language="text")] if output else [])


class Command(SphinxDirective):
    required_arguments = 0
    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        words = self.arguments[0].split() if self.arguments else []
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
            main(words)
        text = f"$ bindlab {' '.join(words)}".rstrip() + f"\n{printed.getvalue()}"
        return [nodes.literal_block(text, text, language="text")]


class Picture(SphinxDirective):
    """The drawing of a ``Reach``, which the code makes; it scrolls where a page is narrow."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        code = "\n".join(self.content)
        try:
            reach = eval(code, _names.setdefault(self.env.docname, {}))
        except Exception as error:
            raise self.error(f"{type(error).__name__}: {error}") from error
        return [nodes.raw("", f'<div class="picture">{reach.svg()}</div>', format="html")]


class Plot(SphinxDirective):
    """The rows of a table of the benchmark, which a file beside the page has."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        _, file = self.env.relfn2path(self.arguments[0])
        self.env.note_dependency(file)
        drawn = plot(Path(file).read_text(encoding="utf-8"))
        return [nodes.raw("", f'<div class="picture">{drawn}</div>', format="html")]


class Made(SphinxDirective):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        head, rows = TABLES[self.arguments[0]]()
        return self.parse_text_to_nodes(
            "\n".join(["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]])
        )


Rows = tuple[Sequence[str], Iterable[Sequence[str]]]


def _members(kind: type, rules: Iterable[object]) -> Iterable[Sequence[str]]:
    """Return each member of an enum with its docstring, and the sentences that say it."""
    source = inspect.getsource(kind)
    sentences: dict[object, list[str]] = {}
    for rule in rules:
        sentences.setdefault(rule.word, []).append(f"*{rule.sentence}*")
    for member in kind:
        found = re.search(rf'^    {member.name} = .*\n    """(.*?)"""', source, re.M | re.S)
        doc = " ".join((found[1] if found else "").split()).replace("``", "`")
        said = "; ".join(dict.fromkeys(sentences.get(member, [])))
        yield f"`{member.name}`", f"`{member.name.lower()}`", doc, said.replace("|", "\\|")


def _reasons() -> Rows:
    return ("member", "in JSON", "what it means", "as it is said"), _members(bindlab.Reason, GATES)


def _conditions() -> Rows:
    head = ("member", "in JSON", "what has to hold", "as it is said: if ...")
    return head, _members(bindlab.Condition, NEEDS)


def _errors() -> Rows:
    rows = (
        (
            ", ".join(f"`{number}`" for number in row.errnos),
            ", ".join(row.stages) or "any other",
            f"{{py:class}}`~bindlab.errors.{row.error.__name__}`",
            row.hint,
        )
        for row in MEANINGS
    )
    return ("errno", "at the step", "raises", "hint"), rows


def _public() -> Rows:
    """Return every public name with the first sentence of its docstring."""

    def rows() -> Iterable[Sequence[str]]:
        for module in ("bindlab", "bindlab.testing", "bindlab.pytest_plugin", "bindlab.lab"):
            contents = importlib.import_module(module)
            for name in sorted(contents.__all__, key=str.lower):
                thing = getattr(contents, name)
                home = getattr(thing, "__module__", module)
                doc = inspect.getdoc(thing) if callable(thing) else ""
                first = " ".join((doc or "").split("\n\n")[0].split()).split(". ")[0].rstrip(".")
                if isinstance(thing, bindlab.Vantage):
                    first = f"A place to ask from: {thing.value}"
                elif not callable(thing):
                    first = "A type, for annotations"
                yield module, f"{{py:obj}}`~{_described(module, home, name)}`", _plain(first)

    return ("module", "name", "what it is"), rows()


def _described(module: str, home: str, name: str) -> str:
    return f"{home if home == 'bindlab.errors' else module}.{name}"


def _plain(text: str) -> str:
    """Return reStructuredText of a docstring as Markdown that needs no roles."""
    text = re.sub(r":\w+:`~?([^`]*)`", lambda m: f"`{m.group(1).rpartition('.')[2]}`", text)
    return html.escape(text.replace("``", "`"), quote=False).replace("|", "\\|")


TABLES = {
    "reasons": _reasons,
    "conditions": _conditions,
    "errors": _errors,
    "names": _public,
}


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("run", Run)
    app.add_directive("command", Command)
    app.add_directive("picture", Picture)
    app.add_directive("plot", Plot)
    app.add_directive("made", Made)
    return {"parallel_read_safe": False}
