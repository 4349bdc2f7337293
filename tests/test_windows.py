"""Windows on Linux: what its CPython says, played; tests/systems/wine tries the real one."""

import errno
import io
import socket
import sys

import ifaddr
import pytest

import bindlab.__main__ as program
from bindlab import Host, Interface, binding_of, reachable_from
from bindlab.errors import bind_error, error_text
from bindlab.snapshot import machine


def _adapter(name: str, nice_name: str, index: int) -> ifaddr.Adapter:
    return ifaddr.Adapter(name, nice_name, [ifaddr.IP(f"10.0.{index}.1", 24, nice_name)], index)


def test_an_interface_is_called_as_people_call_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables and sentences have the friendly name; two that are called the same have a GUID."""
    adapters = [
        _adapter("{A}", "Intel(R) Wi-Fi 6", 3),
        _adapter("{B}", "Twin", 4),
        _adapter("{C}", "Twin", 5),
    ]
    monkeypatch.setattr(machine, "system", lambda: "windows")
    monkeypatch.setattr(machine, "listed", lambda _: (adapters, machine.Facts()))
    found = machine.interfaces()
    assert [each.name for each in found] == ["Intel(R) Wi-Fi 6", "{B}", "{C}"]
    table = str(reachable_from("0.0.0.0:3000", host=Host(found, "windows")))
    assert "10.0.3.0/24 (Intel(R) Wi-Fi 6)" in table
    assert "{A}" not in table


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
    assert str(bind_error(wordless, None, "")) == "The network address is in use"
    assert bind_error(OSError(errno.EADDRINUSE, "as it is"), None, "bind").strerror == "as it is"


class ClosedPipe(io.StringIO):
    """What standard output is on Windows when its reader is gone."""

    def flush(self) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")


def test_a_closed_pipe_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The reader of ``python -m bindlab`` has seen enough, as in ``| more``."""
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(sys, "stdout", ClosedPipe())
    monkeypatch.setattr(program, "_answer_to", lambda _: (0, "text"))
    monkeypatch.setattr(program, "_discard_output", lambda: None)
    assert program.main([]) == 0
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
