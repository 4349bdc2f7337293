"""The black-box view of a port: what it is bound to follows from where it answers."""

import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple

import pytest
from attempts import LINUX
from lab_home import answering_unlisted, needs_lab

from bindlab import (
    INTERNET,
    AddressState,
    Binding,
    Endpoint,
    Host,
    Interface,
    Outcome,
    Scope,
    answering,
    bind,
    binding_of,
    lab,
    listen,
    reachable_from,
    wait_until_listening,
)
from bindlab.endpoint import parse_address
from bindlab.explaining.subject import subject_of
from bindlab.lab import LabHost, Machine, Network, Nic
from bindlab.linux import ListedSocket, sockets_on
from bindlab.probing import Probe
from bindlab.reach import Vantage
from bindlab.reachable import Found
from bindlab.scanning import (
    Answering,
    Attempt,
    LocalAddress,
    Observation,
    local_addresses,
    observe,
    observing,
)
from bindlab.scanning.deduction import deduce


@pytest.fixture(scope="module")
def home() -> Iterator[Network]:
    """A laptop on two networks, with a second address on one; others are only there."""
    with lab.network(
        laptop={
            "wifi": ["192.168.0.102/24", "192.168.0.103/24", "2001:db8:1::2/64"],
            "ethernet": ["10.0.0.12/24", "2001:db8:2::2/64"],
        },
        phone={"wifi": ["192.168.0.50/24", "2001:db8:1::50/64"]},
        desktop={"ethernet": ["10.0.0.20/24"]},
    ) as net:
        yield net


@pytest.fixture(scope="module")
def laptop(home: Network) -> LabHost:
    """The host that serves, and is asked."""
    return home.laptop


LINK_LOCAL = "its link-local address"
# What a server is bound to, and whether what answers tells all of it without the system's list.
BOUND: dict[str, tuple[dict[str, object], bool]] = {
    "127.0.0.1": ({"address": "127.0.0.1"}, True),
    "another loopback address": ({"address": "127.0.0.9"}, False),
    "::1": ({"address": "::1"}, True),
    "0.0.0.0": ({"address": "0.0.0.0"}, True),
    "::, IPv6 only": ({"address": "::"}, True),
    "::, dual-stack": ({"address": "::", "dual_stack": True}, True),
    "one address": ({"address": "192.168.0.102"}, True),
    "one IPv6 address": ({"address": "2001:db8:2::2"}, True),
    "link-local": ({"address": LINK_LOCAL}, True),
    "wildcard on a device": ({"address": "0.0.0.0", "device": "wifi"}, False),
    "dual-stack on a device": ({"address": "::", "dual_stack": True, "device": "wifi"}, False),
    "wildcard on loopback": ({"address": "0.0.0.0", "device": "lo"}, False),
    "address on a device": ({"address": "10.0.0.12", "device": "ethernet"}, False),
}


def options_of(case: str, laptop: LabHost) -> dict[str, object]:
    """Return the arguments for ``bind()`` of a case above."""
    options, _ = BOUND[case]
    if options["address"] != LINK_LOCAL:
        return options
    wifi = map(parse_address, laptop.host().interface("wifi").addresses)
    return {"address": next(ip for ip in wifi if ip.is_link_local)}


@needs_lab
@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("case", BOUND)
def test_what_is_bound_is_found(case: str, transport: str, laptop: LabHost) -> None:
    """Whatever a socket is bound to, TCP or UDP, is found from its port number alone."""
    options = {**options_of(case, laptop), "transport": transport}
    with laptop.call(bind, 3000, **options) as server:
        if transport == "tcp":
            server.listen()
        bound = laptop.call(binding_of, server)
        found = laptop.call(answering, 3000, transport=transport, timeout=0.2)
    assert found.bindings == (bound,)
    assert found


