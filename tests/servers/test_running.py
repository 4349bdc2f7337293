"""What the tests of the servers would notice: each fault of a program is found."""

from pathlib import Path

import pytest

from tests.servers.running import running

pytestmark = [pytest.mark.slow, pytest.mark.servers]

LEAVES_A_SOCKET = """
import time
from bindlab import listen
sock = listen(8000)
time.sleep(60)
"""

LEAVES_A_PROCESS = """
import signal, subprocess, sys, time
from bindlab import listen
with listen(8000):
    ignoring = "import signal, time; signal.signal(2, signal.SIG_IGN); print(flush=True)"
    child = subprocess.Popen([sys.executable, "-c", f"{ignoring}; time.sleep(60)"], stdout=-1)
    child.stdout.readline()
    listen(8000)  # which tells the test that the child is there
    time.sleep(60)
"""

WARNS = """
import time
from bindlab import listen
open("main.py")
with listen(8000):
    time.sleep(60)
"""


def test_a_socket_that_is_left_open(tmp_path: Path) -> None:
    """The program tells which sockets it has at its end."""
    with running(LEAVES_A_SOCKET, "wsgi", ["127.0.0.1"], tmp_path) as server:
        (endpoint,) = server.endpoints()
        server.let_go()
        left = server.stop().left
        assert left is not None
        assert str(endpoint.port) in left[0]


def test_a_process_that_is_left(tmp_path: Path) -> None:
    """A worker that does not stop is noticed, and does not outlive the block."""
    with running(LEAVES_A_PROCESS, "wsgi", ["127.0.0.1"], tmp_path) as server:
        server.let_go()
        server.receive()
        server.stop()
        assert server.has_workers_left()
    assert not server.has_workers_left()


def test_a_warning(tmp_path: Path) -> None:
    """What a program forgets to close is in its output."""
    with running(WARNS, "wsgi", ["127.0.0.1"], tmp_path) as server:
        assert "ResourceWarning: unclosed file" in server.stop().output


def test_a_program_that_fails(tmp_path: Path) -> None:
    """One that opens nothing is told with what it printed."""
    with (
        pytest.raises(AssertionError, match="ZeroDivisionError"),
        running("1 / 0", "wsgi", ["127.0.0.1"], tmp_path),
    ):
        pass
