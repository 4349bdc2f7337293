"""A network of its own for one test: a fresh Linux network namespace, in a thread.

A namespace that only a thread is in vanishes with the thread, with its interfaces, sockets
and settings. Child processes of that thread start in it; /proc/sys/net is its own.
"""

import ctypes
import functools
import os
import subprocess
import threading
from collections.abc import Callable
from typing import ParamSpec

import pytest
from benchmarks import network

P = ParamSpec("P")


def in_namespace(test: Callable[P, None]) -> Callable[P, None]:
    """Run *test* in a new network namespace, where only loopback is up; skip without the right."""

    @functools.wraps(test)
    def inside(*args: P.args, **kwargs: P.kwargs) -> None:
        outcome: list[BaseException] = []

        def body() -> None:
            try:
                enter_new_namespace()
                test(*args, **kwargs)
            except BaseException as error:
                outcome.append(error)

        thread = threading.Thread(target=body, name=test.__name__)
        thread.start()
        thread.join()
        if outcome:
            raise outcome[0]

    return inside


def enter_new_namespace() -> None:
    """Move the calling thread, which must not be the main one of pytest, and switch lo on."""
    try:
        network.enter_new()
    except OSError as error:
        pytest.skip(str(error))


def ip(*words: str) -> None:
    """Run ip(8) in the calling thread's namespace."""
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=10)


def setting(name: str, value: object) -> None:
    """Write a setting of the calling thread's namespace, as in ``ipv4/ip_local_port_range``."""
    with open(f"/proc/sys/net/{name}", "w", encoding="utf-8") as file:
        file.write(str(value))


def add_interface(name: str) -> None:
    """Add an interface that is up and has a carrier: one end of a virtual cable."""
    ip("link", "add", name, "type", "veth", "peer", "name", f"{name}-peer")
    ip("link", "set", f"{name}-peer", "up")
    ip("link", "set", name, "up")


def become_nobody() -> None:
    """Drop every privilege of the calling thread, which must not be the main one, for good."""
    if os.uname().machine != "x86_64" or os.geteuid() != 0:
        pytest.skip("only root can become nobody, and its system call's number is x86_64's")
    # The C library's own function would change every thread of the process.
    if ctypes.CDLL(None, use_errno=True).syscall(117, 65534, 65534, 65534) != 0:  # setresuid
        pytest.skip(f"setresuid: {os.strerror(ctypes.get_errno())}")
