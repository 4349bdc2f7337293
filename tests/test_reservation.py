"""allocate() and Reservation: all or nothing, held for good, handed over once."""

import asyncio
import copy
import errno
import gc
import itertools
import os
import pickle
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from attempts import IPV6, LATE, LINUX, LISTED, descriptors, leave_time_wait, port_of, squatter
from namespace import become_nobody, in_namespace, ip, setting

from bindlab.endpoint import Endpoint
from bindlab.errors import (
    AddressInUseError,
    AddressNotAvailableError,
    BindPermissionError,
    OptionNotSupportedError,
)
from bindlab.opening import Reservation, backlog_of, bind, listen
from bindlab.opening.allocation import allocate
from bindlab.opening.hints import has_connections

GROUPS = [
    pytest.param((), ("tcp",), id="default"),
    pytest.param(("127.0.0.1",), ("udp",), id="udp"),
    pytest.param(("127.0.0.1", "::1"), ("tcp",), id="pair", marks=IPV6),
    pytest.param(("localhost",), ("tcp", "udp"), id="localhost-both"),
    pytest.param(("0.0.0.0", "::"), ("tcp", "udp"), id="wildcards-both", marks=IPV6),
    pytest.param(("127.0.0.1", "127.0.0.2", "::1"), ("udp", "tcp"), id="three", marks=IPV6),
    pytest.param(("::", "127.0.0.1"), ("tcp",), id="mixed", marks=IPV6),
    pytest.param(("::ffff:127.0.0.1", "::1"), ("tcp",), id="mapped", marks=IPV6),
]


@LINUX
@pytest.mark.parametrize(("addresses", "transports"), GROUPS)
def test_a_group_has_one_port_and_holds_it(addresses: tuple[str, ...], transports: tuple) -> None:
    """Every socket has the port, refuses any other bind, and TCP clients are refused."""
    with allocate(*addresses, transports=transports) as held:
        expected = len(transports) * (2 if addresses == ("localhost",) else len(addresses) or 1)
        assert len(held.sockets) == len(held.endpoints) == expected
        assert {port_of(sock) for sock in held.sockets} == {held.port}
        for sock, endpoint in zip(held.sockets, held.endpoints, strict=True):
            host = sock.getsockname()[0]
            udp = endpoint.transport == "udp"
            assert (sock.type == socket.SOCK_DGRAM) == udp
            if sock.family == socket.AF_INET6 and not host.startswith("::ffff:"):
                assert sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 1
            if host.startswith("::ffff:"):
                host = host.removeprefix("::ffff:")
            for reuse, share in itertools.product([False, True], repeat=2):
                outcome = squatter(held.port, host, reuse=reuse, share=share, udp=udp)
                assert outcome == errno.EADDRINUSE, (host, reuse, share)
            if not udp:
                target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
                with pytest.raises(ConnectionRefusedError):
                    socket.create_connection((target, held.port), timeout=2)


@LINUX
@pytest.mark.parametrize("way", ["take", "listen"])
def test_sockets_are_handed_over_once(way: str) -> None:
    """The first take() or listen() has them, in order; a second one says what happened."""
    with allocate("localhost", transports=("tcp", "udp")) as held:
        sockets = held.take() if way == "take" else held.listen(7)
        assert held.sockets == ()
        for again in (held.take, held.listen):
            with pytest.raises(RuntimeError, match="handed over or closed already"):
                again()
    with ExitStack() as stack:
        for sock, endpoint in zip(sockets, held.endpoints, strict=True):
            stack.enter_context(sock)
            assert (sock.type == socket.SOCK_DGRAM) == (endpoint.transport == "udp")
            if way == "listen" and endpoint.transport == "tcp":
                assert backlog_of(sock) in (7, None)
                socket.create_connection(sock.getsockname()[:2], timeout=2).close()


