"""How Sphinx makes the documentation; it needs no network: ``.ci/docs``.

What is missing or leads nowhere is a warning, and so an error: a public name that no page
has, a cross reference that nothing answers.
"""

import importlib
import re
import sys
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

sys.path.insert(0, str(Path(__file__).parent))  # for live.py

PUBLIC = ("bindlab", "bindlab.errors", "bindlab.lab", "bindlab.testing", "bindlab.pytest_plugin")

project = "bindlab"
extensions = ["sphinx.ext.autodoc", "sphinx.ext.viewcode", "myst_parser", "live"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "bindlab"
html_static_path = ["static"]
html_css_files = ["pages.css"]
html_show_copyright = False
exclude_patterns = ["_build", "explanation/benchmark.md"]

nitpicky = True
nitpick_ignore = [  # names of types in signatures, which the text beside them explains
    ("py:class", "Addresses"),  # bindlab.lab
    ("py:class", "P"),
    ("py:class", "T"),
    ("py:class", "bindlab.probing.waiting._Alive"),
    ("py:class", "bindlab.probing.waiting._Polled"),
    ("py:class", "bindlab.probing.waiting._Returning"),
]
toc_object_entries_show_parents = "hide"
autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80


def link_to_python(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, text: nodes.Node
) -> nodes.reference | None:
    """Return a link to Python's documentation for what is of its standard library."""
    name = node.get("reftarget", "")
    if node.get("refdomain") != "py" or name.partition(".")[0] not in sys.stdlib_module_names:
        return None
    module = name if node["reftype"] == "mod" else name.rpartition(".")[0]
    anchor = f"module-{name}" if node["reftype"] == "mod" else name
    url = f"https://docs.python.org/3/library/{module}.html#{anchor}"
    return nodes.reference("", "", text, internal=False, refuri=url)


def check_that_all_is_there(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of each public name that no page describes."""
    described = {name for name, *_ in env.get_domain("py").get_objects()}
    for module in PUBLIC:
        contents = importlib.import_module(module)
        for name in contents.__all__:
            home = getattr(getattr(contents, name), "__module__", module)
            if not described & {f"{module}.{name}", f"{home}.{name}"}:
                text = f"{module}.{name} is on no page: name it in one of docs/reference/*.rst"
                logging.getLogger(__name__).warning(text)


def shorten_type_variables(
    app: Sphinx,
    what: str,
    name: str,
    value: object,
    options: object,
    arguments: str | None,
    result: str | None,
) -> tuple[str | None, str | None]:
    """Return a signature with its type variables as the source has them: T for ~bindlab....T."""
    short = [
        text and re.sub(r"~(?:[a-z_.]+\.)?~?([A-Z])\b", r"\1", text) for text in (arguments, result)
    ]
    return short[0], short[1]


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-signature", shorten_type_variables)
    app.connect("missing-reference", link_to_python)
    app.connect("env-check-consistency", check_that_all_is_there)