@needs_lab
@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("case", BOUND)
def test_without_the_systems_list(case: str, transport: str, laptop: LabHost) -> None:
    """What answers tells the binding by itself, or one that keeps no neighbour out.

    A device and a loopback address that nobody thought of trying show in the list only.
    """
    options = {**options_of(case, laptop), "transport": transport}
    with laptop.call(bind, 3000, **options) as server:
        if transport == "tcp":
            server.listen()
        bound = laptop.call(binding_of, server)
        found = laptop.call(answering_unlisted, 3000, transport=transport, timeout=0.2)
    told, evidence, *_ = deduce(3000, found.transport, Observation(found.attempts))
    told = tuple(
        binding.replace(v6only=bound.v6only) if not binding.endpoint.is_unspecified else binding
        for binding in told
    )
    if BOUND[case][1]:
        assert [b.replace(device=bound.device) for b in told] == [bound]
        assert evidence
    elif told:
        real, deduced = (reachable_from(b, host=found.host) for b in (bound, list(told)))
        for row in real.rows:
            if not isinstance(row.origin, Vantage):
                assert not row or row.origin in deduced, row.origin


@needs_lab
def test_two_servers_on_one_port(laptop: LabHost) -> None:
    """Each of several sockets on a port is found, and a pair of wildcards is no dual stack."""
    with laptop.listen(3000, "127.0.0.1"), laptop.listen(3000, "10.0.0.12"):
        found = laptop.call(answering, 3000)
    assert [str(b) for b in found.bindings] == ["10.0.0.12:3000", "127.0.0.1:3000"]
    with laptop.listen(3000, "0.0.0.0"), laptop.listen(3000, "::"):
        found = laptop.call(answering, 3000)
        seen = laptop.call(answering_unlisted, 3000).attempts
    assert [str(b) for b in found.bindings] == ["0.0.0.0:3000", "[::]:3000, IPv6 only"]
    told, evidence, *_ = deduce(3000, "tcp", Observation(seen))
    assert [str(b) for b in told] == ["[::]:3000, dual-stack"]
    assert "or one of each" in evidence[0]


@needs_lab
def test_nothing_there(laptop: LabHost) -> None:
    """A port that nobody has is found empty, and so is one that is bound without listening."""
    for transport in ("tcp", "udp"):
        found = laptop.call(answering, 3999, transport=transport)
        assert (bool(found), found.bindings) == (False, ())
        assert deduce(3999, "tcp", Observation(found.attempts)).bindings == ()
        with pytest.raises(ValueError, match="no socket"):
            reachable_from(found, host=found.host)
    with laptop.bind(3000, "10.0.0.12"):
        found = laptop.call(answering, 3000)
    assert (bool(found), found.bindings) == (False, ())
    if found.not_listening:  # listed since Linux 6.8
        assert [str(binding) for binding in found.not_listening] == [
            "10.0.0.12:3000, not listening"
        ]
        assert str(found).endswith("\n10.0.0.12:3000 is bound, without listening")


@needs_lab
def test_every_address_is_tried(laptop: LabHost) -> None:
    """Loopbacks, each address of each interface with its zone, and one that nobody uses."""
    found = laptop.call(answering, 3999)
    tried = [(a.address.name, str(a.probe.endpoint)) for a in found.attempts]
    assert ("loopback", "127.255.255.254:3999") in tried
    assert {("lo", "127.0.0.1:3999"), ("wifi", "192.168.0.103:3999")} <= set(tried)
    zoned = [name for name, text in tried if re.fullmatch(rf"\[fe80::.*%{name}\]:3999", text)]
    assert zoned == ["wifi", "ethernet"]
    assert len(set(tried)) == len(tried)