@LINUX
@in_namespace
def test_leaving_the_block_gives_the_port_up() -> None:
    """What was not handed over is closed, and the number is free at once."""
    with allocate("localhost", transports=("tcp", "udp")) as held:
        port = held.port
    assert all(sock.fileno() == -1 for sock in held.sockets)
    with pytest.raises(RuntimeError):
        held.take()
    with allocate("localhost", transports=("tcp", "udp"), port=port):
        pass


@LINUX
def test_a_forgotten_reservation_warns_and_closes() -> None:
    """Garbage collection closes the sockets, and says which port was forgotten (hard case 9)."""
    forgotten = [allocate("127.0.0.79")]
    port = forgotten[0].port

    def forget() -> None:
        forgotten.clear()
        gc.collect()

    with pytest.warns(ResourceWarning, match=f"unclosed <Reservation of 127.0.0.79:{port}>"):
        forget()
    assert squatter(port, "127.0.0.79", reuse=False) == 0


@LINUX
def test_a_fork_shares_the_hold() -> None:
    """The port stays held until both processes have closed their copy (hard case 9)."""
    held = allocate("127.0.0.80")
    port = held.port
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    os.close(reader)
    held.close()
    assert squatter(port, "127.0.0.80") == errno.EADDRINUSE
    os.close(writer)
    assert os.waitpid(child, 0)[1] == 0
    assert squatter(port, "127.0.0.80") == 0


@LISTED
@LINUX
def test_an_exact_port_fails_loudly_and_whole() -> None:
    """port=N on a port that one address lacks is an error naming it, and leaves nothing open."""
    # Addresses that no other test uses: on them nobody else may have the same port meanwhile.
    with listen(0, "127.0.0.78") as busy:
        before = descriptors()
        with pytest.raises(AddressInUseError) as caught:
            allocate("127.0.0.77", "127.0.0.78", port=port_of(busy))
        assert str(caught.value.endpoint) == f"127.0.0.78:{port_of(busy)}"
        assert "this process itself listens" in caught.value.hint
        assert descriptors() == before
        assert squatter(port_of(busy), "127.0.0.77") == 0


@LINUX
@in_namespace
def test_within_takes_the_first_port_that_all_can_have() -> None:
    """Busy on any of the addresses, in any way, is skipped; when all are, the error names them."""
    with ExitStack() as stack:
        stack.enter_context(listen(8000, "::1"))
        stack.enter_context(bind(8001, "127.0.0.1"))
        stack.enter_context(bind(8002, "0.0.0.0", transport="udp"))
        held = allocate("localhost", transports=("tcp", "udp"), within=range(8000, 8004))
        assert stack.enter_context(held).port == 8003
        before = descriptors()
        with pytest.raises(AddressInUseError, match="no port of 8000-8003 is free on all of"):
            allocate("localhost", transports=("tcp", "udp"), within=range(8000, 8004))
        assert descriptors() == before
        with allocate(within=range(8010, 8004, -2)) as downwards:
            assert downwards.port == 8010


@LINUX
@in_namespace
def test_a_restart_takes_its_exact_port_and_holds_it() -> None:
    """Over TIME_WAIT, port=N is had at once, refuses squatters, and listens (hard case 2)."""
    port = leave_time_wait(listen())
    for _ in range(3):
        with allocate(port=port) as held:
            assert squatter(port, listens=False) == errno.EADDRINUSE
            assert squatter(port, "0.0.0.0") == errno.EADDRINUSE
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port), timeout=2)
            with pytest.raises(AddressInUseError):
                allocate(port=port)
            (server,) = held.listen()
        leave_time_wait(server)


@LINUX
@in_namespace
def test_a_restart_that_is_taken_can_listen_by_itself() -> None:
    """Over TIME_WAIT, what take() hands over is a socket on which any listen() works."""

    async def serve(sock: socket.socket) -> None:
        async with await asyncio.start_server(lambda _, writer: writer.close(), sock=sock):
            reader, writer = await asyncio.open_connection(*sock.getsockname())
            assert await reader.read() == b""
            writer.close()

    port = leave_time_wait(listen())
    with allocate(port=port) as held:
        assert squatter(port, listens=False) == errno.EADDRINUSE
        (sock,) = held.take()
    asyncio.run(serve(sock))
    for lendable in (False, True):
        with allocate(port=port, lendable=lendable) as held:
            (sock,) = held.take()
        with sock:
            sock.listen()
            assert squatter(port) == errno.EADDRINUSE


