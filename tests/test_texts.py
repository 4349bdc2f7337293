"""What people read is stored, on five machines, so that a reader of the tests can judge it."""

import os
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from texts.forms import WIDTHS, name_of, page, printed
from texts.hosts import HOSTS

from bindlab import Host, Interface, explain, reachable_from
from bindlab.page import width_of

TESTS = Path(__file__).parent
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def stored(host: str, width: int) -> str:
    """Return the stored page."""
    return (TESTS / "texts" / name_of(host, width)).read_text()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("host", HOSTS)
def test_the_stored_texts(host: str, width: int) -> None:
    """Every form reads as it is stored: ``python -m tests.texts`` writes it anew."""
    assert page(host, width) == stored(host, width), "to change it: python -m tests.texts"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("host", HOSTS)
def test_stored_texts_fit(host: str, width: int) -> None:
    """No line is wider than the page."""
    assert [line for line in stored(host, width).splitlines() if width_of(line) > width] == []


def test_a_screen_holds_it() -> None:
    """On a laptop with Docker and a VPN, 15 lines for the machine and 24 for a port."""
    lines = {words: printed("docker-vpn", words, 80).count("\n") for words in ("", "3000", "8000")}
    assert lines[""] <= 15
    assert max(lines.values()) <= 24


def run(host: str, *arguments: str, terminal: bool, **variables: str) -> str:
    """Return what the command prints in a process of its own: in a terminal, or in a pipe."""
    kept = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM")
    environ = {name: value for name, value in os.environ.items() if name not in kept}
    command = [sys.executable, "-m", "tests.texts", host, *arguments]
    options = {"cwd": TESTS.parent, "env": {**environ, "TERM": "xterm", **variables}}
    if not terminal:
        return subprocess.run(command, capture_output=True, text=True, **options).stdout
    import pty  # which Windows has not

    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, **options) as done:
        os.close(theirs)
        read = b""
        while chunk := _read(ours, done):
            read += chunk
    os.close(ours)
    return read.decode().replace("\r\n", "\n")


def _read(terminal: int, process: subprocess.Popen) -> bytes:
    """Return what *process* wrote; nothing when it has ended, and all that it wrote was read."""
    ended = None
    while not select.select([terminal], [], [], 0.1)[0]:
        if ended is not None:  # gVisor does not say that the other end is closed
            return b""
        ended = process.poll()
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux's way to say so
        return b""


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal of Unix")
@pytest.mark.parametrize("words", ["", "8000", "3000 --from 192.168.0.50"])
def test_a_terminal_and_a_pipe(words: str) -> None:
    """Both show the same text, 80 columns wide where nobody says more; a terminal in colours."""
    plain = printed("docker-vpn", words, 80)
    arguments = words.split()
    assert run("docker-vpn", *arguments, terminal=False) == plain
    shown = run("docker-vpn", *arguments, terminal=True)
    assert COLOURS.sub("", shown) == plain
    assert ("\x1b[" in shown) == (words != "")
    assert run("docker-vpn", *arguments, terminal=True, NO_COLOR="1") == plain
    assert run("docker-vpn", *arguments, terminal=True, TERM="dumb") == plain
    forced = run("docker-vpn", *arguments, terminal=False, FORCE_COLOR="1")
    assert (forced != plain) == (words != "")
    assert COLOURS.sub("", forced) == plain


names = st.text("abcdefghijklmnopqrstuvwxyz无0123456789 -", min_size=1, max_size=30).map(str.strip)
addresses = st.one_of(
    st.integers(1, 2**32 - 2).map(lambda n: f"10.{n % 200}.{n % 7}.{1 + n % 250}/24"),
    st.integers(1, 2**64 - 1).map(lambda n: f"2001:db8:1:2:{n >> 48:x}:{n >> 32 & 0xFFFF:x}::1/64"),
    st.integers(1, 2**16 - 1).map(lambda n: f"fe80::{n:x}/64"),
)


@st.composite
def hosts(draw: st.DrawFn) -> Host:
    """Draw a machine with any names and addresses."""
    called = draw(st.lists(names.filter(bool), min_size=1, max_size=6, unique=True))
    found = [Interface("lo", 1, None, ["127.0.0.1/8", "::1/128"], True, True, is_loopback=True)]
    for number, name in enumerate(called, start=2):
        if name != "lo":
            own = draw(st.lists(addresses, max_size=3, unique=True))
            found.append(Interface(name, number, None, own, draw(st.none() | st.booleans())))
    return Host(found)


@settings(deadline=None, max_examples=60)
@given(hosts(), st.integers(40, 140), st.sampled_from(["127.0.0.1", "0.0.0.0", "[::]"]))
def test_any_text_fits_any_width(host: Host, width: int, bound: str) -> None:
    """No line is wider than the page, unless it is one address; no word is broken or lost."""
    reach = reachable_from(f"{bound}:3000", host=host)
    found = [explain(f"{bound}:3000", origin, host=host) for origin in (None, "10.3.3.3", "beyond")]
    for each in (reach, *found):
        text = each.text(width=width)
        for line in text.splitlines():
            assert width_of(line) <= width or len(line.split()) == 1, line
        assert text.split() == each.text(width=1000).split()
    for line in reach.diagram(width=width).splitlines():
        assert width_of(line) <= max(width, 80), line


def test_long_names_are_cut_to_80_columns() -> None:
    """Names of 255 characters leave no line wider than 80 columns."""
    named = [
        Interface(f"{'n' * 250}{i}", i + 1, None, [f"10.0.{i}.1/24", f"fe80::{i}/64"], True, True)
        for i in range(20)
    ]
    host = Host(named)
    for bound in ("0.0.0.0:3000", "[::]:3000", "10.0.1.1:3000", f"[fe80::1%{'n' * 250}1]:3000"):
        reach = reachable_from(bound, host=host)
        texts = [reach.text(width=80, unfolded=True), reach.diagram(width=80)]
        texts += [explain(bound, who, host=host).text(width=80) for who in ("10.0.1.7", "beyond")]
        for text in texts:
            assert [line for line in text.splitlines() if width_of(line) > 80] == []
