"""The catalogue of refusals: right class, number, and a hint that this machine justifies."""

import errno
import os
import socket
import subprocess
import sys

import pytest
from attempts import IPV6, LINUX, LISTED, leave_time_wait, port_of
from namespace import add_interface, become_nobody, in_namespace, ip, setting

from bindlab.endpoint import Endpoint
from bindlab.errors import (
    AddressInUseError,
    AddressNotAvailableError,
    BindError,
    BindPermissionError,
    DeviceNotFoundError,
    InvalidBindingError,
)
from bindlab.linux import processes, sockets_on
from bindlab.linux.processes import Owners
from bindlab.opening import allocate, bind, hints, listen
from bindlab.opening.hints import add_hint

pytestmark = LINUX
UNSEEN = (
    "no visible socket listens there: one is bound without listening, "
    "or a wildcard address of the other family covers it"
)


def hint_of(error: type[BindError], port: int, address: str = "127.0.0.1", **options: str) -> str:
    with pytest.raises(error) as caught:
        bind(port, address, **options)  # type: ignore[arg-type]
    return caught.value.hint


@LISTED
def test_a_listener_is_named() -> None:
    """Who listens on the port is named, by the address that it has it on (hard case 8)."""
    with listen(0, "0.0.0.0") as server:
        port = port_of(server)
        expected = f"this process itself listens on 0.0.0.0:{port}"
        assert hint_of(AddressInUseError, port) == expected


@LISTED
@IPV6
def test_a_dual_stack_listener_is_found_behind_an_ipv4_address() -> None:
    """What covers IPv4 from an IPv6 socket is named too."""
    with listen(0, "::", dual_stack=True) as server:
        assert f"listens on [::]:{port_of(server)}" in hint_of(AddressInUseError, port_of(server))


@LISTED
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
        with open(f"/proc/{other.pid}/comm", encoding="utf-8") as file:
            name = file.read().strip()
        expected = f"{name} (process {other.pid}) listens on 127.0.0.1:{port}"
        assert hint_of(AddressInUseError, port) == expected
        assert other.stdin is not None
        other.stdin.close()


@LISTED
def test_a_search_that_ended_early_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Among too many processes the owner is not found in time: only its user is known."""
    with listen() as server:
        port, user = port_of(server), os.getuid()
        monkeypatch.setattr(processes, "owners_of", lambda *_: Owners({}, out_of_time=True))
        expected = f"a process of user {user} (not all were looked at) listens on 127.0.0.1:{port}"
        assert hint_of(AddressInUseError, port) == expected


@LISTED
def test_a_udp_holder_is_named() -> None:
    """UDP sockets are visible as soon as they are bound."""
    with bind(transport="udp") as holder:
        hint = hint_of(AddressInUseError, port_of(holder), transport="udp")
        assert hint == f"this process itself has 127.0.0.1:{port_of(holder)}/udp"


@LISTED
def test_a_holder_that_does_not_listen_is_named_or_guessed() -> None:
    """A socket that is bound is listed since Linux 6.8; before, it is guessed (hard case 8)."""
    with bind() as holder:
        port = port_of(holder)
        expected = f"this process itself has bound 127.0.0.1:{port} without listening"
        hint = hint_of(AddressInUseError, port)
        assert hint == (expected if sockets_on(port) else UNSEEN)


@LISTED
def test_an_outgoing_connection_is_recognised() -> None:
    """A port can be the near end of somebody's connection."""
    with listen() as server, socket.create_connection(server.getsockname()) as client:
        hint = hint_of(AddressInUseError, port_of(client))
        assert hint == "this process itself has a connection that uses this port at its own end"


@LISTED
def test_connections_that_cannot_be_bound_over_are_recognised() -> None:
    """TIME_WAIT of a server that did not set SO_REUSEADDR: the hint says what, and how long."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    port = leave_time_wait(server)
    assert "no process has any more" in hint_of(AddressInUseError, port)
    with pytest.raises(AddressInUseError, match="TIME_WAIT"):
        listen(port)


@LISTED
def test_what_no_process_has_is_nobody_s() -> None:
    """A closed connection whose other end is open (FIN_WAIT2) is not said to be somebody's."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    with socket.create_connection(server.getsockname()):
        port = port_of(server)
        server.accept()[0].close()
        server.close()
        hint = hint_of(AddressInUseError, port)
    assert "no process has any more" in hint
    assert "out of sight" not in hint


