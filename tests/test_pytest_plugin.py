"""The fixtures, in suites of their own: what they hold, skip and close."""

from importlib.metadata import entry_points

import pytest
from attempts import IPV6, LINUX

from bindlab import pytest_plugin

FIXTURES = sorted(set(pytest_plugin.__all__) - {"OpenListener"})

# What pytest itself and the plugins for asynchronous tests call theirs.
TAKEN = {
    "anyio_backend",
    "anyio_backend_name",
    "anyio_backend_options",
    "event_loop",
    "event_loop_policy",
    "free_tcp_port",
    "free_tcp_port_factory",
    "free_udp_port",
    "free_udp_port_factory",
    "unused_tcp_port",
    "unused_tcp_port_factory",
    "unused_udp_port",
    "unused_udp_port_factory",
}


def run(pytester: pytest.Pytester, suite: str, *options: str) -> pytest.RunResult:
    """Run *suite* as a user's test file in a process of its own, where a warning is an error."""
    pytester.makepyfile(test_suite=suite)
    # pytest-asyncio, if somebody has it, warns of a setting that these suites do not need.
    return pytester.runpytest_subprocess(
        "-W", "error", "-p", "no:asyncio", "-p", "no:anyio", *options
    )


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suites are not run by the worker of pytest-xdist that runs these tests."""
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_XDIST_TESTRUNUID"):
        monkeypatch.delenv(name, raising=False)


USES = """
import socket
import pytest
from bindlab import AddressInUseError, Endpoint, binding_of, listen, probe, reachable_from

def at(sock):
    return binding_of(sock).endpoint

def test_listening_socket(listening_socket):
    assert type(listening_socket) is socket.socket
    assert probe(at(listening_socket)).accepted
    assert reachable_from(listening_socket).scope.name == "HOST"

def test_may_close(listening_socket, open_listener):
    listening_socket.close()
    open_listener().close()

def test_open_listener(open_listener):
    first, second, udp = open_listener(), open_listener("0.0.0.0"), open_listener(transport="udp")
    assert probe(at(first)).accepted
    assert second.getsockname()[0] == "0.0.0.0"
    assert udp.type == socket.SOCK_DGRAM
    with pytest.raises(AddressInUseError):
        open_listener(port=first.getsockname()[1])
    with pytest.raises(ValueError):
        open_listener("localhost")
    with pytest.raises(ValueError):
        open_listener(transport="sctp")

def test_pair(loopback_pair):
    ipv4, ipv6 = loopback_pair
    assert ipv4.getsockname()[:2] == ("127.0.0.1", ipv6.getsockname()[1])
    assert ipv6.getsockname()[0] == "::1"
    assert probe(at(ipv4)).accepted and probe(at(ipv6)).accepted

@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_lent(lent_port, address):
    assert isinstance(lent_port, int)
    with socket.socket() as does_not_reuse, pytest.raises(OSError):
        does_not_reuse.bind((address, lent_port))
    with socket.create_server((address, lent_port)):
        assert probe(f"127.0.0.1:{lent_port}").accepted

def test_refused(refused_port, refused_endpoint):
    assert refused_endpoint == Endpoint("127.0.0.1", refused_port)
    for _ in range(100):
        assert probe(refused_endpoint).outcome.name == "REFUSED"
        assert not probe(f"[::1]:{refused_port}").accepted
    with pytest.raises(AddressInUseError):
        listen(refused_port)

@pytest.mark.usefixtures("ipv6_loopback")
def test_mark():
    pass

def test_address(ipv6_loopback, open_listener):
    assert open_listener(ipv6_loopback).getsockname()[0] == "::1"
"""


@IPV6
@LINUX
def test_what_they_yield(pytester: pytest.Pytester) -> None:
    """Each fixture yields what it says, and no descriptor is left open after the tests."""
    run(pytester, USES).assert_outcomes(passed=9)


WITHOUT = """
import pytest

@pytest.mark.parametrize("again", [1, 2])
def test_pair(loopback_pair, again): ...

def test_lent(lent_port): ...

def test_listening(listening_socket): ...

def test_refused(refused_port): ...

@pytest.mark.usefixtures("ipv6_loopback")
def test_mark(): ...
"""


@LINUX
def test_skips_say_why(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without IPv6, what needs it is skipped with the system's reason; the rest runs."""
    pytester.makeconftest(
        "import errno, os, socket\n"
        "class NoIPv6(socket.socket):\n"
        "    def __init__(self, family=-1, *rest, **more):\n"
        "        if family == socket.AF_INET6:\n"
        "            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))\n"
        "        super().__init__(family, *rest, **more)\n"
        "socket.socket = NoIPv6\n"
    )
    result = run(pytester, WITHOUT, "-rs")
    result.assert_outcomes(passed=3, skipped=3)
    result.stdout.fnmatch_lines(["SKIPPED*no IPv6 here: *Address family not supported*"])


