"""The README is short and keeps its word: what it shows is what comes out."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bindlab.linux import has_sysctl

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PAGES = "https://bindlab.readthedocs.io/en/latest/"
SOURCE = "https://github.com/bindlab/bindlab/"
# A block of Python, and the next block of text, which is what comes of it.
SHOWN = re.findall(r"^```python\n([^`]*)^```\n[^#]*?^```text\n([^`]*)^```$", README, re.M)
TESTS = [(code, output) for code, output in SHOWN if "def test_" in code]
PROGRAMS = [(code, output) for code, output in SHOWN if "def test_" not in code]


def begins_as(shown: str, printed: str) -> bool:
    """Whether *printed* is what is shown, in which a line ``...`` leaves out the rest."""
    head, cut, _ = shown.partition("...\n")
    return printed.startswith(head) if cut else printed == shown


def test_it_is_short() -> None:
    """A screen and a half: at most 150 lines and 900 words."""
    assert len(README.splitlines()) <= 150
    assert len(README.split()) <= 900


def test_three_recipes() -> None:
    """A server, a test, and why somebody cannot connect."""
    assert len(PROGRAMS) == 2
    assert len(TESTS) == 1


@pytest.mark.parametrize(("code", "output"), PROGRAMS, ids=range(len(PROGRAMS)))
def test_a_program_prints_what_is_shown(
    code: str, output: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recipe runs as it stands, on a port that is free, and prints what is below it."""
    monkeypatch.setenv("COLUMNS", "80")
    exec(compile(code.replace("listen(3000)", "listen()"), "README.md", "exec"), {})
    printed = re.sub(r"127\.0\.0\.1:\d{5}\b", "127.0.0.1:3000", capsys.readouterr().out)
    if not has_sysctl("ipv4/conf/all/route_localnet") and sys.platform == "linux":
        pytest.skip("this network stack has no route_localnet, which the answer assumes then")
    assert begins_as(output, printed), printed


@pytest.mark.parametrize(("code", "output"), TESTS, ids=range(len(TESTS)))
def test_a_test_fails_as_it_is_shown(code: str, output: str, tmp_path: Path) -> None:
    """The fixture is there, and the failure is the one below."""
    (tmp_path / "test_it.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:asyncio", "-c", os.devnull, "test_it.py"],
        env={**os.environ, "COLUMNS": "80", "PYTEST_ADDOPTS": "-p no:cacheprovider"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1, done.stdout
    failure = [line.rstrip() for line in done.stdout.splitlines() if line.startswith("E ")]
    printed = re.sub(r":\d{5}\b", ":43210", "\n".join(failure) + "\n")
    assert begins_as(output, printed), printed


def test_the_two_commands_of_a_clone() -> None:
    """They are there, and the first prints what is shown."""
    commands = re.findall(r"^    (\.ci/try .*)$", README, re.M)
    assert commands == [".ci/try python examples/03_wildcard.py", ".ci/try python -m pytest"]
    if sys.platform == "win32":
        pytest.skip("a script of Unix")
    assert (ROOT / ".ci/try").stat().st_mode & 0o111
    (shown,) = re.findall(r"03_wildcard\.py\n\n```text\n(.*?)^```$", README, re.M | re.S)
    done = subprocess.run(
        [sys.executable, ROOT / "examples/03_wildcard.py"],
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert begins_as(shown, done.stdout), done.stdout
    assert "these were the fast tests; all of them: pytest -m ''" in README


def test_links_lead_somewhere() -> None:
    """Links are absolute, for PyPI; those to this project are pages and files that exist."""
    targets = re.findall(r"\]\(([^)]+)\)", README)
    assert [target for target in targets if not target.startswith("https://")] == []
    for target in (target.partition("#")[0] for target in targets):
        if target.startswith(PAGES):
            page = ROOT / "docs" / target.removeprefix(PAGES)
            assert page.with_suffix(".md").exists() or page.with_suffix(".rst").exists(), target
        elif target.startswith(SOURCE) and "/main/" in target:
            assert (ROOT / target.partition("/main/")[2]).exists(), target


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "SECURITY.md"])
def test_what_contributors_are_told_exists(name: str) -> None:
    """Each file that is named there is here."""
    text = (ROOT / name).read_text()
    named = re.findall(r"(?<![\w/.])((?:\.ci|tests|docs|examples|bindlab)/[\w/.-]*\w)", text)
    assert [path for path in named if not (ROOT / path).exists() and "_build" not in path] == []