@LINUX
@in_namespace
def test_what_was_bound_over_time_wait_before_stays_bound() -> None:
    """The exception that bind() and allocate() name: who was there before can listen first."""
    port = leave_time_wait(listen())
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        with allocate(port=port) as held:
            with pytest.raises(OSError, match="in use"):
                other.listen()
            assert squatter(port, listens=False) == errno.EADDRINUSE
            (sock,) = held.listen()
        with sock, pytest.raises(OSError, match="in use"):
            other.listen()
        with allocate(port=port) as held:
            (sock,) = held.take()
        other.listen()
        with sock, pytest.raises(OSError, match="in use"):
            sock.listen()


@LINUX
def test_a_hold_of_a_free_port_stays_whole_when_it_is_taken() -> None:
    """Where no connections linger, take() leaves SO_REUSEADDR off, and nobody squats."""
    with allocate() as free:
        port = free.port
    for number in (0, port):
        with allocate("127.0.0.81", port=number) as held:
            (sock,) = held.take()
        with sock:
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 0
            assert squatter(held.port, "127.0.0.81", listens=False) == errno.EADDRINUSE
            sock.listen()


@LINUX
@in_namespace
def test_only_connections_at_the_same_address_matter() -> None:
    """A restart works beside a listener at another address, whose connections are no reason."""
    port = leave_time_wait(listen())
    with listen(port, "127.0.0.2") as neighbour:
        for opening in (lambda: allocate(port=port), lambda: bind(port)):
            opening().close()
        with bind(0, "127.0.0.3") as holder, socket.socket() as client:
            client.bind(("127.0.0.4", port_of(holder)))
            client.connect(neighbour.getsockname())
            assert has_connections(Endpoint("127.0.0.4", port_of(holder)))
            assert has_connections(Endpoint("0.0.0.0", port_of(holder)))
            assert not has_connections(Endpoint("127.0.0.3", port_of(holder)))
            neighbour.accept()[0].close()
    with listen(port, "0.0.0.0"), pytest.raises(AddressInUseError, match="this process itself"):
        allocate(port=port)


@LINUX
@in_namespace
def test_a_squatter_between_allocate_and_listen_is_refused() -> None:
    """Nothing that tries meanwhile makes listen() fail, a restart included (hard case 2)."""
    with allocate("localhost") as held:
        for host in ("127.0.0.1", "0.0.0.0", "::1"):
            assert squatter(held.port, host) == errno.EADDRINUSE
        servers = held.listen()
    port = held.port
    for server in servers:
        leave_time_wait(server)
    with allocate("localhost", port=port) as again:
        for server in again.listen():
            server.close()