@needs_lab
def test_an_interface_that_is_down() -> None:
    """A machine still reaches the IPv4 address of an interface that is down, so it is tried."""
    machine = Machine({"wifi": Nic("192.168.0.102/24", up=False)})
    with (
        lab.network(laptop=machine, phone={"wifi": "192.168.0.50/24"}) as net,
        net.laptop.listen(3000, "192.168.0.102"),
    ):
        found = net.laptop.call(answering, 3000)
    assert [str(b) for b in found.bindings] == ["192.168.0.102:3000"]
    assert [a.address.name for a in found.attempts if a.is_taken] == ["wifi"]


FIREWALL = """table inet filter {{
    chain input {{
        type filter hook input priority 0
        iif lo tcp dport 3000 {rule}
    }}
}}"""


@needs_lab
@pytest.mark.skipif(shutil.which("nft") is None, reason="needs nft to make a firewall")
@pytest.mark.parametrize("rule", ["drop", "reject", "reject with tcp reset"])
def test_a_firewall_does_not_narrow_what_is_listed(rule: str) -> None:
    """Where a firewall keeps this machine from itself, the system's list is believed."""
    machine = Machine({"wifi": "192.168.0.102/24"}, firewall=FIREWALL.format(rule=rule))
    with (
        lab.network(laptop=machine, phone={"wifi": "192.168.0.50/24"}) as net,
        net.laptop.listen(3000, "0.0.0.0"),
    ):
        found = net.laptop.call(answering, 3000, timeout=0.2)
        assert net.phone.probe("192.168.0.102:3000").accepted
    assert [str(b) for b in found.bindings] == ["0.0.0.0:3000"]
    assert "a firewall on this machine" in found.evidence[-1]


@needs_lab
def test_a_full_backlog(laptop: LabHost) -> None:
    """A server that takes no more connections keeps silent, and is found all the same."""
    with laptop.listen(3000, "127.0.0.1", backlog=0):
        held = [laptop.connect("127.0.0.1", 3000)]
        found = laptop.call(answering, 3000, timeout=0.2)
        for sock in held:
            sock.close()
    assert [str(b) for b in found.bindings] == ["127.0.0.1:3000"]
    assert {a.probe.outcome for a in found.attempts} == {Outcome.NO_ANSWER, Outcome.REFUSED}
    told = deduce(3000, "tcp", Observation(found.attempts))
    assert told.bindings == ()
    assert told.evidence[0].startswith("no answer from 127.0.0.1 (lo), where a server may be")


@needs_lab
def test_ipv6_that_is_turned_off_is_no_firewall() -> None:
    """An address that this machine has not got is no evidence: containers often lack ::1."""
    machine = Machine({"wifi": "192.168.0.102/24"}, disable_ipv6=True)
    with (
        lab.network(laptop=machine) as net,
        net.laptop.listen(3000, "::", dual_stack=True),
    ):
        found = net.laptop.call(answering, 3000)
        seen = net.laptop.call(answering_unlisted, 3000).attempts
    assert [str(one.address) for one in seen if one.is_absent] == ["::1 (loopback)"]
    assert found.evidence == ("the system lists [::]:3000, dual-stack on this port",)


REDIRECTED = """table ip nat {
    chain output {
        type nat hook output priority -100
        ip daddr 192.168.0.102 tcp dport 3000 dnat to 127.0.0.1:4000
    }
}"""


@needs_lab
@pytest.mark.skipif(shutil.which("nft") is None, reason="needs nft to redirect packets")
def test_what_is_redirected_is_not_taken_to_be_everywhere() -> None:
    """Where NAT answers for one address, those that refuse are not said to answer."""
    machine = Machine({"wifi": "192.168.0.102/24", "ethernet": "10.0.0.12/24"}, firewall=REDIRECTED)
    desk = {"ethernet": "10.0.0.20/24"}
    with lab.network(laptop=machine, desk=desk) as net, net.laptop.listen(4000, "127.0.0.1"):
        found = net.laptop.call(answering, 3000)
        assert not net.desk.probe("10.0.0.12:3000")
    assert [str(b) for b in found.bindings] == ["192.168.0.102:3000"]
    assert found.redirected == found.bindings
    assert found.evidence[-1] == (
        "192.168.0.102 (wifi) answers on port 3000, though no socket here does: the packets are "
        "redirected (DNAT), as a published port's to its container, and neither ufw nor the rules "
        "of INPUT govern them"
    )


