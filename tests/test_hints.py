"""The catalogue of refusals: right class, number, and a hint that this machine justifies."""

import errno
import os
import socket
import subprocess
import sys

import pytest
from attempts import IPV6, LINUX, leave_time_wait, port_of
from namespace import add_interface, in_namespace, ip, setting

from bindlab.endpoint import Endpoint
from bindlab.errors import (
    AddressInUseError,
    AddressNotAvailableError,
    BindError,
    DeviceNotFoundError,
    InvalidBindingError,
)
from bindlab.opening import bind, hints, listen
from bindlab.opening.hints import explain, own_addresses
from bindlab.opening.port_users import users_of

pytestmark = LINUX


def hint_of(error: type[BindError], port: int, address: str = "127.0.0.1", **options: str) -> str:
    with pytest.raises(error) as caught:
        bind(port, address, **options)  # type: ignore[arg-type]
    return caught.value.hint


def test_a_listener_is_named() -> None:
    """Who listens on the port is named, by the address that it has it on (hard case 8)."""
    with listen(0, "0.0.0.0") as server:
        port = port_of(server)
        expected = f"this process itself listens on 0.0.0.0:{port}"
        assert hint_of(AddressInUseError, port) == expected


@IPV6
def test_a_dual_stack_listener_is_found_behind_an_ipv4_address() -> None:
    """What covers IPv4 from an IPv6 socket is named too."""
    with listen(0, "::", dual_stack=True) as server:
        assert f"listens on [::]:{port_of(server)}" in hint_of(AddressInUseError, port_of(server))