def _fill(stack: ExitStack, count: int, address: str, transport: str) -> None:
    kind = "udp" if transport == "udp" else "tcp"
    for _ in range(count):
        stack.enter_context(bind(0, address, transport=kind))


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    import resource  # which Windows has not

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 12_000:
        pytest.skip("this process may not have 12,000 descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@LINUX
@pytest.mark.usefixtures("many_descriptors")
@pytest.mark.parametrize(
    ("busy", "wanted", "transports"),
    [
        pytest.param(("::1", "tcp"), ("127.0.0.1", "::1"), ("tcp",), id="pair"),
        pytest.param(("127.0.0.1", "udp"), ("127.0.0.1",), ("tcp", "udp"), id="both-transports"),
    ],
)
@in_namespace
def test_groups_are_had_at_once_beside_9000_busy_ports(
    busy: tuple[str, str], wanted: tuple[str, ...], transports: tuple
) -> None:
    """9,000 ports busy on one part of the group: 300 of 300, quickly, no leak (hard cases 3, 4)."""
    with ExitStack() as stack:
        _fill(stack, 9000, *busy)
        before = descriptors()
        started = time.monotonic()
        ports = set()
        for _ in range(300):
            with allocate(*wanted, transports=transports) as held:
                ports.add(held.port)
        assert time.monotonic() - started < 5
        assert len(ports) > 200
        assert descriptors() == before


@LINUX
@pytest.mark.parametrize(
    "transports", [("tcp",), ("udp",), ("tcp", "udp")], ids=["tcp", "udp", "both"]
)
@in_namespace
def test_a_full_range_fails_fast_and_says_so(transports: tuple) -> None:
    """20 ports, all held: AddressInUseError at once, its hint names the range (hard case 4)."""
    setting("ipv4/ip_local_port_range", "40000 40019")
    with ExitStack() as stack:
        ports = set()
        for _ in range(20):
            ports.add(stack.enter_context(allocate("localhost", transports=transports)).port)
        assert ports == set(range(40000, 40020))
        started = time.monotonic()
        with pytest.raises(AddressInUseError, match="40000-40019"):
            allocate("localhost", transports=transports)
        assert time.monotonic() - started < 1


@LINUX
@in_namespace
def test_the_last_port_that_a_group_can_have_is_found() -> None:
    """Each address has free ports, only one is free on both: that one; then the error says so."""
    setting("ipv4/ip_local_port_range", "40000 40019")
    setting("ipv4/ip_local_reserved_ports", "40018-40019")
    with ExitStack() as stack:
        for port in range(40000, 40018):
            if port != 40007:
                stack.enter_context(bind(port, "127.0.0.1" if port % 2 else "::1"))
        held = stack.enter_context(allocate("127.0.0.1", "::1"))
        assert held.port == 40007
        with pytest.raises(AddressInUseError, match="no port of 40000-40019 is free on all of"):
            allocate("127.0.0.1", "::1")


@LINUX
@in_namespace
def test_localhost_is_what_the_machine_really_has() -> None:
    """Without ::1, "localhost" is 127.0.0.1, and the reason can be read; ::1 by name is refused."""
    ip("addr", "del", "::1/128", "dev", "lo")
    with allocate("localhost") as held:
        assert [str(endpoint) for endpoint in held.endpoints] == [f"127.0.0.1:{held.port}"]
        (reason,) = held.left_out
        assert isinstance(reason, AddressNotAvailableError)
        assert str(reason).startswith("[::1]:0: ")
        assert reason.__traceback__ is None
    with pytest.raises(AddressNotAvailableError):
        allocate("localhost", "::1")
    ip("addr", "del", "127.0.0.1/8", "dev", "lo")
    with pytest.raises(AddressNotAvailableError):
        allocate("localhost")


@LINUX
@in_namespace
def test_held_ports_resist_everything_that_takes_any_port() -> None:
    """In a range of 40 with 30 held, port 0 and connections only ever get the other 10."""
    setting("ipv4/ip_local_port_range", "40000 40039")
    with ExitStack() as stack:
        target = stack.enter_context(listen(30000))
        held = {stack.enter_context(allocate()).port for _ in range(20)}
        held |= {stack.enter_context(allocate(lendable=True)).port for _ in range(10)}
        assert len(held) == 30
        others = set()
        for _ in range(200):
            with socket.socket() as other:
                other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                other.bind(("127.0.0.1", 0))
                others.add(port_of(other))
            with socket.create_connection(("127.0.0.1", port_of(target)), timeout=2) as client:
                others.add(port_of(client))
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            target.accept()[0].close()
        assert others
        assert not others & held


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> bool:
    """Return whether something accepts connections on *port* before *process* ends."""
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        except ConnectionRefusedError:
            if process.poll() is not None:
                return False
            time.sleep(0.02)
    return False


HTTP_SERVER = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "{port}"]
NODE = [
    "node",
    "-e",
    "require('http').createServer((q, r) => r.end('hi')).listen({port}, '127.0.0.1')",
]
ASYNCIO = """
import asyncio
async def main():
    server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", {port})
    await server.serve_forever()
asyncio.run(main())
"""
CAUTIOUS = """
import socket, time
server = socket.socket()
server.bind(("127.0.0.1", {port}))
server.listen()
time.sleep(60)
"""