def test_another_machine_is_not_tried() -> None:
    """A port number is of this machine: what is another's address is not dialled."""
    laptop = Host.of(lo="127.0.0.1/8", wifi="198.51.100.7/24")
    with pytest.raises(ValueError, match=r"198\.51\.100\.7 is no address of this machine"):
        answering(3000, host=laptop)


INTERRUPTED = """
import os, signal, sys, threading
from bindlab import answering
from bindlab.scanning import observing
observing.sockets_on = lambda *_: None
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    answering(int(sys.argv[1]), transport="udp", timeout=1000)
except KeyboardInterrupt:
    print("interrupted", threading.active_count())
"""


def test_ctrl_c_ends_the_program_at_once() -> None:
    """Nothing is left that the interpreter would wait for when the last address keeps silent."""
    with bind(transport="udp") as silent:
        command = [sys.executable, "-c", INTERRUPTED, str(silent.getsockname()[1])]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split()[0] == "interrupted"
    assert int(done.stdout.split()[1]) <= 2  # the main thread, and the timer in its last moment


@contextmanager
def accepting_once(address: str) -> Iterator[tuple[int, threading.Thread]]:
    """Serve on *address* until the first client has come; yield the port, and who serves."""
    with listen(0, address) as server:
        server.settimeout(10)

        def serve() -> None:
            peer, _ = server.accept()
            server.close()
            peer.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1], thread
        thread.join()


