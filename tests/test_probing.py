"""Probing and waiting: real sockets on loopback, real packets between namespaces."""

import copy
import ctypes
import errno
import itertools
import math
import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from typing import TypeVar

import pytest
from attempts import LINUX

from bindlab.endpoint import Endpoint
from bindlab.probing import NotListeningError, probe, wait_until_listening
from bindlab.probing.icmp import Icmp
from bindlab.probing.outcome import Outcome, Probe, outcome_of

T = TypeVar("T")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")


def take_mapped(sock: socket.socket, host: str) -> None:
    """Let *sock* be bound to a mapped address; Windows has IPV6_V6ONLY on by default."""
    if host.startswith("::ffff:"):
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)


def listener(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """Return a listening socket: the caller closes it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    take_mapped(sock, host)
    sock.bind((host, port))
    sock.listen(128)
    return sock


@contextmanager
def held(kind: socket.SocketKind = socket.SOCK_STREAM, host: str = "127.0.0.1") -> Iterator[int]:
    """Hold a port on which nothing listens: nobody else is given it meanwhile."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as sock:
        take_mapped(sock, host)
        sock.bind((host, 0))
        yield sock.getsockname()[1]


def at(sock: socket.socket, transport: str = "tcp") -> Endpoint:
    """Return the endpoint of *sock*."""
    name = sock.getsockname()
    return Endpoint(name[0], name[1], "udp" if transport == "udp" else "tcp")


# The values


@pytest.mark.parametrize("outcome", Outcome, ids=lambda o: o.name)
@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_every_outcome_is_one_sentence(outcome: Outcome, transport: str) -> None:
    """Each outcome reads as a sentence that starts with the endpoint, for either transport."""
    met = Probe(Endpoint("127.0.0.1", 9, "udp" if transport == "udp" else "tcp"), outcome, 0.0123)
    text = str(met)
    assert text.startswith(f"{met.endpoint} ")
    assert "None" not in text
    assert "\n" not in text


def test_only_a_taken_connection_is_accepted() -> None:
    """accepted, and so the truth value, holds if somebody took the connection, if only to close."""
    taken = {o for o in Outcome if Probe(Endpoint("::1", 9), o, 0.0)}
    assert taken == {Outcome.ACCEPTED, Outcome.CLOSED_AT_ONCE}
    assert all(Probe(Endpoint("::1", 9), o, 0.0).accepted is (o in taken) for o in Outcome)


def test_a_probe_is_a_value() -> None:
    """A probe compares, hashes, copies and pickles by its content, ICMP message included."""
    message = Icmp(4, 3, 13, ip_address("10.0.0.2"))
    met = Probe(Endpoint("10.0.0.2", 9), Outcome.NOT_PERMITTED, 0.5, None, 113, message)
    assert pickle.loads(pickle.dumps(met)) == copy.copy(met) == met
    assert hash(copy.deepcopy(met)) == hash(met)
    with pytest.raises(AttributeError):
        met.elapsed = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("version", "kind", "code", "outcome"),
    [
        pytest.param(4, 3, 0, Outcome.UNREACHABLE, id="v4-network"),
        pytest.param(4, 3, 1, Outcome.UNREACHABLE, id="v4-host"),
        pytest.param(4, 3, 3, Outcome.REFUSED, id="v4-port"),
        pytest.param(4, 3, 9, Outcome.NOT_PERMITTED, id="v4-network-prohibited"),
        pytest.param(4, 3, 10, Outcome.NOT_PERMITTED, id="v4-host-prohibited"),
        pytest.param(4, 3, 13, Outcome.NOT_PERMITTED, id="v4-prohibited"),
        pytest.param(4, 11, 0, Outcome.UNREACHABLE, id="v4-time-exceeded"),
        pytest.param(4, 99, 9, Outcome.UNREACHABLE, id="v4-unheard-of"),
        pytest.param(6, 1, 0, Outcome.UNREACHABLE, id="v6-no-route"),
        pytest.param(6, 1, 1, Outcome.NOT_PERMITTED, id="v6-prohibited"),
        pytest.param(6, 1, 4, Outcome.REFUSED, id="v6-port"),
        pytest.param(6, 1, 6, Outcome.NOT_PERMITTED, id="v6-rejected"),
        pytest.param(6, 3, 0, Outcome.UNREACHABLE, id="v6-hop-limit"),
    ],
)
def test_icmp_decides_over_errno(version: int, kind: int, code: int, outcome: Outcome) -> None:
    """The same ICMP meaning is the same outcome in IPv4 and IPv6, whatever errno it became."""
    message = Icmp(4 if version == 4 else 6, kind, code)
    assert message.meaning
    for number in (errno.EHOSTUNREACH, errno.EACCES, errno.ECONNREFUSED):
        assert outcome_of(number, message, "tcp") is outcome