@LATE
@LINUX
@pytest.mark.parametrize(
    ("command", "serves"),
    [
        pytest.param(HTTP_SERVER, True, id="http.server"),
        pytest.param(NODE, True, id="node"),
        pytest.param([sys.executable, "-c", ASYNCIO], True, id="asyncio"),
        pytest.param([sys.executable, "-c", CAUTIOUS], False, id="no-reuse-option"),
    ],
)
def test_a_lent_port_can_be_served_on(command: list[str], serves: bool) -> None:
    """A program that sets SO_REUSEADDR serves on the number; one that does not is refused."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    with allocate(lendable=True) as lent:
        assert lent.lendable
        assert squatter(lent.port, reuse=False) == errno.EADDRINUSE
        words = [word.replace("{port}", str(lent.port)) for word in command]
        with subprocess.Popen(
            words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as server:
            try:
                assert _wait_for(lent.port, server) is serves
                if serves:
                    with pytest.raises(AddressInUseError):
                        allocate(port=lent.port)
            finally:
                server.terminate()


@LATE
@LINUX
def test_a_lent_port_is_lent_by_one_owner() -> None:
    """Two lenders never have one number; the borrower who listens first has it, the lender not."""
    with allocate(lendable=True) as lent:
        for lendable in (False, True):
            with pytest.raises(AddressInUseError):
                allocate(port=lent.port, lendable=lendable)
        with pytest.raises(AddressInUseError):
            bind(lent.port)
        with listen(lent.port):
            with pytest.raises(AddressInUseError, match="this process itself listens") as caught:
                lent.listen()
            assert caught.value.stage == "listen"


@LATE
@LINUX
def test_a_lent_udp_port_goes_to_the_newest() -> None:
    """UDP: a borrower that sets SO_REUSEADDR gets every datagram; one that does not is refused."""
    with allocate(transports=("udp",), lendable=True) as lent:
        assert squatter(lent.port, reuse=False, udp=True) == errno.EADDRINUSE
        with (
            socket.socket(type=socket.SOCK_DGRAM) as borrower,
            socket.socket(type=socket.SOCK_DGRAM) as client,
        ):
            borrower.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            borrower.bind(("127.0.0.1", lent.port))
            borrower.settimeout(2)
            for _ in range(10):
                client.sendto(b"x", ("127.0.0.1", lent.port))
                assert borrower.recv(1) == b"x"


@LINUX
@in_namespace
def test_port_0_may_yield_a_lent_udp_port_to_who_reuses_addresses() -> None:
    """UDP in a range of 10 with 5 lent: port 0 yields those with SO_REUSEADDR only; held, never."""
    setting("ipv4/ip_local_port_range", "40000 40009")
    for lendable in (False, True):
        for options in ((), (socket.SO_REUSEPORT,), (socket.SO_REUSEADDR,)):
            with ExitStack() as stack:
                ours = {
                    stack.enter_context(allocate(transports=("udp",), lendable=lendable)).port
                    for _ in range(5)
                }
                got = set()
                for _ in range(60 if options else 5):
                    other = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
                    for option in options:
                        other.setsockopt(socket.SOL_SOCKET, option, 1)
                    other.bind(("127.0.0.1", 0))
                    got.add(port_of(other))
                assert bool(ours & got) == (lendable and socket.SO_REUSEADDR in options)


@LINUX
@in_namespace
def test_a_port_with_old_connections_may_be_lent_by_two() -> None:
    """Over TIME_WAIT two lenders can have one number; the first to listen still has it alone."""
    port = leave_time_wait(listen())
    with allocate(port=port, lendable=True), allocate(port=port, lendable=True) as other:
        for server in other.listen():
            server.close()


def test_a_system_that_cannot_lend_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere than on Linux there is no such hold: the hint says what to do instead."""
    monkeypatch.setattr("bindlab.opening.allocation.lends", lambda: False)
    with pytest.raises(OptionNotSupportedError, match="cannot lend a port: hand the socket itself"):
        allocate(lendable=True)