@LINUX
@pytest.mark.parametrize("address", ["0.0.0.0", "127.0.0.1"])
def test_a_server_that_accepts_once(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that its first client ends is found by what was listed before, and is no NAT."""
    for _ in range(10):  # it may end before the attempts have, or after the second list
        with accepting_once(address) as (port, _):
            found = answering(port)
        assert [str(b) for b in found.bindings] == [f"{address}:{port}"]
        assert "NAT" not in str(found)
    with accepting_once(address) as (port, thread):
        lists = iter([lambda: None, thread.join])

        def listed(*arguments: object) -> object:
            next(lists)()
            return sockets_on(*arguments)

        monkeypatch.setattr(observing, "sockets_on", listed)
        found = answering(port)
    assert found.ended == found.bindings
    bound = f"{address}:{port}"
    assert [str(b) for b in found.bindings] == [bound]
    assert f"{bound} was there before the attempts, and not after them" in found.evidence
    assert "NAT" not in str(found)


def test_a_server_that_accepts_once_where_nothing_is_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A second attempt shows that a server has ended; then refusals do not narrow the answer."""
    with accepting_once("127.0.0.1") as (port, thread):
        lists = iter([lambda: None, thread.join])
        monkeypatch.setattr(observing, "sockets_on", lambda *_: next(lists)())
        found = answering(port)
    assert [str(b) for b in found.bindings] == [f"[::]:{port}, dual-stack"]
    assert found.ended == found.bindings
    assert "answered once, and refused when it was tried again" in found.evidence[0]
    monkeypatch.setattr(observing, "sockets_on", lambda *_: None)
    with listen() as server:
        found = answering(server.getsockname()[1])
    assert [b.endpoint.ip for b in found.bindings] == [parse_address("127.0.0.1")]
    assert found.ended == ()


def test_a_server_that_stopped_is_said_to_have_listened() -> None:
    """explain() does not say of a server that has ended that it listens."""
    server = Binding(Endpoint("0.0.0.0", 3000), listening=True)
    host = Host.of(lo="127.0.0.1/8")
    gone = ListedSocket(server, 0, 2**32 - 1)
    changed = ("0.0.0.0:3000 was there before the attempts, and not after them",)
    found = Answering(3000, "tcp", (server,), (), (gone,), ("listed", *changed), host, (server,))
    certain = subject_of(Found(host, (), (found,), ())).certain
    assert certain[0].startswith("a process of user 0")
    assert certain[0].endswith(" listened on 0.0.0.0:3000")
    assert certain[1:] == changed


def test_a_server_that_was_there_for_a_moment() -> None:
    """What answered between two lists that do not have it is said, and is not called NAT."""
    address = LocalAddress(parse_address("127.0.0.1"))
    attempt = Attempt(address, Probe(Endpoint(address.ip, 3000), Outcome.ACCEPTED, 0.0))
    told = deduce(3000, "tcp", Observation((attempt,), (), stopped=(address,)))
    assert [str(b) for b in told.bindings] == ["[::]:3000, dual-stack"]
    assert told.ended == told.bindings
    assert told.evidence == (
        "the system lists no server on this port",
        "127.0.0.1 (loopback) answered once, and refused when it was tried again",
    )


def test_a_server_that_comes_meanwhile() -> None:
    """What is listed after the attempts counts, and what it refused before is no firewall's."""
    address = LocalAddress(parse_address("127.0.0.1"))
    attempt = Attempt(address, Probe(Endpoint(address.ip, 3000), Outcome.REFUSED, 0.0))
    server = Binding(Endpoint("0.0.0.0", 3000), listening=True)
    seen = Observation((attempt,), (ListedSocket(server, 0, 1),), begun=(server,))
    told = deduce(3000, "tcp", seen)
    assert told.bindings == (server,)
    assert told.ended == ()
    assert told.evidence[1:] == ("0.0.0.0:3000 came while the port was tried",)


def test_an_address_that_cannot_be_dialled_is_left_out() -> None:
    """A link-local address whose interface's name cannot be a zone is no reason to give up."""
    host = Host([Interface("a b", None, None, ["fe80::1/64", "192.0.2.7/24"])])
    tried = [str(address.ip) for address in local_addresses(host) if address.interface]
    assert tried == ["192.0.2.7"]


def test_thousands_of_addresses_take_linear_time() -> None:
    """Each address, with its state, is looked at once, and so is what was met there."""
    networks = [f"2001:db8::{number:x}/64" for number in range(1, 4001)]
    states = {
        parse_address(text.partition("/")[0]): AddressState.TENTATIVE
        if text.endswith("1/64")
        else AddressState.PREFERRED
        for text in networks
    }
    host = Host([Interface("eth0", 2, None, networks, states=states)])
    started = time.process_time()
    found = [address for address in local_addresses(host) if address.interface]
    attempts = [
        Attempt(address, Probe(Endpoint(address.ip, 3000), Outcome.ACCEPTED, 0.0))
        for address in found
    ]
    told = deduce(3000, "tcp", Observation(tuple(attempts), (), stopped=tuple(found)))
    assert time.process_time() - started < 2.0  # one is enough where nothing else runs
    assert len(found) == 4000 - sum(text.endswith("1/64") for text in networks)
    assert [str(binding) for binding in told.bindings] == ["[::]:3000, dual-stack"]


def test_silence_widens() -> None:
    """Where silence may hide a wildcard and nothing tells otherwise, the wildcard is taken."""
    mac = Host.of(system="macos", lo0="127.0.0.1/8", en0="192.168.0.102/24")

    def seen(*outcomes: Outcome) -> Observation:
        addresses = [address for address in local_addresses(mac) if address.ip.version == 4]
        return Observation(
            tuple(
                Attempt(address, Probe(Endpoint(address.ip, 3000), outcome, 0.0))
                for address, outcome in zip(addresses, outcomes, strict=True)
            )
        )

    accepted, refused, silent = Outcome.ACCEPTED, Outcome.REFUSED, Outcome.NO_ANSWER
    bound = {
        (accepted, refused): ["127.0.0.1:3000"],
        (refused, accepted): ["192.168.0.102:3000"],
        (accepted, accepted): ["0.0.0.0:3000"],
        (accepted, silent): ["0.0.0.0:3000"],
        (refused, silent): [],
        (silent, silent): [],
    }
    for outcomes, expected in bound.items():
        told = deduce(3000, "tcp", seen(*outcomes))
        assert [str(b) for b in told.bindings] == expected, outcomes
        assert (silent in outcomes) is any("no answer from" in why for why in told.evidence)


def test_only_one_ipv6_address_shows_no_difference() -> None:
    """With ::1 alone the wider ``::`` is taken, and the evidence says so."""
    alone = Host.of(lo=["127.0.0.1/8", "::1/128"])
    attempts = tuple(
        Attempt(
            address,
            Probe(
                Endpoint(address.ip, 3000),
                Outcome.ACCEPTED if address.ip.version == 6 else Outcome.REFUSED,
                0.0,
            ),
        )
        for address in local_addresses(alone)
    )
    told = deduce(3000, "tcp", Observation(attempts))
    assert told.bindings == (Binding(Endpoint("::", 3000), v6only=True, listening=True),)
    assert "look alike" in told.evidence[-1]


def test_it_is_a_target() -> None:
    """``reachable_from()`` takes the answer, and says what was deduced."""
    with listen() as server:
        found = answering(server.getsockname()[1])
    reach = reachable_from(found, host=Host.of(lo="127.0.0.1/8", wifi="192.168.0.102/24"))
    assert (reach.scope, INTERNET in reach) == (Scope.HOST, False)
    assert reach.assumptions == ()
    unlisted = found.replace(listed=None)
    assert "what its answers point to" in str(reachable_from(unlisted, host=found.host))


def test_it_reads_as_text() -> None:
    """The text says what the port is bound to, what each address did, and why."""
    with listen() as server:
        port = server.getsockname()[1]
        lines = str(answering(port)).splitlines()
    assert lines[0] == f"port {port} is bound to 127.0.0.1:{port}"
    assert any(re.fullmatch(r"  \S+ +127\.0\.0\.1 +accepted", line) for line in lines)
    assert any(re.fullmatch(r"  loopback +127\.255\.255\.254 +refused", line) for line in lines)
    assert str(answering(port)).startswith(f"nothing answers on port {port}\n")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0,), ValueError, "port 0 is not the port of a server"),
        ((65536,), ValueError, "out of range"),
        ((True,), TypeError, "port is an int"),
        (("127.0.0.1:3000",), TypeError, "port is an int"),
    ],
)
def test_bad_input(arguments: tuple[object, ...], error: type[Exception], message: str) -> None:
    """What is no port is told what to write, before anything is tried."""
    with pytest.raises(error, match=message):
        answering(*arguments)
    with pytest.raises(TypeError, match="host is a Host"):
        answering(3000, host="laptop")
    with pytest.raises(ValueError, match="timeout"):
        answering(3000, timeout=0)