@IPV6
@pytest.mark.parametrize("transport", ["tcp", "udp"])
@in_namespace
def test_an_ipv6_wildcard_is_not_accused_of_what_it_may_not_do(transport: str) -> None:
    """Linux says which [::] is IPv6 only: that one does not have an IPv4 port."""
    kind = "udp" if transport == "udp" else "tcp"
    with bind(0, "0.0.0.0", transport=kind) as holder:
        port = port_of(holder)
        with bind(port, "::", transport=kind) as other:
            if kind == "tcp":
                other.listen()
                holder.listen()
            hint = hint_of(AddressInUseError, port, transport=kind)
            assert f"0.0.0.0:{port}" in hint
            hint = hint_of(AddressInUseError, port, "::1", transport=kind)
            assert f"[::]:{port}" in hint


def test_a_list_that_cannot_be_read_is_not_an_empty_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system lists no sockets, the error has the hint of the table of errors."""
    with bind() as holder:
        monkeypatch.setattr("bindlab.linux.sockets_on", lambda *_, **__: None)
        for opening in (lambda port: allocate(port=port), bind, listen):
            with pytest.raises(AddressInUseError, match=r"\(another socket has this port; take"):
                opening(port_of(holder))


CROWDED = """
import os, resource, sys
from bindlab.opening import allocate, bind
from bindlab.errors import AddressInUseError
with bind() as holder:
    port = holder.getsockname()[1]
    spare = os.dup(0)
    resource.setrlimit(resource.RLIMIT_NOFILE, (spare + 1, spare + 1))
    os.close(spare)
    for _ in range(2):
        try:
            allocate(port=port)
        except AddressInUseError as error:
            print("bindlab.linux" in sys.modules, error.errno, bool(error.hint))
"""


def test_a_refusal_survives_the_lack_of_descriptors() -> None:
    """With no descriptor left to look for connections with, a port in use is still just that."""
    run = subprocess.run([sys.executable, "-c", CROWDED], capture_output=True, text=True)
    assert run.stderr == ""
    lines = run.stdout.splitlines()
    assert [line.split()[1:] for line in lines] == [[str(errno.EADDRINUSE), "True"]] * 2


@in_namespace
def test_a_port_that_would_do_exists() -> None:
    """The port to try instead is one that needs no privilege, and never above 65535."""
    setting("ipv4/ip_local_port_range", "60001 65535")  # must lie above the other
    setting("ipv4/ip_unprivileged_port_start", 60000)
    become_nobody()
    assert hint_of(BindPermissionError, 80).endswith("try 60000")
    assert hint_of(BindPermissionError, 59999).endswith("try 60000")
    assert hint_of(BindPermissionError, 53000).endswith("try 61000")


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


@in_namespace
def test_zones_are_explained() -> None:
    """A missing zone, a wrong one, and one that is no interface (hard case 8)."""
    add_interface("net0")
    ip("addr", "add", "fe80::7/64", "dev", "net0", "nodad")
    assert hint_of(InvalidBindingError, 0, "fe80::7").endswith("write fe80::7%net0")
    assert hint_of(AddressNotAvailableError, 0, "fe80::7%lo").endswith("write fe80::7%net0")
    assert "'net9'" in hint_of(DeviceNotFoundError, 0, "fe80::7%net9")
    assert "'net9'" in hint_of(DeviceNotFoundError, 0, device="net9")


@pytest.mark.parametrize("place", ["all", "lo"])
@in_namespace
def test_disabled_ipv6_is_named(place: str) -> None:
    """::1 with IPv6 off: the setting's name, and what to bind instead (hard case 6)."""
    setting(f"ipv6/conf/{place}/disable_ipv6", 1)
    assert f"net.ipv6.conf.{place}.disable_ipv6" in hint_of(AddressNotAvailableError, 0, "::1")


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
    add_hint(error)
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
    add_hint(error)
    assert words in error.hint
    monkeypatch.setattr(hints, "_PLATFORM", "linux")
    error.hint = ""
    add_hint(error)
    assert words not in error.hint


def test_windows_reserved_ranges_are_mentioned(monkeypatch: pytest.MonkeyPatch) -> None:
    """WSAEACCES has other reasons than privilege there (from documentation)."""
    monkeypatch.setattr(hints, "_PLATFORM", "win32")
    with pytest.raises(PermissionError) as caught:
        raise _refused(errno.EACCES)
    add_hint(caught.value)  # type: ignore[arg-type]
    assert "excludedportrange" in caught.value.hint  # type: ignore[attr-defined]


def _refused(number: int) -> BindError:
    from bindlab.errors import bind_error

    return bind_error(number, Endpoint("127.0.0.1", 8000), "bind")