@LINUX
@in_namespace
def test_a_port_that_port_0_would_yield_is_not_lent() -> None:
    """With ip_autobind_reuse=1 and a full range, port 0 yields lent ports: they are refused."""
    setting("ipv4/ip_local_port_range", "40000 40009")
    setting("ipv4/ip_autobind_reuse", 1)
    before = descriptors()
    for way in ({}, {"port": 40001}, {"within": range(40001, 40003)}):
        with pytest.raises(OptionNotSupportedError, match="ip_autobind_reuse=1, port 0 yields"):
            allocate(lendable=True, **way)  # type: ignore[arg-type]
    assert descriptors() == before
    with ExitStack() as stack:
        lent = stack.enter_context(allocate(port=8000, lendable=True))
        for _ in range(10):
            stack.enter_context(allocate())
        other = stack.enter_context(socket.socket())
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", 0))
        assert squatter(lent.port) == 0
    with allocate(transports=("udp",), lendable=True):  # whose docstring promises less
        pass


WRONG: list[object] = [
    pytest.param(lambda: allocate(["127.0.0.1"]), TypeError, "write", id="list"),
    pytest.param(lambda: allocate("example"), ValueError, "getaddrinfo", id="name"),
    pytest.param(lambda: allocate(None), TypeError, "write", id="none"),
    pytest.param(lambda: allocate(8000), TypeError, "write", id="port-as-address"),
    pytest.param(lambda: allocate(port="80"), TypeError, "write 8000", id="port-text"),
    pytest.param(lambda: allocate("0.0.0.0", "127.0.0.1"), ValueError, "overlap", id="overlap"),
    pytest.param(lambda: allocate("::", "::1"), ValueError, "overlap", id="overlap-6"),
    pytest.param(
        lambda: allocate("::ffff:0.0.0.0", "10.0.0.1"), ValueError, "overlap", id="overlap-mapped"
    ),
    pytest.param(
        lambda: allocate("::ffff:127.0.0.1", "127.0.0.1"), ValueError, "overlap", id="twice"
    ),
    pytest.param(
        lambda: allocate("::1", "::1%lo"), ValueError, "::1 and ::1%lo overlap", id="twice-zone"
    ),
    pytest.param(
        lambda: allocate("::ffff:0.0.0.0", "10.0.0.1"),
        ValueError,
        "::ffff:0.0.0.0 and 10.0.0.1 overlap",
        id="overlap-as-given",
    ),
    pytest.param(
        lambda: allocate(within=range(10**30)), ValueError, "1 to 65535", id="within-infinite"
    ),
    pytest.param(lambda: allocate(transports="tcp"), TypeError, r'\("tcp",\)', id="transport"),
    pytest.param(lambda: allocate(transports=()), ValueError, "empty", id="no-transports"),
    pytest.param(lambda: allocate(transports=("sctp",)), ValueError, "write", id="sctp"),
    pytest.param(lambda: allocate(transports=None), TypeError, "several", id="transports-none"),
    pytest.param(lambda: allocate(within=(8000, 8100)), TypeError, "range", id="within-tuple"),
    pytest.param(lambda: allocate(within=range(5, 5)), ValueError, "1 to 65535", id="within-empty"),
    pytest.param(lambda: allocate(within=range(9)), ValueError, "1 to 65535", id="within-zero"),
    pytest.param(
        lambda: allocate(within=range(65000, 65537)), ValueError, "1 to 65535", id="within-huge"
    ),
    pytest.param(
        lambda: allocate(port=8000, within=range(8000, 8100)), ValueError, "one of", id="both"
    ),
    pytest.param(lambda: allocate(lendable=1), TypeError, "True or False", id="lendable-int"),
    pytest.param(lambda: allocate().listen(-1), ValueError, "backlog", id="backlog"),
]


