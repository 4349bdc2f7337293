"""A server of the guide as a process of its own, started, asked and stopped by a test.

Every step has its limit in seconds: a server that hangs fails its test, with its output.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

from bindlab import Endpoint, binding_of

TESTS = Path(__file__).parent
ROOT = TESTS.parents[1]
START, ANSWER, STOP = 30.0, 10.0, 5.0  # seconds; imports alone take some on a loaded machine


class Answer(NamedTuple):
    """Who asked, and who that was for the server."""

    peer: tuple[str, str]
    seen: tuple[str, str]


class Ending(NamedTuple):
    """How the program ended: its status, what it printed, and the IP sockets it left open."""

    status: int
    output: str
    left: list[str] | None


class Running:
    """A server at work. ``sockets`` are copies of what it was given, until they are closed."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path, test: socket.socket) -> None:
        self.process = process
        self.sockets: list[socket.socket] = []
        self._log = log
        self._test = test

    def receive(self) -> None:
        """Wait for the copies of the program's sockets."""
        try:
            message, descriptors, _, _ = socket.recv_fds(self._test, 100, 10)
        except TimeoutError:
            message, descriptors = b"", []
        self.sockets = [socket.socket(fileno=each) for each in descriptors]
        if message != b"opened":
            raise AssertionError(f"the server opened nothing:\n{self.output()}")

    def endpoints(self) -> list[Endpoint]:
        return [binding_of(sock).endpoint for sock in self.sockets]

    def let_go(self) -> None:
        """Close the copies, so that the sockets are the server's alone."""
        for sock in self.sockets:
            sock.close()

    def output(self) -> str:
        return self._log.read_text(errors="replace")

    def stop(self) -> Ending:
        """Stop it as Ctrl-C does, and return how it ended."""
        for _ in range(3):  # wsgiref swallows the one that comes while it answers somebody
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGINT)
            try:
                status = self.process.wait(STOP)
                break
            except subprocess.TimeoutExpired:
                continue
        else:
            raise AssertionError(f"it does not stop:\n{self.output()}")
        message = self._test.recv(10_000)
        return Ending(status, self.output(), json.loads(message) if message else None)

    def has_workers_left(self) -> bool:
        """Return whether some process that it started is still there after a moment."""
        until = time.monotonic() + STOP
        while time.monotonic() < until:
            try:
                os.killpg(self.process.pid, 0)
            except ProcessLookupError:
                return False
            time.sleep(0.02)
        return True


@contextmanager
def running(
    snippet: str,
    app: str,
    addresses: Sequence[str],
    folder: Path,
    *,
    listening: bool = True,
    ignored: Sequence[str] = (),
) -> Iterator[Running]:
    """Run *snippet* as a program with *app* as its ``myapp``; nothing of it survives the block."""
    program = snippet.replace("from bindlab import", "from tests.servers.told import")
    (folder / "main.py").write_text(program)
    (folder / "myapp.py").write_text((TESTS / f"apps/{app}.py").read_text())
    log = folder / "output.txt"
    with ExitStack() as opened:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        opened.enter_context(ours).settimeout(START)
        environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}",
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": ",".join(["error", *ignored]),
            "TOLD_TO": str(theirs.fileno()),
            "TOLD_ADDRESSES": " ".join(addresses),
            "TOLD_TO_BIND": "" if listening else "yes",
        }
        with theirs, log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "main.py"],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # a group of its own, so that all of it can be ended
            )
        server = Running(process, log, ours)
        opened.callback(_end, process)
        opened.callback(server.let_go)
        server.receive()
        yield server


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the program and the workers that it may have left, but for what has ended."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(STOP)


def ask_http(endpoint: Endpoint) -> Answer:
    """Return what the server answers to a request, which is the address that it sees."""
    connection = HTTPConnection(str(endpoint.ip), endpoint.port, timeout=ANSWER)
    try:
        connection.request("GET", "/")
        host, port, *_ = connection.sock.getsockname()
        response = connection.getresponse()
        body = response.read().decode()
        assert response.status == 200, body
        return Answer((host, str(port)), _split(body))
    finally:
        connection.close()


# A program of its own: gRPC's threads and fork() do not go together.
_GRPC_CLIENT = """
import sys, grpc
with grpc.insecure_channel(sys.argv[1], [("grpc.enable_http_proxy", 0)]) as channel:
    print(channel.unary_unary("/Test/Peer")(b"", timeout=10, wait_for_ready=True).decode())
"""


def ask_grpc(endpoint: Endpoint) -> Answer:
    """Return what a gRPC service answers; the client does not tell its own port."""
    done = subprocess.run(
        [sys.executable, "-c", _GRPC_CLIENT, str(endpoint)],
        capture_output=True,
        text=True,
        timeout=2 * ANSWER,
        check=True,
    )
    seen = _split(done.stdout)
    return Answer((str(endpoint.ip), seen[1]), seen)


def _split(text: str) -> tuple[str, str]:
    host, port = text.split()
    return host, port
