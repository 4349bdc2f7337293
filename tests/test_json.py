"""The codes of the JSON are those that its document lists: neither has one that the other lacks."""

import json
import re
from pathlib import Path

import pytest

from bindlab import Condition, Host, Outcome, Scope, explain
from bindlab.assumption import Assumption
from bindlab.command import main
from bindlab.explaining.checks import CODES
from bindlab.explaining.clients import ADDED

PAGE = (Path(__file__).parent.parent / "docs/reference/json.md").read_text()


def listed(heading: str) -> list[str]:
    """Return the codes in the table whose first column is called *heading*."""
    (table,) = re.findall(rf"^\| {heading} \|.*\n\|---.*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    return re.findall(r"^\| `(\w+)`", table, re.MULTILINE)


def codes(enum: type) -> set[str]:
    """Return the codes of the members of *enum*."""
    return {member.name.lower() for member in enum}


def test_checks_are_listed() -> None:
    """A check that decides a condition has its code; each other one is in the table."""
    known = CODES | {each.code for each in ADDED}
    assert set(listed("check")) == known - codes(Condition)
    assert codes(Condition) <= known


def test_assumptions_and_outcomes_are_listed() -> None:
    """Every assumption and every outcome is in its table; every scope is in a sentence."""
    assert set(listed("assumption")) == codes(Assumption)
    assert set(listed("outcome")) == codes(Outcome)
    assert all(f"`{scope}`" in PAGE for scope in codes(Scope))


def test_keys_of_an_explanation_are_listed() -> None:
    """The table has the keys that the document has."""
    document = explain("127.0.0.1:1", host=Host.of(lo="127.0.0.1/8")).to_document()
    (about,) = re.findall(r"^\| `summary`(?:.*\n)+?\n", PAGE, re.MULTILINE)
    assert set(re.findall(r"^\| `(\w+)`", about, re.MULTILINE)) == document.keys() - {"kind"}


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ([], "machine"),
        (["127.0.0.1:1"], "explanation"),
        (["127.0.0.1:1", "--from", "internet"], "explanation"),
        (["1"], "explanation"),
        (["probe", "127.0.0.1:1"], "probe"),
    ],
)
def test_every_document_says_what_it_is(
    arguments: list[str], kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A document has a version and a kind, and every check and assumption a code."""
    main([*arguments, "--json"])
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["kind"]) == (1, kind)
    assert kind in listed("`kind`")
    for each in (*document.get("checks", ()), *document.get("assumptions", ())):
        assert each["code"]
    assert kind != "explanation" or "table" in document