def test_another_program_is_named_with_its_process() -> None:
    """A listener of another process is named by program and number."""
    code = (
        "import socket, sys\n"
        "s = socket.create_server(('127.0.0.1', 0))\n"
        "print(s.getsockname()[1], flush=True)\n"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        port = int(other.stdout.readline())
        with open(f"/proc/{other.pid}/comm", encoding="ascii") as file:
            name = file.read().strip()
        expected = f"{name} (process {other.pid}) listens on 127.0.0.1:{port}"
        assert hint_of(AddressInUseError, port) == expected
        assert other.stdin is not None
        other.stdin.close()


def test_a_udp_holder_is_named() -> None:
    """UDP sockets are visible as soon as they are bound."""
    with bind(transport="udp") as holder:
        hint = hint_of(AddressInUseError, port_of(holder), transport="udp")
        assert hint == f"this process itself has 127.0.0.1:{port_of(holder)}/udp"


def test_an_invisible_holder_is_guessed() -> None:
    """A socket that is bound and does not listen is in no table: the hint says so (hard case 8)."""
    with bind() as holder:
        hint = hint_of(AddressInUseError, port_of(holder))
        assert "bound without listening" in hint


def test_an_outgoing_connection_is_recognised() -> None:
    """A port can be the near end of somebody's connection."""
    with listen() as server, socket.create_connection(server.getsockname()) as client:
        hint = hint_of(AddressInUseError, port_of(client))
        assert hint == "this process itself has a connection that uses this port at its own end"


def test_connections_that_cannot_be_bound_over_are_recognised() -> None:
    """TIME_WAIT of a server that did not set SO_REUSEADDR: the hint says what, and how long."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    port = leave_time_wait(server)
    assert "TIME_WAIT" in hint_of(AddressInUseError, port)
    with pytest.raises(AddressInUseError, match="TIME_WAIT"):
        listen(port)


@in_namespace
def test_a_foreign_address_lists_the_own_ones() -> None:
    """EADDRNOTAVAIL says which addresses this host does have, of the same family (hard case 8)."""
    add_interface("net0")
    ip("addr", "add", "10.1.2.3/24", "dev", "net0")
    ip("addr", "add", "fd00::1/64", "dev", "net0", "nodad")
    assert hint_of(AddressNotAvailableError, 0, "192.0.2.77") == (
        "this host does not have it; it has 10.1.2.3, 127.0.0.1"
    )
    assert "fd00::1" in hint_of(AddressNotAvailableError, 0, "2001:db8::7")
    assert {str(address) for address in own_addresses()} >= {"10.1.2.3", "127.0.0.1", "fd00::1"}


@in_namespace
def test_zones_are_explained() -> None:
    """A missing zone, a wrong one, and one that is no interface (hard case 8)."""
    add_interface("net0")
    ip("addr", "add", "fe80::7/64", "dev", "net0", "nodad")
    assert hint_of(InvalidBindingError, 0, "fe80::7").endswith("write fe80::7%net0")
    assert hint_of(AddressNotAvailableError, 0, "fe80::7%lo").endswith("write fe80::7%net0")
    assert "'net9'" in hint_of(DeviceNotFoundError, 0, "fe80::7%net9")
    assert "'net9'" in hint_of(DeviceNotFoundError, 0, device="net9")


@in_namespace
def test_disabled_ipv6_is_named() -> None:
    """::1 with IPv6 off: the setting's name, and what to bind instead (hard case 6)."""
    setting("ipv6/conf/all/disable_ipv6", 1)
    assert "net.ipv6.conf.all.disable_ipv6" in hint_of(AddressNotAvailableError, 0, "::1")


@in_namespace
def test_a_namespace_without_loopback_is_told() -> None:
    """No IPv6 address anywhere: the hint does not blame the address."""
    ip("link", "set", "lo", "down")
    assert "no IPv6 address at all" in hint_of(AddressNotAvailableError, 0, "::1")


def test_a_hint_that_cannot_be_found_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong while asking, the error keeps the hint of the table."""

    def broken(*_: object) -> str:
        raise RuntimeError("the system is on fire")

    monkeypatch.setattr(hints, "_hint", broken)
    endpoint = Endpoint("127.0.0.1", 80)
    error = AddressInUseError(errno.EADDRINUSE, "in use", endpoint, "bind", "kept")
    explain(error)
    assert error.hint == "kept"


@pytest.mark.parametrize(
    ("platform", "error", "words"),
    [
        pytest.param(
            "darwin",
            AddressInUseError(errno.EADDRINUSE, "", Endpoint("0.0.0.0", 5000), "bind"),
            "AirPlay",
            id="macos-5000",
        ),
        pytest.param(
            "darwin",
            AddressNotAvailableError(errno.EADDRNOTAVAIL, "", Endpoint("127.0.0.2", 0), "bind"),
            "ifconfig lo0 alias 127.0.0.2",
            id="macos-loopback",
        ),
    ],
)
def test_other_systems_have_hints_from_documentation(
    platform: str, error: BindError, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is known of macOS by documentation only is said there, and nowhere else."""
    monkeypatch.setattr(hints, "_PLATFORM", platform)
    explain(error)
    assert words in error.hint
    monkeypatch.setattr(hints, "_PLATFORM", "linux")
    error.hint = ""
    explain(error)
    assert words not in error.hint


def test_windows_reserved_ranges_are_mentioned(monkeypatch: pytest.MonkeyPatch) -> None:
    """WSAEACCES has other reasons than privilege there (from documentation)."""
    monkeypatch.setattr(hints, "_PLATFORM", "win32")
    with pytest.raises(PermissionError) as caught:
        raise _refused(errno.EACCES)
    explain(caught.value)  # type: ignore[arg-type]
    assert "excludedportrange" in caught.value.hint  # type: ignore[attr-defined]


def _refused(number: int) -> BindError:
    from bindlab.errors import refusal

    return refusal(OSError(number, os.strerror(number)), Endpoint("127.0.0.1", 8000), "bind")


def test_the_table_of_users_knows_both_families() -> None:
    """Addresses are read in the kernel's byte order, for IPv4 and IPv6."""
    with listen(0, "127.0.0.1") as server:
        assert [str(user.ip) for user in users_of(port_of(server), "tcp")] == ["127.0.0.1"]
    if socket.has_ipv6:
        with listen(0, "::1") as server:
            assert [str(user.ip) for user in users_of(port_of(server), "tcp")] == ["::1"]
