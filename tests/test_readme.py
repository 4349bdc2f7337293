"""The README keeps its word; its ``pycon`` blocks are doctests, and run as such."""

import re
import sys
from pathlib import Path

import pytest
from lab_home import needs_lab

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)
# A block of Python with nothing between it and the block of what it prints.
SHOWN = re.findall(
    r"^```python\n([^`]*)^```\n\n```text\n([^`]*)^```$", README, flags=re.DOTALL | re.MULTILINE
)


@needs_lab
@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_block_runs(block: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each block of Python runs to its end as it stands, and says something."""
    exec(compile(block, "README.md", "exec"), {})
    assert "http://192.168.0.102:3000" in capsys.readouterr().out


@pytest.mark.parametrize(("block", "output"), SHOWN, ids=range(len(SHOWN)))
def test_the_output_is_what_is_shown(
    block: str, output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The output below a block is its own."""
    exec(compile(block, "README.md", "exec"), {})
    assert capsys.readouterr().out == output


def test_outputs_are_shown() -> None:
    """The first example shows what it prints, and so does the explanation."""
    assert len(SHOWN) == 2


def test_two_commands_come_first() -> None:
    """The first commands are the two that a newcomer needs, and name files that exist."""
    commands = re.findall(r"^    (\S.*)$", README, flags=re.MULTILINE)
    assert commands[:2] == [
        ".ci/try python examples/03_wildcard.py",
        ".ci/try python -m pytest",
    ]
    assert sys.platform == "win32" or (ROOT / ".ci/try").stat().st_mode & 0o111


def test_links_lead_somewhere() -> None:
    """Each relative link of the README is a file or a folder here."""
    targets = [t for t in re.findall(r"\]\(([^)]+)\)", README) if "://" not in t]
    assert targets
    assert [t for t in targets if not (ROOT / t).exists()] == []