def test_no_lending_is_a_skip(pytester: pytest.Pytester) -> None:
    """Where the system cannot lend a port, the test is skipped, and nothing is handed out."""
    pytester.makeconftest(
        "from bindlab.opening import allocation\nallocation.lends = lambda: False\n"
    )
    result = run(pytester, "def test_lent(lent_port): ...", "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*no port can be lent here: *cannot lend a port*"])


def test_none_is_used_unasked(pytester: pytest.Pytester) -> None:
    """No fixture is automatic: a suite that asks for none has none set up."""
    result = run(pytester, "def test_nothing(): ...", "--setup-show")
    result.assert_outcomes(passed=1)
    assert not [name for name in FIXTURES if name in result.stdout.str()]


def test_they_are_shown(pytester: pytest.Pytester) -> None:
    """``pytest --fixtures`` lists each with its docstring, and no fixture of bindlab else."""
    shown = run(pytester, "", "--fixtures").stdout.str()
    listed = [line.split()[0] for line in shown.splitlines() if "pytest_plugin.py:" in line]
    assert sorted(listed) == FIXTURES
    assert "A TCP socket that listens on 127.0.0.1, on a port that nobody else gets." in shown


def test_names_are_free() -> None:
    """No fixture is called as one of the plugins that a suite of servers has beside it."""
    assert not TAKEN & set(FIXTURES)


def test_loading_is_light(pytester: pytest.Pytester) -> None:
    """A run that uses no fixture imports the face and the fixtures, and none of their rooms.

    pytest compiles a plugin's modules anew where it may not keep the result: so few are quick.
    """
    suite = """
    import sys

    def test_nothing():
        assert {name for name in sys.modules if name.startswith("bindlab")} == {
            "bindlab", "bindlab.pytest_plugin"
        }
        assert not {"ifaddr", "ctypes", "asyncio"} & sys.modules.keys()
    """
    run(pytester, suite, "-p", "no:xdist").assert_outcomes(passed=1)


def test_a_failure_ends_in_the_test(pytester: pytest.Pytester) -> None:
    """pytest shows the line of the test and the table, and none of bindlab's own lines."""
    result = run(
        pytester,
        "from bindlab.testing import assert_loopback_only\n"
        "def test_private(open_listener):\n"
        "    server = open_listener('0.0.0.0')\n"
        "    assert_loopback_only(server)\n",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            ">       assert_loopback_only(server)",
            "E       AssertionError: 0.0.0.0:* is *",
            "E         Bound to 0.0.0.0:*: every IPv4 address of this machine.",
            "test_suite.py:4: AssertionError",
        ]
    )
    assert "predicting.py" not in result.stdout.str()


# The client resets: thousands of connections in TIME_WAIT would take ports from other tests.
CROWD = """
import os, socket, struct, pytest

def serve_and_connect(server):
    mine = os.urandom(16)
    with socket.create_connection(server.getsockname()[:2], timeout=10) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with server.accept()[0] as connection:
            connection.sendall(mine)
            assert client.recv(16, socket.MSG_WAITALL) == mine

@pytest.mark.parametrize("number", range({each}))
class TestCrowd:
    def test_socket(self, listening_socket, number):
        serve_and_connect(listening_socket)

    def test_factory(self, open_listener, number):
        for _ in range(5):
            serve_and_connect(open_listener())

    def test_lent(self, lent_port, number):
        with socket.create_server(("127.0.0.1", lent_port)) as server:
            serve_and_connect(server)

    def test_refused(self, refused_port, number):
        with socket.socket() as client:
            assert client.connect_ex(("127.0.0.1", refused_port)) != 0
"""


@LINUX
@pytest.mark.slow
def test_fixtures_beside_each_other(pytester: pytest.Pytester) -> None:
    """In parallel tests what is held, lent and refused stays apart (see test_parallel_run.py)."""
    result = run(pytester, CROWD.replace("{each}", "25"), "--numprocesses=4")
    result.assert_outcomes(passed=100)


def test_installing_is_enough(pytester: pytest.Pytester) -> None:
    """The entry point is installed, and pytest loads its module."""
    (entry,) = entry_points(group="pytest11", name="bindlab")
    assert entry.value == "bindlab.pytest_plugin"
    assert (
        "bindlab.pytest_plugin" in run(pytester, "def test(): ...", "--trace-config").stdout.str()
    )


def test_without_entry_points(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pytest is told to load no plugin by itself, ``-p bindlab.pytest_plugin`` does."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    suite = "def test(listening_socket, refused_endpoint): ..."
    run(pytester, suite, "-p", "bindlab.pytest_plugin").assert_outcomes(passed=1)