@pytest.mark.parametrize(("call", "error", "advice"), WRONG)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_wrong_arguments_are_refused_with_advice(
    call: Callable[[], object], error: type[Exception], advice: str
) -> None:
    """What is wrong says what to write instead, and opens nothing."""
    with pytest.raises(error, match=advice):
        call()


def test_the_same_address_twice_is_held_once() -> None:
    """Repeating an address, or one that "localhost" has, changes nothing."""
    with allocate("127.0.0.1", "localhost", "127.0.0.1", transports=("tcp", "tcp")) as held:
        assert [str(endpoint.ip) for endpoint in held.endpoints][:1] == ["127.0.0.1"]
        assert len(held.endpoints) == len(set(held.endpoints))


@LINUX
@in_namespace
def test_one_privileged_port_in_a_range_is_passed_over() -> None:
    """within= goes on past a port that is denied; if nothing else is there, that is the error."""
    become_nobody()
    with allocate(within=range(1023, 1026)) as held:
        assert held.port > 1023
    with pytest.raises(BindPermissionError):
        allocate(within=range(1020, 1022))


@LINUX
@pytest.mark.usefixtures("many_descriptors")
def test_eight_threads_of_a_thousand_reservations() -> None:
    """8,000 reservations at once from 8 threads: no duplicate, and no descriptor is left."""
    before = descriptors()
    held: list[list] = [[] for _ in range(8)]
    errors: list[BaseException] = []

    def work(mine: list) -> None:
        try:
            for _ in range(1000):
                mine.append(allocate())
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(mine,)) for mine in held]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    everything = list(itertools.chain.from_iterable(held))
    ports = {reservation.port for reservation in everything}
    for reservation in everything:
        reservation.close()
    assert not errors
    assert len(ports) == 8000
    assert descriptors() == before


@LINUX
def test_only_one_thread_is_handed_the_sockets() -> None:
    """Of eight threads that take() at once, one gets them, the others the error."""
    for _ in range(50):
        held = allocate()
        barrier = threading.Barrier(8)
        got: list[object] = []

        def work(held=held, barrier=barrier, got=got) -> None:  # type: ignore[no-untyped-def]
            barrier.wait()
            try:
                got.append(held.take())
            except RuntimeError:
                got.append(None)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        winners = [sockets for sockets in got if sockets is not None]
        assert len(winners) == 1
        winners[0][0].close()  # type: ignore[index]


@LINUX
def test_closing_at_once_from_many_threads_closes_once() -> None:
    """close() never raises, whoever else closes or takes at the same moment."""
    errors: list[BaseException] = []

    def work(held: Reservation, barrier: threading.Barrier) -> None:
        barrier.wait()
        try:
            held.close()
        except BaseException as error:
            errors.append(error)

    before = descriptors()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(100):
            held, barrier = allocate(), threading.Barrier(4)
            threads = [threading.Thread(target=work, args=(held, barrier)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not errors
    assert descriptors() == before


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_hold_has_one_owner(way: Callable[[object], object]) -> None:
    """A Reservation is neither copied nor pickled: two of them would close each other's sockets."""
    with allocate() as held, pytest.raises(TypeError, match="cannot be copied or pickled"):
        way(held)


@LINUX
@in_namespace
def test_a_range_with_steps_is_named_as_it_was_given() -> None:
    """The message of a full range does not claim ports that were never tried."""
    with ExitStack() as stack:
        for port in (8000, 8010):
            stack.enter_context(listen(port))
        with pytest.raises(AddressInUseError, match=r"no port of range\(8000, 8020, 10\) is free"):
            allocate(within=range(8000, 8020, 10))


def test_within_reaches_the_last_port() -> None:
    """65535 is a port as well; where somebody has it, the system says so."""
    try:
        with allocate(within=range(65535, 65536)) as held:
            assert held.port == 65535
    except AddressInUseError:
        pass
