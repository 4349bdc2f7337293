"""An audit: everything that listens on a machine, and how far each is open."""

import errno
import json
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest
from attempts import LINUX
from namespace import in_namespace, ip

from bindlab import Audit, Binding, Endpoint, Guest, Host, Listener, Scope, audit, bind, listen
from bindlab.scanning import listeners
from bindlab.testing import assert_only_open

HOST = Host.of(lo=["127.0.0.1/8", "::1/128"], eth0=["192.168.0.102/24", "fd00:1::2/64"])


def listener(bound: str, scope: Scope, program: str | None = None) -> Listener:
    """Return what an audit finds."""
    endpoint = Endpoint.parse(bound)
    listening = True if endpoint.transport == "tcp" else None
    process = 7 if program else None
    return Listener(Binding(endpoint, listening=listening), scope, program, process, 1000)


FOUND = Audit(
    (
        listener("0.0.0.0:22", Scope.GLOBAL, "sshd"),
        listener("[::]:22", Scope.GLOBAL, "sshd"),
        listener("192.168.0.102:5353/udp", Scope.GLOBAL),
        listener("127.0.0.1:5432", Scope.HOST, "postgres"),
    ),
    HOST,
)


def network() -> None:
    """Give the namespace of the calling thread a network."""
    ip("link add eth0 type veth peer name far")
    ip("link set far up")
    ip("link set eth0 up")
    ip("addr add 192.168.0.102/24 dev eth0")
    ip("route add default via 192.168.0.1")


@LINUX
@in_namespace
def test_every_socket_is_found() -> None:
    """TCP that listens and UDP that hears anybody, each as far as it is open; nothing else."""
    network()
    with ExitStack() as stack:
        opened = {
            "0.0.0.0": (listen(0, "0.0.0.0"), Scope.GLOBAL),
            "127.0.0.1": (listen(0, "127.0.0.1"), Scope.HOST),
            "::1": (bind(0, "::1", transport="udp"), Scope.HOST),
            "192.168.0.102": (bind(0, "192.168.0.102", transport="udp"), Scope.GLOBAL),
        }
        expected = set()
        for address, (sock, scope) in opened.items():
            stack.enter_context(sock)
            expected.add((address, sock.getsockname()[1], scope))
        stack.enter_context(bind(0, "0.0.0.0"))  # TCP that does not listen
        client = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        client.connect(opened["0.0.0.0"][0].getsockname())
        found = audit()
        assert len(found.listeners) == 4
        assert {
            (str(e.binding.endpoint.ip), e.binding.endpoint.port, e.scope) for e in found.listeners
        } == expected
        name = Path("/proc/self/comm").read_text().strip()
        assert {each.program for each in found.listeners} == {name}
        assert all(each.process for each in found.listeners)
        assert Host.from_json(found.host.to_json()) == found.host


@LINUX
@in_namespace
def test_a_deployment_demands_that_nothing_else_is_open() -> None:
    """One call says what is open beyond loopback but for the ports that may be."""
    network()
    assert_only_open()
    with listen(0, "0.0.0.0") as web, bind(0, "0.0.0.0", transport="udp") as names:
        port, other = web.getsockname()[1], names.getsockname()[1]
        assert_only_open(port, f"{other}/udp")
        with pytest.raises(AssertionError) as failed:
            assert_only_open(port, other)  # of TCP
        assert str(failed.value).startswith(f"open to other machines: port {other}/udp\n")
        assert f"{port} " not in str(failed.value)
        assert_only_open(scope=Scope.GLOBAL)


def test_it_is_read_as_a_table() -> None:
    """The count goes first; a program's sockets on one port are one row."""
    assert str(FOUND).splitlines() == [
        "2 of 3 servers are open to other machines.",
        "",
        "  port       bound to        open to              program",
        "  22         0.0.0.0, ::     every network        sshd (7)",
        "  5353/udp   192.168.0.102   every IPv4 network   of user 1000, out of sight",
        "  5432       127.0.0.1       this machine         postgres (7)",
    ]
    assert all(len(line) <= 60 for line in FOUND.text(width=60).splitlines())
    assert str(FOUND.replace(listeners=())) == "Nothing listens on this machine."
    private = FOUND.replace(listeners=FOUND.listeners[-1:])
    assert str(private).startswith("None of 1 servers are open to other machines.")


def test_in_a_guest_the_host_has_a_say() -> None:
    """Who is beyond the networks of a container gets in if its host publishes the port."""
    inside = FOUND.replace(host=HOST.replace(guest=Guest("container", ["a hint"])))
    assert "runs this container publishes the port" in " ".join(str(inside).split())


def test_a_part_of_the_networks_is_named() -> None:
    """Where not all get in, those that do are listed."""
    pinned = Binding(Endpoint("0.0.0.0", 80), device="eth0", listening=True)
    two = Host.of(lo="127.0.0.1/8", eth0="192.168.0.102/24", wifi="10.0.0.2/24")
    found = str(Audit((Listener(pinned, Scope.GLOBAL),), two))
    assert "192.168.0.0/24 (eth0) and other networks" in found


def test_it_travels_as_json() -> None:
    """What a table says is in the document."""
    document = FOUND.to_document()
    assert json.loads(json.dumps(document)) == document
    assert document["listeners"][0] == {  # type: ignore[index]
        "port": 22,
        "transport": "tcp",
        "binding": "0.0.0.0:22",
        "scope": "global",
        "open_to": "every IPv4 network",
        "program": "sshd",
        "process": 7,
        "user": 1000,
    }


def test_ports_are_excepted_by_number_and_transport() -> None:
    """A number is a port of TCP; the widest scope excepts everything."""
    assert [each.port for each in FOUND.open_beyond()] == ["22", "22", "5353/udp"]
    assert [each.port for each in FOUND.open_beyond(allowed=[22])] == ["5353/udp"]
    assert FOUND.open_beyond(allowed=["22", "5353/udp"]) == ()
    assert FOUND.open_beyond(Scope.GLOBAL) == ()


@pytest.mark.parametrize("port", ["ssh", "", "-1", "22/sctp", "٣", 70000, "70000", True, 2.5])
def test_what_is_no_port_is_refused(port: object) -> None:
    """Bad input says what to write instead."""
    with pytest.raises((ValueError, TypeError)):
        FOUND.open_beyond(allowed=[port])  # type: ignore[list-item]


@pytest.mark.parametrize("ports", ["22", 22])
def test_several_ports_are_a_list(ports: object) -> None:
    """One text would be taken for its characters."""
    with pytest.raises(TypeError, match="list of ports"):
        FOUND.open_beyond(allowed=ports)  # type: ignore[arg-type]


def test_a_system_that_lists_nothing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other systems than Linux, and a sandbox that refuses: an OSError, and no half list."""

    def refuse() -> list[object]:
        raise OSError(errno.EAFNOSUPPORT, "this system has no netlink")

    monkeypatch.setattr(listeners, "open_sockets", refuse)
    with pytest.raises(OSError, match="an audit cannot be made here") as refused:
        audit()
    assert refused.value.errno == errno.EAFNOSUPPORT


@LINUX
@in_namespace
def test_many_sockets_are_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """How far a binding is open is worked out once, whatever the ports are."""
    network()
    asked: list[object] = []

    class Counting(listeners.Reach):  # type: ignore[misc]
        @property
        def scope(self) -> Scope:
            asked.append(self)
            return super().scope

    monkeypatch.setattr(listeners, "Reach", Counting)
    with ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(listen(0, "0.0.0.0"))
            stack.enter_context(listen(0, "127.0.0.1"))
        assert len(audit().listeners) == 200
    assert len(asked) == 2
