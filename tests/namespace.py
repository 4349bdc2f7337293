"""Network namespaces of a test's own (Linux): entered by threads, gone when nobody holds them.

The functions act in the calling thread's namespace; child processes of that thread start in it.
"""

import ctypes
import functools
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest
from benchmarks import network

P = ParamSpec("P")
T = TypeVar("T")


def ip(*words: str | bytes) -> None:
    """Run ip(8); words are split at spaces."""
    split = [word for part in words for word in part.split()]
    subprocess.run(["ip", *split], check=True, capture_output=True, timeout=10)


def setting(name: str, value: object) -> None:
    """Write a setting below /proc/sys/net, as ``ipv4/ip_local_port_range``."""
    Path("/proc/sys/net", name).write_text(str(value))


def add_interface(name: str, peer: str | None = None, *, up: bool = True) -> None:
    """Add an interface that is one end of a virtual cable, and has a carrier if *up*."""
    peer = peer or f"{name}-peer"
    ip(f"link add name {name} type veth peer name {peer}")
    if up:
        ip(f"link set {name} up")
        ip(f"link set {peer} up")


def become_nobody() -> None:
    """Drop every privilege of the calling thread, which must not be the main one, for good."""
    if os.uname().machine != "x86_64" or os.geteuid() != 0:
        pytest.skip("only root can become nobody, and its system call's number is x86_64's")
    # The C library's own function would change every thread of the process.
    if ctypes.CDLL(None, use_errno=True).syscall(117, 65534, 65534, 65534) != 0:  # setresuid
        pytest.skip(f"setresuid: {os.strerror(ctypes.get_errno())}")


def in_thread(function: Callable[[], T]) -> T:
    """Return what *function* returns in a thread of its own, or raise what it raised."""
    results: list[T] = []
    errors: list[BaseException] = []

    def body() -> None:
        try:
            results.append(function())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


class Namespace:
    """A network namespace; loopback is down in it, as the kernel makes it."""

    def __init__(self) -> None:
        def make() -> int:
            network.enter_new(lo_is_up=False)
            return os.open("/proc/thread-self/ns/net", os.O_RDONLY)

        self._descriptor = in_thread(make)
        self.path = f"/proc/{os.getpid()}/fd/{self._descriptor}"

    def close(self) -> None:
        """Let it go: it vanishes with the last thread and socket in it."""
        os.close(self._descriptor)

    def run(self, function: Callable[[], T]) -> T:
        """Return what *function* returns in a thread of this namespace, or raise what it raised."""

        def enter() -> T:
            if ctypes.CDLL(None, use_errno=True).setns(self._descriptor, network.CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            return function()

        return in_thread(enter)

    def ip(self, *words: str | bytes) -> None:
        """Run ip(8) in it."""
        self.run(lambda: ip(*words))

    def batch(self, *lines: str) -> None:
        """Run many commands of ip(8) in it at once."""
        self.output(["ip", "-batch", "-"], given="\n".join(lines))

    def pair(self, near: str, far: str, *, up: bool = True) -> None:
        """Make two interfaces in it, each the other's wire."""
        self.run(lambda: add_interface(near, far, up=up))

    def sysctl(self, name: str, value: object) -> None:
        """Write a setting below /proc/sys/net of this namespace."""
        self.run(lambda: setting(name, value))

    def output(self, command: list[str], given: str = "") -> str:
        """Return what a program of this namespace prints."""
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
        return self.run(
            lambda: subprocess.run(
                command, input=given, env=environment, check=True, capture_output=True, text=True
            )
        ).stdout

    def python(self, program: str) -> str:
        """Return what a Python *program* of this namespace prints."""
        return self.output([sys.executable, "-c", program])


@contextmanager
def namespace() -> Iterator[Namespace]:
    """Yield a new namespace."""
    made = Namespace()
    try:
        yield made
    finally:
        made.close()


def in_namespace(test: Callable[P, None]) -> Callable[P, None]:
    """Run *test* in a new namespace where only loopback is up; skip without the right."""

    @functools.wraps(test)
    def inside(*args: P.args, **kwargs: P.kwargs) -> None:
        def body() -> None:
            network.enter_new()
            test(*args, **kwargs)

        if why:
            pytest.skip(why)

        in_thread(body)

    return inside


def _obstacle() -> str:
    try:
        with namespace() as made:
            made.run(lambda: None)
        in_thread(network.enter_new)  # lo can be set up, too
    except OSError as error:
        return f"network namespaces: {error}"
    return ""


needs_namespaces = pytest.mark.skipif(bool(why := _obstacle()), reason=why or "never")


@pytest.fixture
def ns() -> Iterator[Namespace]:
    """Yield a namespace with loopback up."""
    if why:
        pytest.skip(why)
    with namespace() as made:
        made.ip("link set lo up")
        yield made
