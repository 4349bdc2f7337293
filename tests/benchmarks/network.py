"""A network of a process's own, and a process for it: Linux network namespaces."""

import ctypes
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

__all__ = ["apart", "enter_new"]

P = ParamSpec("P")
T = TypeVar("T")

CLONE_NEWNET = 0x40000000  # unshare(2)


def enter_new(*, lo_is_up: bool = True) -> None:
    """Move the calling thread into a new network where only loopback is up, or not even that.

    ``OSError`` where it may not, or where there are no such networks.
    """
    if not sys.platform.startswith("linux"):
        raise OSError("network namespaces are Linux's")
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"no network of one's own: {os.strerror(number)}")
    if lo_is_up:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True, timeout=10)


def apart(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what *function* returns in a process of its own, in a network of its own."""
    context = multiprocessing.get_context("fork")
    reader, writer = context.Pipe(duplex=False)

    def body() -> None:
        reader.close()
        try:
            enter_new()
            writer.send(function(*args, **kwargs))
        except OSError as error:
            writer.send(OSError(*error.args))

    process = context.Process(target=body)
    process.start()
    writer.close()
    try:
        result: T | OSError = reader.recv()
    except EOFError:
        raise RuntimeError(f"{function.__name__} ended without a result: see above") from None
    finally:
        reader.close()
        process.join()
    if isinstance(result, OSError):
        raise result
    return result
