"""The house: which module may import which, what the package shows, what an import costs."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import bindlab

PACKAGE = Path(bindlab.__file__).parent

# From the ground up: a module or a room imports only from rows above its own. A room is a
# package; modules outside it import it by its door, ``__init__.py``.
ROWS = (
    ("value", "printable", "url", "markup", "assumption"),
    ("page",),
    ("endpoint",),
    ("interface", "special_addresses", "errors"),
    ("route", "guest", "firewall"),
    ("binding", "host", "sockaddr"),
    ("descriptor", "target"),
    ("linux",),
    ("inspect_socket", "snapshot"),
    ("reach", "opening", "probing"),
    ("scanning",),
    ("reachable",),
    ("explaining", "announcing"),
)
# Above the face: what only tests import, and what runs as a program.
ABOVE_THE_FACE = ("lab", "testing", "pytest_plugin", "command")
REACH = (
    ("verdict",),
    ("topology",),
    ("origin",),
    ("return_path",),
    ("path", "interface_rank"),
    ("inside", "rule", "render", "picture"),
    ("rules", "drawing"),
    ("judging",),
    ("reach",),
)

PURE_IMPORTS = {
    "bisect",
    "collections",
    "collections.abc",
    "enum",
    "functools",
    "html",
    "ipaddress",
    "inspect",  # when somebody asks what a constructor takes
    "json",
    "textwrap",
    "typing",
    "typing_extensions",  # for type checkers only: TypeIs, before Python 3.13
    "unicodedata",
    "urllib.parse",
}


def imports_of(path: Path) -> set[str]:
    """Return the modules that a file imports, of any form and at any depth."""
    found: set[str] = set()
    package = list(path.relative_to(PACKAGE.parent).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found.add(module)
            # Listed, because Windows finds reach/reach.py by the name of Reach too.
            files = {each.stem for each in PACKAGE.joinpath(*module.split(".")[1:]).glob("*.py")}
            found.update(f"{module}.{alias.name}" for alias in node.names if alias.name in files)
    return found


def files_of(name: str) -> list[Path]:
    """Return the files of a module, or of all of a room."""
    return sorted((PACKAGE / name).rglob("*.py")) or [PACKAGE / f"{name}.py"]


def ours(names: set[str]) -> set[str]:
    """Return those of *names* that are modules of the package."""
    return {name for name in names if name.startswith("bindlab.")}


def test_every_module_has_a_place() -> None:
    """Each module and each room of the package stands in exactly one row."""
    placed = [name for row in ROWS for name in row] + [*ABOVE_THE_FACE, "__main__"]
    modules = {info.name for info in pkgutil.iter_modules([str(PACKAGE)])}
    assert sorted(placed) == sorted(modules)


@pytest.mark.parametrize("level", range(len(ROWS)))
def test_imports_point_up_and_go_through_doors(level: int) -> None:
    """What stands in a row knows the rows above it, by their doors, and no neighbour."""
    above = {f"bindlab.{name}" for row in ROWS[:level] for name in row}
    for name in ROWS[level]:
        for path in files_of(name):
            outside = {
                m for m in ours(imports_of(path)) if not f"{m}.".startswith(f"bindlab.{name}.")
            }
            assert outside <= above, path


@pytest.mark.parametrize("level", range(len(REACH)))
def test_the_rules_know_what_they_stand_on(level: int) -> None:
    """Inside the room of the rules, too, imports point one way."""
    above = {f"bindlab.reach.{name}" for row in REACH[:level] for name in row}
    for name in REACH[level]:
        found = imports_of(PACKAGE / "reach" / f"{name}.py")
        assert {m for m in found if m.startswith("bindlab.reach.")} <= above, name


def test_the_core_touches_nothing() -> None:
    """Values and rules import nothing by which the system could be reached."""
    rows = ROWS[: [("linux" in row) for row in ROWS].index(True)]
    core = {name for row in rows for name in row} | {"reach"}
    core -= {"errors", "sockaddr", "descriptor", "target"}
    core -= {"page"}  # asks how wide the terminal is
    for path in (path for name in core for path in files_of(name)):
        assert {m for m in imports_of(path) if m.partition(".")[0] != "bindlab"} <= PURE_IMPORTS


def test_linux_is_read_in_one_room() -> None:
    """Netlink has one client, and /proc one reader; the lab's own processes look there as well."""
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).parts[0]
        tree = ast.parse(path.read_text())
        if room != "linux":
            names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
            assert "AF_NETLINK" not in names, path
        if room not in ("linux", "lab"):
            texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
            assert not [text for text in texts if str(text).startswith("/proc/")], path