@pytest.mark.parametrize(
    ("number", "transport", "outcome"),
    [
        pytest.param(errno.EAFNOSUPPORT, "tcp", Outcome.WRONG_FAMILY, id="no-family"),
        pytest.param(errno.ECONNRESET, "tcp", Outcome.CLOSED_AT_ONCE, id="reset"),
        pytest.param(errno.ECONNRESET, "udp", Outcome.REFUSED, id="windows-udp"),
        pytest.param(errno.ETIMEDOUT, "tcp", Outcome.NO_ANSWER, id="kernel-timeout"),
        pytest.param(errno.EMFILE, "tcp", None, id="nothing-of-the-target"),
        pytest.param(None, "tcp", None, id="nothing-at-all"),
    ],
)
def test_errno_without_icmp(number: int | None, transport: str, outcome: Outcome | None) -> None:
    """Where there is no ICMP message, errno decides; one about ourselves decides nothing."""
    assert outcome_of(number, None, "udp" if transport == "udp" else "tcp") is outcome


# Arguments


@pytest.mark.parametrize(
    ("target", "error"),
    [
        pytest.param("localhost:80", ValueError, id="name"),
        pytest.param("127.0.0.1", ValueError, id="no-port"),
        pytest.param("127.0.0.1:0", ValueError, id="port-0"),
        pytest.param("0.0.0.0:80", ValueError, id="wildcard"),
        pytest.param("[::]:80", ValueError, id="wildcard-v6"),
        pytest.param("[::ffff:0.0.0.0]:80", ValueError, id="wildcard-mapped"),
        pytest.param("224.0.0.1:80/udp", ValueError, id="group"),
        pytest.param("[ff02::1%lo]:80", ValueError, id="group-v6"),
        pytest.param("[fe80::1]:80", ValueError, id="no-zone"),
        pytest.param(("127.0.0.1", 80), TypeError, id="tuple"),
        pytest.param(None, TypeError, id="none"),
    ],
)
@pytest.mark.parametrize("function", [probe, wait_until_listening])
def test_what_is_no_address_to_dial(
    function: Callable[..., Probe], target: object, error: type[Exception]
) -> None:
    """A name, a wildcard, a group, a zone left out, port 0: an error before any system call."""
    with pytest.raises(error):
        function(target)


@pytest.mark.parametrize(
    ("timeout", "error"),
    [
        (0, ValueError),
        (-1, ValueError),
        (0.0, ValueError),
        (math.nan, ValueError),
        (math.inf, ValueError),
        (-math.inf, ValueError),
        (10**400, ValueError),
        (True, TypeError),
        ("1", TypeError),
        (None, TypeError),
    ],
)
@pytest.mark.parametrize("function", [probe, wait_until_listening])
def test_what_is_no_timeout(
    function: Callable[..., Probe], timeout: object, error: type[Exception]
) -> None:
    """A timeout is a finite number of seconds above 0, and no bool."""
    with pytest.raises(error):
        function("127.0.0.1:9", timeout=timeout)


@pytest.mark.parametrize(
    ("target", "source"),
    [
        pytest.param("127.0.0.1:9", "::1", id="v6-to-v4"),
        pytest.param("[::1]:9", "127.0.0.1", id="v4-to-v6"),
        pytest.param("[::ffff:127.0.0.1]:9", "::1", id="v6-to-mapped"),
        pytest.param("127.0.0.1:9", "0.0.0.0", id="wildcard"),
        pytest.param("127.0.0.1:9", "224.0.0.1", id="group"),
        pytest.param("[::1]:9", "fe80::1", id="no-zone"),
        pytest.param("127.0.0.1:9", "localhost", id="name"),
    ],
)
def test_what_is_no_source(target: str, source: str) -> None:
    """A source is one address of the target's family, to send from."""
    with pytest.raises(ValueError, match=r"source|localhost"):
        probe(target, source=source)


def test_udp_cannot_be_waited_for() -> None:
    """Nobody listens on UDP and silence says nothing, so waiting for it is refused."""
    with pytest.raises(ValueError, match="UDP"):
        wait_until_listening("127.0.0.1:53/udp")


@pytest.mark.parametrize("process", [1, "python", object()])
def test_what_is_no_process(process: object) -> None:
    """A process has poll() or is_alive()."""
    with pytest.raises(TypeError, match="poll"):
        wait_until_listening("127.0.0.1:9", process=process)  # type: ignore[arg-type]


# Loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1"])
def test_a_listener_accepts(host: str) -> None:
    """A listener is accepted; source and elapsed tell of the attempt, errno is None."""
    with listener(host) as server:
        met = probe(at(server))
        client, address = server.accept()
        client.close()
    assert met.outcome is Outcome.ACCEPTED
    assert (met.errno, met.icmp) == (None, None)
    assert met.source is not None
    assert met.source.port == address[1]
    assert 0 < met.elapsed < 1


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_where_nothing_is_it_is_refused(host: str, transport: str) -> None:
    """A port that nobody has is refused at once, by a reset or ICMP, and errno is kept."""
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    with held(kind, host) as port:
        pass
    met = probe(Endpoint(host, port, "udp" if transport == "udp" else "tcp"))
    assert met.outcome is Outcome.REFUSED
    assert met.errno == errno.ECONNREFUSED
    # By UDP, Wine's select() tells of the refusal when something is sent once more.
    assert met.elapsed < (1.5 if sys.platform == "win32" else 0.5)
    assert met.source is not None
    if sys.platform == "linux" and transport == "udp":
        assert met.icmp is not None
        assert met.icmp.meaning == "port unreachable"


def test_bound_is_not_listening() -> None:
    """A bound socket that does not listen refuses like no socket at all."""
    with held() as port:
        assert probe(f"127.0.0.1:{port}").outcome is Outcome.REFUSED


def test_a_full_backlog_gives_no_answer() -> None:
    """A listener whose queue is full keeps silent: the attempt ends with the timeout."""
    with ExitStack() as stack:
        server = stack.enter_context(listener())
        server.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
        met = probe(at(server), timeout=0.05)
    assert met.outcome is Outcome.NO_ANSWER
    assert met.errno is None


def test_udp_silence_is_no_knowledge() -> None:
    """A UDP socket that does not answer is no answer, and the sentence says it means nothing."""
    with held(socket.SOCK_DGRAM) as port:
        met = probe(f"127.0.0.1:{port}/udp", timeout=0.05)
    assert met.outcome is Outcome.NO_ANSWER
    assert not met.accepted
    assert "says nothing" in str(met)


