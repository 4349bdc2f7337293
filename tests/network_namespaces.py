"""Network namespaces of a test's own, with real interfaces in them (Linux, as root)."""

import ctypes
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")

_CLONE_NEWNET = 0x40000000
_numbers = count(1)


def why_not() -> str:
    """Return why no namespace can be made here, or nothing."""
    if sys.platform != "linux":
        return "network namespaces are Linux's"
    if shutil.which("ip") is None:
        return "the ip program (iproute2) is not installed"
    if os.geteuid() != 0:
        return "making network namespaces takes root"
    made = subprocess.run(["ip", "netns", "add", _name()], capture_output=True, text=True)
    if made.returncode:
        return f"ip netns add: {made.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", made.args[-1]], check=True)
    return ""


def _name() -> str:
    return f"bindlab-{os.getpid()}-{next(_numbers)}"


class Namespace:
    """A network namespace; loopback is down in it, as the kernel makes it."""

    def __init__(self) -> None:
        self.name = _name()

    def ip(self, *arguments: str | bytes) -> None:
        """Run ``ip`` in it, each argument split at spaces."""
        words = [word for part in arguments for word in part.split()]
        subprocess.run(["ip", "-n", self.name, *words], check=True, capture_output=True)

    def batch(self, *lines: str) -> None:
        """Run many ``ip`` commands in it at once."""
        subprocess.run(
            ["ip", "-n", self.name, "-batch", "-"], input="\n".join(lines), text=True, check=True
        )

    def pair(self, near: str, far: str, *, up: bool = True) -> None:
        """Make two interfaces in it, each the other's wire."""
        self.ip(f"link add name {near} type veth peer name {far}")
        if up:
            self.ip(f"link set {near} up")
            self.ip(f"link set {far} up")

    def run(self, function: Callable[[], T]) -> T:
        """Return what *function* returns in a thread of this namespace, or raise what it raised.

        The namespace is the thread's alone: the rest of the process stays where it is.
        """
        results: list[T] = []
        errors: list[BaseException] = []

        def enter() -> None:
            try:
                with open(f"/run/netns/{self.name}", "rb") as door:
                    if ctypes.CDLL(None, use_errno=True).setns(door.fileno(), _CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), "setns")
                results.append(function())
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return results[0]

    def sysctl(self, path: str, value: int) -> None:
        """Write a setting below ``/proc/sys/net`` of this namespace."""
        self.run(lambda: Path("/proc/sys/net", path).write_text(str(value)))

    def python(self, program: str) -> str:
        """Return what *program* prints as a process of this namespace."""
        return subprocess.run(
            ["ip", "netns", "exec", self.name, sys.executable, "-c", program],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
        ).stdout


@contextmanager
def namespace() -> Iterator[Namespace]:
    """Yield a new namespace, and remove it afterwards whatever happened."""
    made = Namespace()
    subprocess.run(["ip", "netns", "add", made.name], check=True, capture_output=True)
    try:
        yield made
    finally:
        subprocess.run(["ip", "netns", "del", made.name], check=True)


_obstacle = why_not()
needs_namespaces = pytest.mark.skipif(bool(_obstacle), reason=_obstacle or "never")


@pytest.fixture
def ns() -> Iterator[Namespace]:
    """Yield a namespace with loopback up."""
    with namespace() as made:
        made.ip("link set lo up")
        yield made