LOOKS = [
    pytest.param(answering, id="with the system's list"),
    pytest.param(answering_unlisted, id="without it", marks=pytest.mark.slow),
]
SLOW_SERVER = """
import socket, sys, time
with socket.create_server(("0.0.0.0", 3000), backlog=1) as server:
    while True:  # the lab ends it
        connection, _ = server.accept()
        with connection:
            connection.recv(1)
            time.sleep(0.005)
"""


@needs_lab
@pytest.mark.parametrize("look", LOOKS)
def test_looking_fills_no_backlog(look: Callable[..., Answering]) -> None:
    """A server with a backlog of 1 on 20 addresses is found 10 times of 10, and never deaf."""
    twenty = [f"192.168.0.{number}/24" for number in range(101, 121)]
    with (
        lab.network(laptop={"wifi": twenty}, phone={"wifi": "192.168.0.50/24"}) as net,
        net.laptop.run([sys.executable, "-c", SLOW_SERVER]),
    ):
        net.laptop.call(wait_until_listening, "127.0.0.1:3000")
        for _ in range(10):
            found = net.laptop.call(look, 3000)
            assert [str(b) for b in found.bindings] == ["0.0.0.0:3000"]
            assert "no answer" not in " ".join(found.evidence)


@LINUX
def test_no_more_connections_than_are_needed() -> None:
    """Where the system lists a server's socket, the server sees two: by loopback, and not."""
    seen: list[object] = []
    with listen(0, "0.0.0.0") as server:
        server.settimeout(0.5)
        answering(server.getsockname()[1])
        with suppress(TimeoutError):
            while True:
                connection, peer = server.accept()
                connection.close()
                seen.append(peer)
    assert len(seen) <= 2