@pytest.mark.parametrize("answer", [b"", b"pong"])
def test_a_udp_answer_is_knowledge(answer: bytes) -> None:
    """Any datagram back, an empty one too, shows that somebody is there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)

        def serve() -> bytes:
            question, client = server.recvfrom(100)
            server.sendto(answer, client)
            return question

        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(serve)
            met = probe(at(server, "udp"))
            assert asked.result() == b""
    assert met.outcome is Outcome.ACCEPTED
    assert "answered" in str(met)


@linux_only
@pytest.mark.skipif(sys.platform == "linux" and os.geteuid() != 0, reason="raw sockets need root")
def test_a_spoilt_datagram_is_no_answer() -> None:
    """A datagram with a wrong checksum wakes the prober and is not there: it waits on."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP).close()
    except OSError as error:
        pytest.skip(f"a raw socket: {error}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, ThreadPoolExecutor(1) as pool:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)

        def serve() -> None:
            _, (host, port) = server.recvfrom(100)
            header = b"".join(n.to_bytes(2, "big") for n in (at(server).port, port, 12, 0xBAD))
            with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw:
                raw.sendto(header + b"pong", (host, 0))

        sent = pool.submit(serve)
        met = probe(at(server, "udp"), timeout=0.1)
        sent.result()
    assert met.outcome is Outcome.NO_ANSWER
    assert met.elapsed >= 0.1


@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.0.3"])
def test_the_source_asked_for_is_used(source: str) -> None:
    """The attempt is made from *source*, which the server sees."""
    with listener() as server:
        met = probe(at(server), source=source)
        client, address = server.accept()
        client.close()
    assert met.source == Endpoint(*address)
    assert str(met.source.ip) == source


@linux_only
@pytest.mark.parametrize("source", ["192.0.2.1", "2001:db8::1", "fe80::1%nosuch"])
def test_a_source_that_is_not_ours(source: str) -> None:
    """A source that this machine does not have is no source; nothing was sent."""
    met = probe("[::1]:9" if ":" in source else "127.0.0.1:9", source=source)
    assert met.outcome is Outcome.NO_SOURCE
    assert met.errno in (errno.EADDRNOTAVAIL, errno.ENODEV)
    assert met.source is None


def test_a_zone_that_no_interface_has() -> None:
    """A zone that names no interface leads nowhere: unreachable, no such device."""
    met = probe("[fe80::1%nosuch]:80")
    assert (met.outcome, met.errno) == (Outcome.UNREACHABLE, errno.ENODEV)


def test_closed_at_once_is_seen_when_it_is_here() -> None:
    """A server that closes what it accepts is accepted; that it closed is seen if it was quick."""
    seen: Counter[Outcome] = Counter()
    with listener() as server:
        stop = threading.Event()

        def serve() -> None:
            server.settimeout(0.1)
            while not stop.is_set():
                try:
                    server.accept()[0].close()
                except TimeoutError:
                    continue

        thread = threading.Thread(target=serve)
        thread.start()
        for _ in range(3000):
            met = probe(at(server))
            assert met.accepted
            seen[met.outcome] += 1
            if seen[Outcome.CLOSED_AT_ONCE]:
                break
        stop.set()
        thread.join()
    assert set(seen) <= {Outcome.ACCEPTED, Outcome.CLOSED_AT_ONCE}
    assert seen[Outcome.CLOSED_AT_ONCE]


def test_a_greeting_is_no_closing() -> None:
    """A server that speaks first and then closes has accepted: there is something to read."""
    with listener() as server:

        def serve() -> None:
            for _ in range(50):
                client, _ = server.accept()
                client.sendall(b"220 hello\r\n")
                client.close()

        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(serve)
            met = {probe(at(server)).outcome for _ in range(50)}
            done.result()
    assert met == {Outcome.ACCEPTED}


def test_the_server_sees_a_polite_end() -> None:
    """The probe ends with FIN, not with a reset that would fill the server's log."""
    with listener() as server:
        probe(at(server))
        client, _ = server.accept()
        with client:
            assert client.recv(1) == b""


# Waiting


@pytest.mark.parametrize("delay", [0.03, 0.3])
def test_a_late_server_is_noticed_at_once(delay: float) -> None:
    """Waiting ends within 1 ms or 2 % of the wait after listen(), unless the machine is busy."""
    late: list[float] = []
    while len(late) < 15 and not (late and min(late) < max(0.001, 0.02 * delay)):
        with socket.socket() as server, ThreadPoolExecutor(1) as pool:
            server.bind(("127.0.0.1", 0))

            def serve(server: socket.socket = server) -> float:
                time.sleep(delay)
                server.listen(8)
                return time.perf_counter()

            listening = pool.submit(serve)
            assert wait_until_listening(at(server)).accepted
            late.append(time.perf_counter() - listening.result())
    assert min(late) < max(0.005 if sys.platform == "win32" else 0.001, 0.02 * delay)


@linux_only
def test_waiting_burns_no_processor() -> None:
    """Of a second of waiting the processor is busy with it for a part."""
    with held() as port:
        before = time.process_time()
        with pytest.raises(NotListeningError):
            wait_until_listening(f"127.0.0.1:{port}", timeout=1.0)
    assert time.process_time() - before < 0.5  # gVisor takes three times as long as Linux


@pytest.mark.parametrize("timeout", [0.001, 0.05, 0.2])
def test_the_timeout_is_kept_and_carries_the_last_probe(timeout: float) -> None:
    """When time is over, a TimeoutError carries the last probe, through copy and pickle."""
    with held() as port:
        started = time.perf_counter()
        with pytest.raises(TimeoutError) as caught:
            wait_until_listening(f"127.0.0.1:{port}", timeout=timeout)
        waited = time.perf_counter() - started
    assert timeout <= waited < timeout + 0.3
    error = caught.value
    assert isinstance(error, NotListeningError)
    assert error.probe is not None
    assert error.probe.outcome is Outcome.REFUSED
    assert not error.process_ended
    for twin in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert (str(twin), twin.probe) == (str(error), error.probe)


def test_an_ended_process_ends_the_wait() -> None:
    """Waiting stops as soon as the process is gone, whichever way it tells."""
    with held() as port:
        with subprocess.Popen([sys.executable, "-c", "pass"]) as child:
            started = time.perf_counter()
            with pytest.raises(NotListeningError, match="ended") as caught:
                wait_until_listening(f"127.0.0.1:{port}", timeout=20, process=child)
        assert caught.value.process_ended
        thread = threading.Thread(target=time.sleep, args=(0.05,))
        thread.start()
        with pytest.raises(NotListeningError, match="ended"):
            wait_until_listening(f"127.0.0.1:{port}", timeout=20, process=thread)
        assert time.perf_counter() - started < 15


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("raise SystemExit(7)", r"ended \(exit status 7\)"),
        ("pass", r"ended \(exit status 0\)"),
        pytest.param(
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            r"ended \(killed by SIGKILL\)",
            marks=LINUX,
        ),
    ],
)
def test_how_the_process_ended_is_said(program: str, says: str) -> None:
    """The message has the exit status, or the signal."""
    with (
        subprocess.Popen([sys.executable, "-c", program]) as process,
        pytest.raises(NotListeningError, match=says) as caught,
    ):
        wait_until_listening("127.0.0.1:9", timeout=30, process=process)
    assert caught.value.process_ended


def test_pytest_hides_the_frames() -> None:
    """A failing wait shows the line of the test, and no line of bindlab."""
    with pytest.raises(NotListeningError) as caught:
        wait_until_listening("127.0.0.1:9", timeout=0.01)
    ours = [entry for entry in caught.traceback if "bindlab" in str(entry.path.parent)]
    assert [entry.name for entry in caught.traceback.filter(caught)][-1].startswith("test_pytest")
    assert ours


