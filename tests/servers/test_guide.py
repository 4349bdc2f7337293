"""The guide says of each server what the tests of that server show."""

import re

import pytest

from tests.servers.cases import CASES, Case
from tests.servers.guide import GUIDE, snippets

_ROWS = {
    cells[0].partition("]")[0].lstrip("["): cells
    for line in re.findall(r"^\| (\[.*) \|$", GUIDE.read_text(), re.MULTILINE)
    if (cells := line.split(" | "))
}


def test_every_snippet_is_run() -> None:
    """Each heading with a snippet is a case, and a row of the table."""
    assert [*snippets()] == [case.heading for case in CASES]
    assert [*_ROWS] == [*snippets()]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_table_says_what_is_tested(case: Case) -> None:
    """What a row says of sockets, listen() and backlog is what its case expects."""
    _, _, sockets, listens, backlog, *_ = _ROWS[case.heading]
    assert sockets == ("none" if case.lent else "several" if case.several else "one")
    assert listens == ("-" if case.lent else "yes" if case.listens else "no")
    assert backlog == str(case.backlog or "-")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_snippet_opens_its_sockets_in_one_call(case: Case) -> None:
    """It is the call that the test answers with sockets of its own choice."""
    calls = re.findall(r"\b(?:listen|allocate)\([^()]+\)", snippets()[case.heading])
    assert calls == [
        "allocate(port=8000, lendable=True)"
        if case.lent
        else 'allocate("localhost", port=8000)'
        if case.several
        else "listen(8000)"
    ]


def test_the_table_leads_to_the_sections() -> None:
    """A link within the guide is the heading's text as Markdown makes an anchor of it."""
    links = re.findall(r"^\| \[(.*?)\]\(#(.*?)\)", GUIDE.read_text(), re.MULTILINE)
    assert len(links) == len(CASES)
    for heading, anchor in links:
        assert anchor == re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
