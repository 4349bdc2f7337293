"""Foreign text is printable, wherever bindlab shows it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bindlab.printable import json_text, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("eth0", "eth0", id="plain"),
        pytest.param("Wi-Fi на кухне 無線", "Wi-Fi на кухне 無線", id="any-script"),
        pytest.param("\x1b]0;root\x07", r"\x1b]0;root\x07", id="escape-sequence"),
        pytest.param("a\r\nb\u2028c", r"a\r\nb\u2028c", id="line-breaks"),
        pytest.param("\x9b31m", r"\x9b31m", id="c1-control"),
        pytest.param("\u202etxt.exe\u2066", r"\u202etxt.exe\u2066", id="bidirectional-marks"),
        pytest.param("\udcff", r"\udcff", id="lone-surrogate"),
        pytest.param("\x7f\x00", r"\x7f\x00", id="delete-and-nul"),
        pytest.param("a b\xa0c", r"a b\xa0c", id="no-break-space"),
        pytest.param("", "", id="empty"),
    ],
)
def test_what_acts_on_a_terminal_is_escaped(text: str, shown: str) -> None:
    """Only what can be seen is printed as it is."""
    assert printable(text) == shown


@given(st.text(st.characters(codec=None, exclude_categories=())), st.integers(4, 300))
def test_the_result_is_one_printable_line(text: str, longest: int) -> None:
    """It is printable, encodes, is as short as asked for, and stays the same the second time."""
    shown = printable(text, longest)
    assert shown.isprintable()
    assert len(shown) <= longest
    shown.encode()
    assert printable(shown, longest) == shown
    if text.isprintable() and len(text) <= longest:
        assert shown == text


def test_long_text_is_cut() -> None:
    """What is longer than asked for ends in three dots."""
    assert printable("x" * 300) == "x" * 252 + "..."
    assert printable("x" * 255) == "x" * 255
    assert printable("\n" * 200, 10) == r"\n\n\n\..."


def test_json_is_plain_ascii() -> None:
    """JSON has no control character but its own line breaks, and says the same."""
    odd = {"name": "\x7f\x1b\u202e\udcff\n"}
    text = json_text(odd)
    assert all(line.isascii() and line.isprintable() for line in text.split("\n"))
    assert json.loads(text) == odd
