"""Windows on Linux: what its CPython says, played; tests/systems/wine tries the real one."""

import errno
import io
import socket
import sys
from collections.abc import Callable

import ifaddr
import pytest

from bindlab import (
    Endpoint,
    Host,
    Interface,
    adopt,
    bind,
    binding_of,
    explain,
    listen,
    reachable_from,
)
from bindlab.command import output
from bindlab.errors import bind_error, error_text
from bindlab.opening import hints
from bindlab.snapshot import machine


def _adapter(name: str, nice_name: str, index: int) -> ifaddr.Adapter:
    return ifaddr.Adapter(name, nice_name, [ifaddr.IP(f"10.0.{index}.1", 24, nice_name)], index)


def test_an_interface_is_called_as_people_call_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables and sentences have the friendly name, with the index if two are called the same."""
    adapters = [
        _adapter("{A}", "Intel(R) Wi-Fi 6", 3),
        _adapter("{B}", "Twin", 4),
        _adapter("{C}", "Twin", 5),
        _adapter("", "", 6),
    ]
    monkeypatch.setattr(machine, "system", lambda: "windows")
    monkeypatch.setattr(machine, "_listed", lambda _: (adapters, machine.Facts()))
    found = machine.interfaces()
    assert [each.name for each in found] == [
        "Intel(R) Wi-Fi 6",
        "Twin (interface 4)",
        "Twin (interface 5)",
        "6",
    ]
    table = str(reachable_from("0.0.0.0:3000", host=Host(found, "windows")))
    assert "10.0.3.0/24 (Intel(R) Wi-Fi 6)" in table
    assert "{" not in table


GUID = "{8A1B2C3D-0000-1111-2222-333344445555}"
NAMED_BY_GUID = Host(
    [
        Interface("{LO}", 1, "Loopback", ["127.0.0.1/8", "::1/128"], is_loopback=True),
        Interface(GUID, 3, "Wi-Fi", ["192.168.0.2/24", "fe80::5/64", f"fe80::6%{GUID}/64"]),
        Interface("{TWO}", 4, "Ethernet", ["10.0.0.2/24", "fe80::7/64"]),
    ],
    "windows",
)


@pytest.mark.parametrize("bound", ["0.0.0.0:3000", "[::]:3000", "[fe80::7%4]:3000"])
def test_a_guid_is_shown_nowhere(bound: str) -> None:
    """On a made-up host too: tables, pictures, sentences and zones have what people can type."""
    reach = reachable_from(bound, host=NAMED_BY_GUID)
    told = [str(reach), reach.diagram(), *reach.urls()]
    for origin in ("192.168.0.9", "fe80::9%3", "10.0.0.9", NAMED_BY_GUID.interface("Wi-Fi")):
        verdict = reach.verdict(origin)
        told += [verdict.who, str(verdict), str(explain(bound, origin, host=NAMED_BY_GUID))]
        told += [f"{each} {each.interface} {each.reason}" for each in verdict.endpoints]
    assert not [text for text in told if "{" in text]
    assert "fe80::5" in reach.diagram()


@pytest.mark.parametrize(
    "name", ["vEthernet (WSL)", "Hyper-V Virtual Ethernet Adapter", "VirtualBox Host-Only Network"]
)
def test_virtual_interfaces_are_known_by_their_friendly_names(name: str) -> None:
    """The address of a real network goes before that of a network of virtual machines."""
    virtual = Interface("{A}", 3, name, ["172.20.0.1/24"], is_up=True)
    real = Interface("{B}", 4, "Ethernet", ["192.168.0.2/24"], is_up=True)
    host = Host([virtual, real], "windows")
    best = reachable_from("0.0.0.0:3000", host=host).endpoints
    assert [str(each.ip) for each in best][:2] == ["192.168.0.2", "172.20.0.1"]


def test_winsock_numbers_have_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """os.strerror() knows none of Winsock's numbers; Python's own table has them."""
    table = {10048: "The network address is in use."}
    monkeypatch.setattr(socket, "errorTab", table, raising=False)
    assert error_text(10048) == "The network address is in use"
    wordless = OSError(10048, "Windows Error 0x2740")
    assert bind_error(wordless, None, "").strerror == "The network address is in use"
    assert bind_error(OSError(errno.EADDRINUSE, "as it is"), None, "bind").strerror == "as it is"


class ClosedPipe(io.StringIO):
    """What standard output is on Windows when its reader is gone."""

    def flush(self) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")


def test_a_closed_pipe_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The reader of ``bindlab`` has seen enough, as in ``| more``."""
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(sys, "stdout", ClosedPipe())
    monkeypatch.setattr(output, "discard_output", lambda: None)
    assert output.write("text", 1) == 0
    assert capsys.readouterr().err == ""


def test_a_stale_descriptor_is_a_closed_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows says ENOTSOCK of it; it is the ValueError of every closed socket."""

    def refuses(_: int) -> socket.socket:
        raise OSError(errno.ENOTSOCK, "not a socket")

    with socket.socket() as sock:
        monkeypatch.setattr("bindlab.inspect_socket.duplicate_of", refuses)
        monkeypatch.setattr(sys, "platform", "win32")
        with pytest.raises(ValueError, match="closed"):
            binding_of(sock)


def _accepted_have_the_options_of_the_listener() -> bool:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with socket.create_connection(server.getsockname()), server.accept()[0] as accepted:
            return bool(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))


def _adopted() -> socket.socket:
    return adopt(socket.create_server(("127.0.0.1", 0)).detach())


@pytest.mark.parametrize("make", [listen, bind, _adopted])
def test_accepted_connections_have_nagle_off_where_python_forgets_the_protocol(
    make: Callable[[], socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows and macOS tell no protocol number, and asyncio switches off for TCP's alone."""
    if not _accepted_have_the_options_of_the_listener():
        pytest.skip("what accept() returns has options of its own, on this network stack")
    monkeypatch.setattr("bindlab.opening.one_socket._FORGETS_PROTOCOL", True)
    with make() as server:
        server.listen()
        with socket.create_connection(server.getsockname()), server.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_datagram_socket_has_no_nagle(monkeypatch: pytest.MonkeyPatch) -> None:
    """The option is TCP's."""
    monkeypatch.setattr("bindlab.opening.one_socket._FORGETS_PROTOCOL", True)
    bind(transport="udp").close()


def test_hints_write_the_number_of_a_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows takes an index behind the %, and no name."""
    own = Interface("Wi-Fi", 3, addresses=["fe80::5%3/64"])
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr("bindlab.snapshot.interfaces", lambda: [own])
    assert "write fe80::5%3" in hints._why_not_available(Endpoint("fe80::5%4", 0), None)
    assert hints._what_is_invalid(Endpoint("fe80::5", 0)).endswith("write fe80::5%3")
