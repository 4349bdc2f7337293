"""The house: which module may import which, what the package shows, what an import costs."""

import ast
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import bindlab

PACKAGE = Path(bindlab.__file__).parent

# From the ground up: a module imports only from rows above its own. Edges, which touch the
# system, are rows of their own kind: none imports a module of another edge.
CORE = (
    ("value",),
    ("endpoint",),
    ("interface", "registry", "binding"),
    ("host",),
    ("topology", "verdict"),
    ("origin",),
    ("path",),
    ("rules", "ways", "render"),
    ("reach",),
)
EDGES = {
    "words for a refusing system": ("errors",),
    "tuples of the socket module": ("sockaddr",),
    "snapshot": ("netlink", "rtnetlink", "beyond_ifaddr", "snapshot"),
    "inspection": ("holders", "inspect_socket"),
    "opening": (
        "request",
        "reuse",
        "port_range",
        "port_users",
        "hints",
        "one_socket",
        "opening",
        "any_port",
        "group",
        "reservation",
        "allocation",
        "adoption",
    ),
    "probing": ("icmp", "outcome", "attempt", "probing"),
}
VALUES = ("value", "endpoint", "interface", "binding", "host")
SHARED = ("errors", "sockaddr")  # what more than one edge stands on
MEETING = ("reachable",)  # where edges and core meet, below the face
FOR_TESTS = ("lab",)  # above the face: what only tests import

PURE_IMPORTS = {
    "collections.abc",
    "enum",
    "functools",
    "ipaddress",
    "json",
    "textwrap",
    "typing",
    "typing_extensions",  # for type checkers only: TypeIs, before Python 3.13
    "unicodedata",
}


def imports_of(path: Path) -> set[str]:
    """Return the modules that a file imports, of any form and at any depth."""
    found: set[str] = set()
    package = ["bindlab", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found.add(module)
            found.update(
                f"{module}.{alias.name}"
                for alias in node.names
                if (PACKAGE / f"{'/'.join(module.split('.')[1:])}/{alias.name}.py").exists()
            )
    return found


def test_every_module_has_a_place() -> None:
    """Each module of the package stands in exactly one row."""
    placed = [name for row in CORE for name in row] + [n for row in EDGES.values() for n in row]
    placed += [*MEETING, *FOR_TESTS]
    modules = {info.name for info in pkgutil.iter_modules([str(PACKAGE)])}
    assert sorted(placed) == sorted(modules)


@pytest.mark.parametrize("name", [name for row in CORE for name in row])
def test_the_core_imports_upwards_only_and_touches_nothing(name: str) -> None:
    """A module of the core knows the rows above it, and nothing that reaches the system."""
    above = {
        f"bindlab.{other}" for row in CORE for other in row if CORE.index(row) < level_of(name)
    }
    assert imports_of(PACKAGE / f"{name}.py") <= above | PURE_IMPORTS


@pytest.mark.parametrize("edge", EDGES)
def test_edges_know_the_core_and_never_each_other(edge: str) -> None:
    """An edge imports values, what edges share, and its own modules; never another edge."""
    allowed = {f"bindlab.{n}" for n in (*EDGES[edge], *SHARED, *VALUES)} | {"bindlab"}
    for name in EDGES[edge]:
        found = {m for m in imports_of(PACKAGE / f"{name}.py") if m.startswith("bindlab")}
        assert found <= allowed, name


def test_nothing_below_imports_what_is_for_tests() -> None:
    """The lab stands on the package, and the package works without it."""
    for path in PACKAGE.glob("*.py"):
        assert not [m for m in imports_of(path) if m.startswith("bindlab.lab")], path


def test_only_the_labs_own_processes_make_system_calls() -> None:
    """What needs Linux's ctypes is imported in the lab's helper, never where a test runs."""
    users = {p.stem for p in PACKAGE.glob("lab/*.py") if "bindlab.lab.kernel" in imports_of(p)}
    assert users == {"agent", "builder"}
    for path in PACKAGE.glob("lab/*.py"):
        if path.stem != "builder":
            assert not imports_of(path) & {"bindlab.lab.agent", "bindlab.lab.builder"}, path


def level_of(name: str) -> int:
    """Return the row of a core module."""
    return next(level for level, row in enumerate(CORE) if name in row)


@pytest.mark.parametrize("module", ["ifaddr", "ctypes", "asyncio", "subprocess", "dataclasses"])
def test_import_is_light(module: str) -> None:
    """``import bindlab`` loads nothing that costs more than bindlab itself."""
    code = f"import bindlab, sys; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-I", "-c", code], check=False).returncode == 0


def test_the_face_is_the_list() -> None:
    """``__all__`` is sorted, has no name twice, and is all that the package shows."""
    shown = {
        name
        for name, value in vars(bindlab).items()
        if not name.startswith("_") and not isinstance(value, type(sys))
    }
    assert set(bindlab.__all__) == shown
    assert len(set(bindlab.__all__)) == len(bindlab.__all__)


def test_the_face_holds_no_logic() -> None:
    """``bindlab/__init__.py`` is a docstring, imports and ``__all__``."""
    body = ast.parse((PACKAGE / "__init__.py").read_text()).body
    assert isinstance(body[0], ast.Expr)
    assert all(isinstance(node, ast.ImportFrom | ast.Assign) for node in body[1:])


def test_modules_are_small() -> None:
    """A module does one thing in at most 300 lines."""
    sizes = {path.name: len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {name: size for name, size in sizes.items() if size > 300} == {}