def test_another_server_is_not_the_process() -> None:
    """If the process is gone, what accepts on its port is somebody else, and no success."""
    with listener() as other, subprocess.Popen([sys.executable, "-c", "pass"]) as child:
        child.wait()
        with pytest.raises(NotListeningError, match="another") as caught:
            wait_until_listening(at(other), process=child)
    assert caught.value.probe is not None
    assert caught.value.probe.accepted


def test_a_running_process_is_waited_for() -> None:
    """A server in another process is found while it runs."""
    with held() as port:
        pass
    server = f"import socket, time; s = socket.create_server(('127.0.0.1', {port})); time.sleep(30)"
    with subprocess.Popen([sys.executable, "-c", server]) as child:
        assert wait_until_listening(f"127.0.0.1:{port}", timeout=20, process=child).accepted
        child.kill()


# Trouble


@linux_only
def test_nothing_leaks() -> None:
    """No outcome and no error leaves a descriptor open."""

    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))

    with listener() as server, held() as port, held(socket.SOCK_DGRAM) as mute:
        before = open_files()
        for _ in range(20):
            probe(at(server))
            server.accept()[0].close()
            probe(f"127.0.0.1:{port}")
            probe(f"127.0.0.1:{mute}/udp", timeout=0.001)
            probe(f"127.0.0.1:{port}/udp", timeout=0.001)
            probe("127.0.0.1:9", source="192.0.2.1")
            probe("[fe80::1%nosuch]:9")
            with pytest.raises(NotListeningError):
                wait_until_listening(f"127.0.0.1:{port}", timeout=0.002)
        assert open_files() == before


@linux_only
def test_too_many_open_files_is_an_error() -> None:
    """What says nothing of the target is raised: EMFILE is no outcome."""
    import resource  # which Windows has not

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(OSError, match="open files") as caught:
            probe("127.0.0.1:9")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert caught.value.errno == errno.EMFILE


@linux_only
def test_a_storm_of_signals_changes_nothing() -> None:
    """Signals every half millisecond neither end an attempt early nor make it late."""
    hits = itertools.count()
    previous = signal.signal(signal.SIGALRM, lambda *_: next(hits))
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        with held(socket.SOCK_DGRAM) as mute, held() as port, listener() as server:
            silent = probe(f"127.0.0.1:{mute}/udp", timeout=0.2)
            assert {probe(f"127.0.0.1:{port}").outcome for _ in range(200)} == {Outcome.REFUSED}
            for _ in range(200):
                assert probe(at(server)).accepted
                server.accept()[0].close()
            with pytest.raises(NotListeningError):
                wait_until_listening(f"127.0.0.1:{port}", timeout=0.1)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert silent.outcome is Outcome.NO_ANSWER
    assert 0.2 <= silent.elapsed < 0.3
    assert next(hits) > 50


def test_eight_threads_wait_for_eight_servers() -> None:
    """Waiting holds nothing in common: eight threads wait for eight servers and find each."""
    with ExitStack() as stack:
        servers = [stack.enter_context(socket.socket()) for _ in range(8)]
        for server in servers:
            server.bind(("127.0.0.1", 0))
        with ThreadPoolExecutor(8) as pool:
            found = [pool.submit(wait_until_listening, at(server)) for server in servers]
            time.sleep(0.05)
            for server in servers:
                server.listen(8)
            met = [future.result() for future in found]
    assert [probe.endpoint for probe in met] == [
        Endpoint("127.0.0.1", p.endpoint.port) for p in met
    ]
    assert all(probe.accepted for probe in met)


def test_importing_stays_light() -> None:
    """Probing loads none of the heavy modules of the standard library."""
    heavy = {"asyncio", "subprocess", "ctypes", "dataclasses", "inspect"}
    code = f"import sys, bindlab.probing; print(*({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


# Namespaces: this machine (10.0.0.1, fd00::1) and its neighbour (10.0.0.2, fd00::2)

_NEIGHBOUR_RULES = """table inet t { chain c { type filter hook input priority 0
 meta l4proto { tcp, udp } th dport 1001 drop
 tcp dport 1002 reject with tcp reset
 meta l4proto { tcp, udp } th dport 1003 reject
 meta l4proto { tcp, udp } th dport 1004 reject with icmpx admin-prohibited
 meta l4proto { tcp, udp } th dport 1005 reject with icmpx host-unreachable
}
}
"""
_OWN_RULES = """table inet t { chain c { type filter hook output priority 0
 meta l4proto { tcp, udp } th dport 1011 drop
 meta l4proto { tcp, udp } th dport 1014 reject with icmpx admin-prohibited
}
}
"""
_CLONE_NEWNET = 0x40000000


