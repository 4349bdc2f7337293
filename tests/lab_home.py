"""What the lab's tests share: a home with three hosts, and how one meets another."""

import errno
import socket
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from bindlab import Answering, answering, lab
from bindlab.lab import LabHost, Machine, Network
from bindlab.scanning import observing

_available = lab.available()
needs_lab = pytest.mark.skipif(not _available, reason=_available.reason)
SILENCE = 0.3  # seconds after which nobody answers, where the answer takes microseconds
PATIENCE = 60.0  # seconds for what comes at once, on however busy a machine


def serve(host: LabHost, address: str, port: int = 3000) -> socket.socket:
    """Return a listening socket of *host*, made without the rest of bindlab."""
    ip, _, zone = address.partition("%")
    server = host.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET)
    scope = host.call(socket.if_nametoindex, zone) if zone else 0
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # over earlier connections
    server.bind((ip, port, 0, scope) if ":" in ip else (ip, port))
    server.listen()
    return server


def meets(host: LabHost, address: str, port: int = 3000, patience: float = PATIENCE) -> str:
    """Return the name of the errno that *host* meets there, ``"accepted"`` or ``"silence"``."""
    try:
        with host.connect(address, port, timeout=patience):
            return "accepted"
    except TimeoutError:
        return "silence"
    except OSError as error:
        return errno.errorcode[error.errno or 0]


def meets_silence(host: LabHost, address: str, port: int = 3000) -> bool:
    """Return whether nobody answers *host* there in a short while."""
    return meets(host, address, port, SILENCE) == "silence"


def answering_unlisted(port: int, **options: object) -> Answering:
    """Return what is found of *port* where the system lists no sockets; on a host of the lab."""
    observing.sockets_on = lambda *_: None  # this process is the call's own
    return answering(port, **options)  # type: ignore[arg-type]


def make(**hosts: Machine | dict[str, list[str]]) -> None:
    """Make a network, and be done with it."""
    with lab.network(**hosts):
        pass


def gone(pids: Iterable[int], patience: float = PATIENCE) -> bool:
    """Return whether none of the processes is left (or only as a zombie), after a while."""
    deadline = time.monotonic() + patience
    while any(map(_runs, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
def home() -> Iterator[Network]:
    with lab.network(
        laptop={
            "wifi": ["192.168.0.102/24", "192.168.0.103/24", "2001:db8:1::2/64", "fd00:1::2/64"],
            "ethernet": "10.0.0.12/24",
        },
        phone={"wifi": ["192.168.0.50/24", "2001:db8:1::50/64", "fd00:1::50/64"]},
        desktop={"ethernet": "10.0.0.20/24"},
    ) as net:
        yield net