FACE = PACKAGE / "__init__.py"
DOORS = sorted({*PACKAGE.rglob("__init__.py")} - {FACE})


@pytest.mark.parametrize("door", DOORS, ids=lambda p: p.parent.name)
def test_doors_hold_no_logic(door: Path) -> None:
    """A door is a docstring, imports and ``__all__``."""
    body = ast.parse(door.read_text()).body
    assert isinstance(body[0], ast.Expr)
    assert all(isinstance(node, ast.ImportFrom | ast.Assign) for node in body[1:])


@pytest.mark.parametrize("name", ABOVE_THE_FACE)
def test_what_is_above_the_face_enters_by_doors(name: str) -> None:
    """It knows the package by its doors, and none of its own kind."""
    rooms = {f"bindlab.{room}" for row in ROWS for room in row}
    for path in files_of(name):
        outside = {m for m in ours(imports_of(path)) if not f"{m}.".startswith(f"bindlab.{name}.")}
        assert outside <= rooms, path


@pytest.mark.parametrize("upper", ABOVE_THE_FACE)
def test_nothing_below_imports_what_is_above_the_face(upper: str) -> None:
    """What is above the face stands on the package, and the package works without it."""
    for path in (p for row in ROWS for name in row for p in files_of(name)):
        imported = ours(imports_of(path))
        assert not [m for m in imported if f"{m}.".startswith(f"bindlab.{upper}.")], path


TESTING = ("message", "trying", "predicting")


@pytest.mark.parametrize("level", range(len(TESTING)))
def test_assertions_know_what_they_stand_on(level: int) -> None:
    """Inside the room of the assertions imports point one way."""
    above = {f"bindlab.testing.{name}" for name in TESTING[:level]}
    found = imports_of(PACKAGE / "testing" / f"{TESTING[level]}.py")
    assert {m for m in found if m.startswith("bindlab.testing.")} <= above


def test_pytest_is_known_in_one_place() -> None:
    """The assertions serve unittest too: the module of the fixtures alone imports pytest."""
    users = {path.name for path in PACKAGE.rglob("*.py") if "pytest" in imports_of(path)}
    assert users == {"pytest_plugin.py"}


def test_only_the_labs_own_processes_make_system_calls() -> None:
    """What needs Linux's ctypes is imported in the lab's helper, never where a test runs."""
    users = {p.stem for p in PACKAGE.glob("lab/*.py") if "bindlab.lab.kernel" in imports_of(p)}
    assert users == {"agent", "builder", "construction"}
    for path in PACKAGE.glob("lab/*.py"):
        if path.stem != "builder":
            assert not imports_of(path) & {f"bindlab.lab.{user}" for user in users}, path


HEAVY = {
    *("ifaddr", "ctypes", "asyncio", "subprocess", "dataclasses", "inspect", "json"),
    *("socketserver", "http", "html", "textwrap", "urllib", "urllib.parse", "typing_extensions"),
}


@pytest.mark.parametrize(
    ("statement", "light"),
    [
        ("import bindlab", {"importlib", "warnings"}),
        ("from bindlab import listen", None),
        ("from bindlab import reachable_from", None),
        ("from bindlab import *", None),
    ],
)
def test_imports_are_light(statement: str, light: set[str] | None) -> None:
    """The package itself imports next to nothing, and its names nothing that is slow."""
    code = f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert not loaded & HEAVY
    if light is not None:
        assert {name.partition(".")[0] for name in loaded} <= {"bindlab", *light}


def test_the_face_is_one_table() -> None:
    """What type checkers see is the table: each name once, from its module."""
    (only_types,) = (
        node
        for node in ast.parse(FACE.read_text()).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    seen = [
        (alias.asname, node.module)
        for node in only_types.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    assert len(seen) == len(only_types.body)
    assert sorted(seen) == sorted(bindlab._HOMES.items())
    assert bindlab.__all__ == sorted(bindlab._HOMES, key=lambda n: (not n.isupper(), n))
    assert set(bindlab.__all__) <= set(dir(bindlab))


def test_every_name_is_of_its_module() -> None:
    """A name is what its module has, and a name that is nowhere is an AttributeError."""
    for name, module in bindlab._HOMES.items():
        assert getattr(bindlab, name) is getattr(importlib.import_module(module), name)
        assert getattr(bindlab, module.partition(".")[2]) is importlib.import_module(module)
    with pytest.raises(AttributeError, match="'bindlab' has no attribute 'lsiten'"):
        bindlab.lsiten  # noqa: B018


def test_modules_are_small() -> None:
    """A module does one thing in at most 300 lines."""
    sizes = {path.name: len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {name: size for name, size in sizes.items() if size > 300} == {}