@LINUX
def test_no_datagram_is_sent_to_a_listed_socket() -> None:
    """A UDP server whose socket is listed gets nothing that it did not ask for."""
    with bind(0, "0.0.0.0", transport="udp") as server:
        server.settimeout(0.2)
        found = answering(server.getsockname()[1], transport="udp")
        with pytest.raises(TimeoutError):
            server.recv(1)
    assert [b.endpoint.port for b in found.bindings] == [found.port]


def test_udp_on_thousands_of_addresses_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 4,000 addresses that may all keep silent 512 are tried, which takes four timeouts."""
    tried: list[int] = []

    def probe_all(endpoints: Sequence[Endpoint], **_: object) -> tuple[Probe, ...]:
        tried.append(len(endpoints))
        return tuple(Probe(endpoint, Outcome.NO_ANSWER, 1.0) for endpoint in endpoints)

    monkeypatch.setattr(observing, "sockets_on", lambda *_: None)
    monkeypatch.setattr(observing, "probe_all", probe_all)
    addresses = [LocalAddress(parse_address(f"2001:db8::{n:x}")) for n in range(1, 4001)]
    assert len(observe(addresses, 53, 1.0, "udp").attempts) == 512
    assert tried == [512]


def test_silence_everywhere_is_not_waited_for_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a firewall drops everything, few at a time soon are many, and few are tried again."""
    rounds: list[int] = []

    def probe_all(endpoints: Sequence[Endpoint], **_: object) -> tuple[Probe, ...]:
        rounds.append(len(endpoints))
        time.sleep(0.01)
        return tuple(Probe(endpoint, Outcome.NO_ANSWER, 0.01) for endpoint in endpoints)

    monkeypatch.setattr(observing, "sockets_on", lambda *_: None)
    monkeypatch.setattr(observing, "probe_all", probe_all)
    addresses = [LocalAddress(parse_address(f"2001:db8::{n:x}")) for n in range(1, 1001)]
    observe(addresses, 3000, 0.01)
    assert [*rounds[:4], rounds[-1]] == [2, 8, 32, 128, 1]
    assert len(rounds) < 20


class Answer(NamedTuple):
    """What a server does with a connection, and whether that is an end at once."""

    first: bytes
    seconds: float
    is_end: bool


ENDS = {
    "closes": Answer(b"", 0, True),
    "closes a little later, as a relay does": Answer(b"", 0.03, True),
    "says something and closes": Answer(b"220 hello\r\n", 0, False),
    "waits for the client": Answer(b"", 0.5, False),
}


@pytest.mark.parametrize("case", ENDS)
def test_accepted_and_closed_at_once(case: str) -> None:
    """Who takes a connection and ends it at once with nothing said is named."""
    first, seconds, is_end = ENDS[case]

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                time.sleep(seconds)
                connection.sendall(first)
                connection.close()

    with listen() as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        found = answering(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)
    assert [str(address.ip) for address in found.closed_at_once] == ["127.0.0.1"] * is_end