def run(*command: str, text: str = "") -> None:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")


def inside(namespace: str, function: Callable[[], T]) -> T:
    """Return what *function* returns in a thread of its own, moved into *namespace*."""

    def moved() -> T:
        libc = ctypes.CDLL(None, use_errno=True)
        with open(f"/run/netns/{namespace}", "rb") as handle:
            if libc.setns(handle.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
        return function()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(moved).result()


@contextmanager
def namespaces(*roles: str) -> Iterator[tuple[str, ...]]:
    """Make network namespaces, with lo up, and remove them."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("network namespaces need Linux and root")
    if shutil.which("ip") is None:
        pytest.skip("network namespaces need iproute2")
    names = tuple(f"bindlab-{role}-{os.getpid()}" for role in roles)
    with ExitStack() as stack:
        for name in names:
            try:
                run("ip", "netns", "add", name)
            except RuntimeError as error:
                pytest.skip(str(error))
            stack.callback(run, "ip", "netns", "del", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        yield names


@pytest.fixture(scope="module")
def here() -> Iterator[str]:
    """A machine with a neighbour, firewalls on both, and routes that lead nowhere."""
    with namespaces("here", "there") as (own, other):
        if shutil.which("nft") is None:
            pytest.skip("the firewall cases need nft (nftables)")
        run("ip", "link", "add", "v0", "netns", own, "type", "veth", "peer", "v0", "netns", other)
        for name, last in ((own, 1), (other, 2)):
            run("ip", "-n", name, "addr", "add", f"10.0.0.{last}/24", "dev", "v0")
            run("ip", "-n", name, "addr", "add", f"fd00::{last}/64", "dev", "v0", "nodad")
            run("ip", "-n", name, "link", "set", "v0", "up")
            # Hosts limit how often they answer with ICMP, which would look like silence.
            run("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv4.icmp_ratemask=0")
            run("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv6.icmp.ratelimit=0")
        for version in ("ipv4", "ipv6"):
            key = f"net.{version}.neigh.v0.retrans_time_ms=40"
            run("ip", "netns", "exec", own, "sysctl", "-qw", key)
        try:
            run("ip", "netns", "exec", other, "nft", "-f", "-", text=_NEIGHBOUR_RULES)
        except RuntimeError as error:
            pytest.skip(f"this kernel lacks what the firewall cases need: {error}")
        run("ip", "netns", "exec", own, "nft", "-f", "-", text=_OWN_RULES)
        for number, kind in enumerate(("unreachable", "prohibit", "blackhole"), 1):
            run("ip", "-n", own, "route", "add", kind, f"10.9.{number}.0/24")
            run("ip", "-n", own, "route", "add", kind, f"fd09:{number}::/64")
        run("ip", "-n", own, "route", "add", "10.8.0.0/24", "via", "10.0.0.2")
        run("ip", "-n", own, "route", "add", "fd08::/64", "via", "fd00::2")
        run("ip", "netns", "exec", other, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        run("ip", "netns", "exec", other, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
        # The link's own IPv6 address is tentative for a moment, and nobody is found meanwhile.
        for _ in range(50):
            if inside(own, lambda: probe("[fd00::2]:1000")).outcome is Outcome.REFUSED:
                break
        yield own


# target, outcome, errno, meaning of the ICMP message, its sender
CASES = [
    ("10.0.0.2:1000", Outcome.REFUSED, errno.ECONNREFUSED, None, None),
    ("[fd00::2]:1000", Outcome.REFUSED, errno.ECONNREFUSED, None, None),
    ("10.0.0.2:1000/udp", Outcome.REFUSED, errno.ECONNREFUSED, "port unreachable", "10.0.0.2"),
    ("[fd00::2]:1000/udp", Outcome.REFUSED, errno.ECONNREFUSED, "port unreachable", "fd00::2"),
    ("[::ffff:10.0.0.2]:1000", Outcome.REFUSED, errno.ECONNREFUSED, None, None),
    ("10.0.0.2:1001", Outcome.NO_ANSWER, None, None, None),
    ("[fd00::2]:1001", Outcome.NO_ANSWER, None, None, None),
    ("10.0.0.2:1001/udp", Outcome.NO_ANSWER, None, None, None),
    ("10.0.0.2:1002", Outcome.REFUSED, errno.ECONNREFUSED, None, None),
    ("10.0.0.2:1003", Outcome.REFUSED, errno.ECONNREFUSED, "port unreachable", "10.0.0.2"),
    ("[fd00::2]:1003", Outcome.REFUSED, errno.ECONNREFUSED, "port unreachable", "fd00::2"),
    ("[::ffff:10.0.0.2]:1003", Outcome.REFUSED, errno.ECONNREFUSED, "port unreachable", "10.0.0.2"),
    ("[::ffff:10.0.0.2]:1004/udp", Outcome.NOT_PERMITTED, errno.EHOSTUNREACH,
     "administratively prohibited", "10.0.0.2"),
    ("10.0.0.2:1004", Outcome.NOT_PERMITTED, errno.EHOSTUNREACH,
     "administratively prohibited", "10.0.0.2"),
    ("[fd00::2]:1004", Outcome.NOT_PERMITTED, errno.EACCES,
     "administratively prohibited", "fd00::2"),
    ("10.0.0.2:1004/udp", Outcome.NOT_PERMITTED, errno.EHOSTUNREACH,
     "administratively prohibited", "10.0.0.2"),
    ("[fd00::2]:1004/udp", Outcome.NOT_PERMITTED, errno.EACCES,
     "administratively prohibited", "fd00::2"),
    ("10.0.0.2:1005", Outcome.UNREACHABLE, errno.EHOSTUNREACH, "host unreachable", "10.0.0.2"),
    ("[fd00::2]:1005", Outcome.UNREACHABLE, errno.EHOSTUNREACH, "address unreachable", "fd00::2"),
    ("10.0.0.2:1011", Outcome.NO_ANSWER, None, None, None),
    ("10.0.0.2:1011/udp", Outcome.NOT_PERMITTED, errno.EPERM, None, None),
    ("[fd00::2]:1011/udp", Outcome.NOT_PERMITTED, errno.EPERM, None, None),
    ("10.0.0.2:1014", Outcome.NOT_PERMITTED, errno.EHOSTUNREACH,
     "administratively prohibited", "10.0.0.1"),
    ("[fd00::2]:1014", Outcome.NOT_PERMITTED, errno.EACCES,
     "administratively prohibited", "fd00::1"),
    ("10.0.0.2:1014/udp", Outcome.NOT_PERMITTED, errno.EHOSTUNREACH,
     "administratively prohibited", "10.0.0.1"),
    ("10.0.0.9:1000", Outcome.UNREACHABLE, errno.EHOSTUNREACH, "host unreachable", "10.0.0.1"),
    ("[fd00::9]:1000", Outcome.UNREACHABLE, errno.EHOSTUNREACH, "address unreachable", "fd00::1"),
    ("10.0.0.9:1000/udp", Outcome.UNREACHABLE, errno.EHOSTUNREACH, "host unreachable", "10.0.0.1"),
    ("10.8.0.1:1000", Outcome.UNREACHABLE, errno.ENETUNREACH, "network unreachable", "10.0.0.2"),
    ("[fd08::1]:1000", Outcome.UNREACHABLE, errno.ENETUNREACH, "no route to destination",
     "fd00::2"),
    ("10.9.1.1:1000", Outcome.UNREACHABLE, errno.EHOSTUNREACH, None, None),
    ("[fd09:1::1]:1000", Outcome.UNREACHABLE, errno.EHOSTUNREACH, None, None),
    ("10.9.2.1:1000", Outcome.NOT_PERMITTED, errno.EACCES, None, None),
    ("[fd09:2::1]:1000/udp", Outcome.NOT_PERMITTED, errno.EACCES, None, None),
    ("10.9.3.1:1000", Outcome.UNREACHABLE, errno.EINVAL, None, None),
    ("[fd09:3::1]:1000", Outcome.UNREACHABLE, errno.EINVAL, None, None),
    ("10.77.0.1:1000", Outcome.UNREACHABLE, errno.ENETUNREACH, None, None),
    ("[fd77::1]:1000", Outcome.UNREACHABLE, errno.ENETUNREACH, None, None),
    ("10.0.0.255:1000/udp", Outcome.NOT_PERMITTED, errno.EACCES, None, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("target", "outcome", "number", "meaning", "sender"),
    [pytest.param(*case, id=case[0]) for case in CASES],
)
def test_what_the_wire_says(
    here: str,
    target: str,
    outcome: Outcome,
    number: int | None,
    meaning: str | None,
    sender: str | None,
) -> None:
    """Firewalls, dead neighbours, missing routes: each is told apart, and by whom it was said."""
    met = inside(here, lambda: probe(target, timeout=0.1 if number is None else 1.0))
    assert (met.outcome, met.errno) == (outcome, number), str(met)
    assert (met.icmp and met.icmp.meaning) == meaning
    assert (met.icmp and str(met.icmp.sender)) == sender
    assert met.elapsed < 0.5, "an ICMP error is seen when it comes, not at the next SYN"
    assert "unknown" not in str(met)


@pytest.mark.parametrize("timeout", [0.0004, 0.003, 0.05])
def test_the_timeout_is_kept_to_the_millisecond(here: str, timeout: float) -> None:
    """Silence lasts as long as asked, and at its best hardly a millisecond longer."""
    best = math.inf
    end = time.monotonic() + 5
    while best > timeout + 0.002 and time.monotonic() < end:
        met = inside(here, lambda: probe("10.0.0.2:1001", timeout=timeout))
        assert met.outcome is Outcome.NO_ANSWER
        assert met.elapsed >= timeout
        best = min(best, met.elapsed)
    assert best <= timeout + 0.002


def test_an_ended_process_is_noticed_in_silence(here: str) -> None:
    """While an attempt waits for an answer, the end of the process is noticed all the same."""
    thread = threading.Thread(target=time.sleep, args=(0.1,))
    thread.start()
    started = time.perf_counter()
    with pytest.raises(NotListeningError) as caught:
        inside(here, lambda: wait_until_listening("10.0.0.2:1001", process=thread))
    assert time.perf_counter() - started < 0.6
    assert caught.value.probe is not None
    assert caught.value.probe.outcome is Outcome.NO_ANSWER


def test_silence_is_asked_afresh_every_second(here: str) -> None:
    """Where packets vanish, a server that becomes reachable is noticed within about a second.

    TCP alone would ask again after 1, 3 and 7 seconds; this one opens after 1.2.
    """
    other = here.replace("here", "there")
    rules = (
        "table inet late { chain c { type filter hook input priority 0\ntcp dport 1021 drop\n}\n}"
    )
    run("ip", "netns", "exec", other, "nft", "-f", "-", text=rules + "\n")
    with inside(other, lambda: listener("10.0.0.2", 1021)), ThreadPoolExecutor(1) as pool:
        started = time.perf_counter()
        found = pool.submit(inside, here, lambda: wait_until_listening("10.0.0.2:1021"))
        time.sleep(1.2)
        run("ip", "netns", "exec", other, "nft", "delete", "table", "inet", "late")
        assert found.result().accepted
    assert time.perf_counter() - started < 2.6


def test_the_last_probe_is_no_attempt_cut_short(here: str) -> None:
    """An attempt that the deadline cut short does not hide what the one before it met."""

    def wait() -> BaseException:
        with pytest.raises(NotListeningError) as caught:
            wait_until_listening("10.0.0.9:1000", timeout=0.3)
        return caught.value

    for _ in range(3):
        error = inside(here, wait)
        assert isinstance(error, NotListeningError)
        assert error.probe is not None
        assert error.probe.outcome is Outcome.UNREACHABLE


def test_mapped_addresses_work_where_sockets_are_ipv6_only() -> None:
    """::ffff:127.0.0.1 is dialled even where net.ipv6.bindv6only makes that unreachable."""
    with namespaces("v6only") as (name,):
        run("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv6.bindv6only=1")

        def dial() -> Probe:
            with listener() as server:
                return probe(f"[::ffff:127.0.0.1]:{server.getsockname()[1]}")

        assert inside(name, dial).outcome is Outcome.ACCEPTED


def test_a_machine_without_ipv6_addresses() -> None:
    """Where IPv6 is disabled, ::1 has nothing to be dialled from."""
    with namespaces("no6") as (name,):
        run("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
        met = inside(name, lambda: probe("[::1]:80"))
    assert met.outcome in (Outcome.NO_SOURCE, Outcome.UNREACHABLE)
    assert not met.accepted


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_meeting_oneself_is_a_refusal(host: str) -> None:
    """Where the system dials from the target's own port, nobody listens: refused, and no trace.

    In a range of 20 ports that happens many times in thousands of attempts, by TCP and UDP;
    afterwards a server without SO_REUSEADDR gets the port: nothing is left in TIME_WAIT.
    """
    with namespaces("small") as (name,):
        key = "net.ipv4.ip_local_port_range=61000 61019"
        run("ip", "netns", "exec", name, "sysctl", "-qw", key)

        def attempts() -> Counter[tuple[str, Outcome, int | None]]:
            met: Counter[tuple[str, Outcome, int | None]] = Counter()
            for transport, number in (("tcp", 3000), ("udp", 1000)):
                target = Endpoint(host, 61004, "udp" if transport == "udp" else "tcp")
                for _ in range(number):
                    found = probe(target)
                    met[transport, found.outcome, found.errno] += 1
            with pytest.raises(NotListeningError):
                wait_until_listening(Endpoint(host, 61004), timeout=0.3)
            listener(host, 61004).close()
            return met

        met = inside(name, attempts)
    assert {outcome for _, outcome, _ in met} == {Outcome.REFUSED}
    assert met["tcp", Outcome.REFUSED, None] > 30, "the trap was not even met"
    assert met["udp", Outcome.REFUSED, None] > 10
