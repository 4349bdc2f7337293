"""A parallel test run, once with bindlab's fixtures and once with those of others.

    EXTRA=bench .ci/try python -m tests.parallel_run [--tests 1000] [--workers 8] [--work 0.05]

Each test asks a fixture for a socket or a port number, spends *work* seconds on starting its
server, serves, connects to it, and spends as long on what it asks there. A *collision* is a
test whose server found its port taken, or whose client met the server of another test. Each
fixture has a run of pytest-xdist of its own, in a network of its own (bindlab.lab): one with
1,000 ephemeral ports, where collisions are found in reasonable time, and one with the usual
28,232. Where there is no lab, there is the second alone, on this machine and with its range.
pytest-asyncio and anyio are in the ``bench`` extra, and are left out if missing.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from bindlab import lab

SMALL = range(40000, 41000)  # that of tests/benchmarks/race.py


class Fixture(NamedTuple):
    """A fixture, and the expression that makes a listening socket of what it yields."""

    plugin: str
    name: str
    server: str


ON_A_NUMBER = 'socket.create_server(("127.0.0.1", {name}))'
FIXTURES = (
    Fixture("bindlab", "listening_socket", "{name}"),
    Fixture("bindlab", "open_listener", "{name}()"),
    Fixture("bindlab", "lent_port", ON_A_NUMBER),
    Fixture("pytest_asyncio", "unused_tcp_port", ON_A_NUMBER),
    Fixture("anyio", "free_tcp_port", ON_A_NUMBER),
)
OURS = tuple(fixture for fixture in FIXTURES if fixture.plugin == "bindlab")

# The client resets: ports in TIME_WAIT would be missing in a small range.
SUITE = """
import os, socket, struct, time
import pytest

@pytest.mark.parametrize("number", range({tests}))
def test_server({name}, number):
    time.sleep({work})
    with {server} as server:
        server.settimeout(10)
        with socket.create_connection(server.getsockname()[:2], timeout=10) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with server.accept()[0] as connection:
                mine = os.urandom(16)
                connection.sendall(mine)
                assert client.recv(16, socket.MSG_WAITALL) == mine, "another server"
                time.sleep({work})
"""
COLLISIONS = ("Address already in use", "another server")


class Outcome(NamedTuple):
    """How many tests there were, which collided, and what else went wrong, by its message."""

    tests: int
    collisions: int
    others: Counter[str]
    seconds: float

    def __str__(self) -> str:
        others = "".join(f"  {count} x {what}" for what, count in self.others.items())
        return f"{self.tests:8}{self.collisions:12}{self.seconds:9.1f}{others}"


def run(
    fixture: Fixture, tests: int, workers: int, work: float, ports: range | None = None
) -> Outcome:
    """Run *tests* that use *fixture*, where *ports* are the ephemeral ones, if given."""
    with tempfile.TemporaryDirectory() as folder:
        suite, report = Path(folder, "test_suite.py"), Path(folder, "report.xml")
        server = fixture.server.format(name=fixture.name)
        suite.write_text(SUITE.format(name=fixture.name, server=server, tests=tests, work=work))
        started = time.monotonic()
        output = _in_network(
            [
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
                *("-c", os.devnull, f"--rootdir={folder}", f"--junitxml={report}"),
                *(f"--numprocesses={workers}", str(suite)),
            ],
            ports,
        )
        seconds = time.monotonic() - started
        if not report.exists():
            raise RuntimeError(f"{fixture.name}: pytest did not run\n{output}")
        return _outcome(ElementTree.parse(report), seconds)


def _in_network(command: list[str], ports: range | None) -> str:
    """Run *command* in a network of its own if there is a lab; return what it printed."""
    # It may be the worker of pytest-xdist that starts this run; its tests are not its own.
    env = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST_")}
    if not lab.available():
        return subprocess.run(command, env=env, capture_output=True, text=True).stdout
    sysctl = {"net.ipv4.ip_local_port_range": f"{ports[0]} {ports[-1]}"} if ports else {}
    with (
        lab.network(machine=lab.Machine(sysctl=sysctl)) as net,
        net.machine.run(command, env=env) as program,
    ):
        program.wait()
        return program.output


def _outcome(report: ElementTree.ElementTree, seconds: float) -> Outcome:
    cases = list(report.iter("testcase"))
    messages = [
        found.get("message", "").partition("\n")[0]
        for case in cases
        for found in (*case.findall("failure"), *case.findall("error"), *case.findall("skipped"))
    ]
    others = Counter(m for m in messages if not any(known in m for known in COLLISIONS))
    return Outcome(len(cases), len(messages) - others.total(), others, seconds)


def main() -> int:
    """Run each fixture's tests in both ranges; return 1 if one of bindlab's collided."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.parallel_run", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--tests", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--work", type=float, default=0.05, metavar="SECONDS")
    chosen = parser.parse_args()
    here = lab.available()
    if not here:
        print(f"on this machine itself, with its own range of ports: {here}")
    failed = False
    for ports in (SMALL, None) if here else (None,):
        print(f"{f'{len(ports)} ports' if ports else 'the usual range':34}", end="")
        print(f"{'tests':>8}{'collisions':>12}{'seconds':>9}")
        for fixture in FIXTURES:
            print(f"  {fixture.plugin:15}{fixture.name:17}", end="", flush=True)
            if importlib.util.find_spec(fixture.plugin) is None:
                print("  not installed")
                continue
            outcome = run(fixture, chosen.tests, chosen.workers, chosen.work, ports)
            print(outcome, flush=True)
            failed |= fixture in OURS and outcome[1:3] != (0, Counter())
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
