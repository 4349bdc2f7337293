"""Names that others chose do no harm where they are shown: processes, interfaces, devices."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Interface

import pytest
from attempts import LINUX, LISTED, PYPY
from hypothesis import given, settings
from hypothesis import strategies as st
from namespace import in_namespace, ip

from bindlab import (
    Binding,
    Endpoint,
    Host,
    Interface,
    Reach,
    Route,
    answering,
    bind,
    explain,
    listen,
)
from bindlab.__main__ import main
from bindlab.errors import AddressInUseError, BindError
from bindlab.lab.errors import LabError
from bindlab.linux import processes
from bindlab.linux.processes import owners_of
from bindlab.printable import json_text
from bindlab.testing import assert_loopback_only, assert_not_reachable, assert_reachable

NAMED = """
import ctypes, socket, sys
PR_SET_NAME = 15
ctypes.CDLL(None).prctl(PR_SET_NAME, sys.argv[1].encode("utf-8", "surrogateescape"), 0, 0, 0)
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
sys.stdin.read()
"""
FORGED = "FORGED LINE"


@contextmanager
def served_by(name: str) -> Iterator[int]:
    """Have a process that calls itself *name* listen on a port of loopback, and yield it."""
    command = [sys.executable, "-c", NAMED, name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.communicate()


def assert_lines_are_plain(text: str) -> None:
    """Assert that *text* encodes, that a terminal acts on nothing in it, and no line is forged."""
    text.encode()
    for line in text.split("\n"):
        assert line.isprintable(), ascii(line)
        assert not line.startswith(FORGED), ascii(text)


@LISTED
@LINUX
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("\x1b[2J\x1b[31mroot", r"\x1b[2J\x1b[31mroot", id="escape-sequences"),
        pytest.param(f"\n{FORGED}", rf"\n{FORGED}", id="line-break"),
        pytest.param("\u202egpj.exe\u2066", r"\u202egpj.exe\u2066", id="bidirectional-marks"),
        pytest.param("\udcff\udcfe", "\ufffd\ufffd", id="no-utf-8"),
        pytest.param("", "a program", id="none"),
    ],
)
def test_a_process_names_itself(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, shown: str
) -> None:
    """Any process may have listen() refused by it, and chooses its name (PR_SET_NAME)."""
    # A machine that is busy looks at few processes in the usual 20 ms.
    monkeypatch.setattr(processes, "owners_of", lambda inodes, _: owners_of(inodes, 10.0))
    with served_by(name) as port:
        with pytest.raises(AddressInUseError) as caught:
            listen(port)
        message, explanation = str(caught.value), str(explain(port))
        assert main([str(port)]) == 0
        printed = capsys.readouterr().out
    assert "\n" not in message
    for text in (message, explanation, printed):
        assert_lines_are_plain(text)
        assert f"{shown} (process " in " ".join(text.split())


@pytest.mark.skipif(PYPY, reason="PyPy cannot name such interfaces")
@LINUX
@in_namespace
def test_the_kernel_takes_such_names_for_interfaces() -> None:
    """Root of a namespace names its interfaces so, and errors and the command list them."""
    name = "\x1b[31m\udcff\u202e"
    ip("link", "add", name, "type", "veth", "peer", "name", "wire0")
    ip("link", "set", "wire0", "up")
    ip("addr", "add", "10.9.9.1/24", "dev", name)
    ip("link", "set", name, "up")
    with pytest.raises(BindError) as caught:
        bind(0, device="nosuch")
    with listen(0, "0.0.0.0") as server:
        port = server.getsockname()[1]
        texts = [str(explain(port, "10.9.9.7"))]
        for arguments in ([], [str(port)], [f"0.0.0.0:{port}"], [str(port), "--from", "10.9.9.7"]):
            command = [sys.executable, "-m", "bindlab", *arguments]
            done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
            texts.append(done.stdout)
    with listen() as private:
        texts.append(str(answering(private.getsockname()[1])))
    for text in texts:
        assert_lines_are_plain(text)
        assert r"\x1b[31m\udcff\u202e" in text
    message = str(caught.value)
    assert_lines_are_plain(message)
    assert "\n" not in message
    assert r"\x1b[31m\udcff\u202e" in message


characters = st.sampled_from("a\x1b\n\r\t\x07\x7f\x9b\u2028\u202e\u2066\udcff\xa0%:[<é無") | (
    st.characters(codec=None, exclude_categories=(), exclude_characters="\0")
)
names = (st.text(characters, min_size=1, max_size=15) | st.just(f"\n{FORGED}")).filter("lo".__ne__)
labels = st.none() | st.text(characters, max_size=300)


@st.composite
def hosts(draw: st.DrawFn) -> Host:
    """Draw a machine whose interfaces others named."""
    called = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    found = [Interface("lo", 1, None, ["127.0.0.1/8", "::1/128"], True, True, is_loopback=True)]
    for number, name in enumerate(called, start=2):
        addresses = [f"10.0.{number}.1/24", f"fe80::{number}/64", f"2001:db8:{number}::1/64"]
        is_up = draw(st.none() | st.booleans())
        found.append(Interface(name, number, draw(labels), addresses, is_up))
    default = Route("0.0.0.0/0", called[0], "10.0.2.254")
    routes = draw(st.sampled_from([None, [default], [Route("10.0.0.0/16", called[-1])]]))
    return Host(found, routes=routes)


@settings(deadline=None, max_examples=40)
@given(hosts(), st.data())
def test_interfaces_are_named_by_others(host: Host, data: st.DataObject) -> None:
    """All that a host's names appear in can be printed and sent, and no line of it is forged."""
    last = host.interfaces[-1]
    device = data.draw(st.none() | st.sampled_from([i.name for i in host.interfaces]) | names)
    address = data.draw(
        st.sampled_from(
            ["0.0.0.0", "::", "127.0.0.1", "10.0.2.1", "10.9.9.9", "fe80::2", "ff02::1"]
        )
    )
    transport = data.draw(st.sampled_from(["tcp", "udp"]))
    binding = Binding(Endpoint(address, 3000, transport), device=device, listening=True)
    reach = Reach([binding], host)
    one_line = [str(binding), *map(str, host.routes or ()), *map(str, host.interfaces[-1:])]
    texts = [str(reach), reach.diagram(), reach._repr_html_(), repr(reach), repr(host)]
    documents: list[object] = [reach.to_document(), host.to_document()]
    for origin in (
        *host.interfaces,
        *(a.network for a in last.addresses),
        "10.0.2.50",
        "fe80::99",
        "198.51.100.7",
        "internet",
    ):
        try:
            verdict = reach.verdict(origin)
        except ValueError as error:
            one_line.append(str(error))
            continue
        one_line += [str(verdict), verdict.who, verdict.explanation, verdict.opens]
        one_line += [text for each in verdict.endpoints for text in (str(each), each.reason)]
        texts.append(verdict._repr_html_())
        found = explain(binding, origin, host=host)
        texts.append(str(found))
        documents.append(found.to_document())
        for assertion in (assert_reachable, assert_not_reachable):
            try:
                assertion(binding, origin, host=host)
            except AssertionError as error:
                texts.append(str(error))
    texts.append(str(explain(binding, host=host)))
    try:
        assert_loopback_only(binding, host=host)
    except AssertionError as error:
        texts.append(str(error))
    for question in (
        lambda: host.interface("not-an-interface"),
        lambda: reach.verdict("fe80::1%not-an-interface"),
    ):
        with pytest.raises(ValueError, match="no interface 'not-an-interface'") as caught:
            question()
        one_line.append(str(caught.value))
    for text in one_line:
        assert "\n" not in text, ascii(text)
    for text in (*texts, *one_line):
        assert_lines_are_plain(text)
    for document in documents:
        assert_lines_are_plain(json_text(document))
    assert_lines_are_plain(host.to_json())
    assert Host.from_json(host.to_json()) == host


@LINUX
def test_what_programs_write_is_shown_line_by_line() -> None:
    """An error of the lab keeps the lines of what a program wrote, and nothing else of it."""
    error = LabError(None, "nft refuses the firewall: \x1b[31m\n^^^\u202e")
    assert str(error) == "nft refuses the firewall: \\x1b[31m\n^^^\\u202e"


def test_a_zone_that_cannot_be_written_is_left_out() -> None:
    """An address whose interface has such a name can be written and read again."""
    (address,) = Interface("\x1b[m", None, None, ["fe80::1/64"]).addresses
    assert address == IPv6Interface("fe80::1/64")
