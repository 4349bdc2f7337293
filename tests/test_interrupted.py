"""A signal handler that raises in the middle of a call, wherever that is.

Ctrl-C raises between any two bytecodes, and so does the timeout of a test. A trace function
raises here at each of them, one after the other.
"""

import dis
import gc
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Protocol, TypeVar

import pytest
from attempts import LATE, LINUX, descriptors, leave_time_wait
from namespace import in_namespace

from bindlab import (
    Host,
    bind,
    binding_of,
    descriptor,
    inspect_socket,
    listen,
    opening,
    reachable_from,
)
from bindlab.inspect_socket import binding_here
from bindlab.opening import adoption, allocate
from bindlab.opening.adoption import activated, adopt

pytestmark = [
    LINUX,
    pytest.mark.skipif(
        sys.implementation.name != "cpython", reason="only CPython traces each bytecode"
    ),
    # A socket object that is dropped in the middle closes what it owns, and says so.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    # A generator that is closed while the alarm rings cannot raise, and says so.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

# The files in which each bytecode is tried; of the others, what they do is no socket's business.
FILES = {
    *(module.__file__ for module in (descriptor, inspect_socket, socket)),
    reachable_from.__code__.co_filename,
    *map(str, Path(opening.__file__).parent.glob("*.py")),
}


T = TypeVar("T")


class Ring(BaseException):
    """What the signal handler raises."""


class Alarm:
    """A trace function that raises once: at the event with this number, counted from 0."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, frame: FrameType, event: str, _: object) -> "Alarm | None":
        # What is raised in __del__() is only printed.
        if frame.f_code.co_filename not in FILES or frame.f_code.co_name == "__del__":
            return None
        frame.f_trace_opcodes = True
        if event == "opcode" and not _is_left_alone(frame):
            self.left -= 1
            if self.left < 0:
                raise Ring
        return self


def _is_left_alone(frame: FrameType) -> bool:
    """Return whether no handler runs before the next bytecode: it leaves a function or a handler.

    CPython would forget that the handler was left, if something was raised there.
    """
    name = dis.opname[frame.f_code.co_code[frame.f_lasti]]
    return name.startswith("RETURN") or name in ("PUSH_EXC_INFO", "POP_EXCEPT", "RERAISE")


class Closeable(Protocol):
    """What a test closes when it is complete."""

    def close(self) -> None: ...


class Closing(tuple[socket.socket, ...]):
    """Sockets that are closed together."""

    def close(self) -> None:
        for sock in self:
            sock.close()


@contextmanager
def armed(number: int) -> Iterator[None]:
    """Raise in the block at the event with this *number*; then no more."""
    before = sys.gettrace()
    sys._getframe().f_trace_opcodes = True  # Python 3.12 asks for one such frame at settrace()
    sys.settrace(Alarm(number))
    try:
        yield
    finally:
        sys.settrace(before)


def interrupt_everywhere(call: Callable[[], T | None], check: Callable[[], None]) -> tuple[T, int]:
    """Interrupt *call* at each place in turn, and *check* what it leaves behind.

    Returns what it returned when it was complete, and how many interruptions there were.
    """
    for number in range(1_000_000):
        result = None
        with suppress(Ring), armed(number):
            result = call()
        if result is not None:
            return result, number
        check()
    raise AssertionError("it never ends")


def unchanged() -> Callable[[], None]:
    """Return a check that the descriptors are those of now, open, and of the same sockets."""
    before = descriptors()

    def check() -> None:
        # What only a cycle holds, as an error and the frame that caught it are, is freed later.
        if descriptors() != before:
            gc.collect()
        assert descriptors() == before

    return check


LAPTOP = Host.of(lo="127.0.0.1/8", wifi="192.168.0.102/24")


@pytest.mark.parametrize(
    ("ask", "least"),
    [
        pytest.param(binding_of, 200, id="binding_of"),
        pytest.param(binding_here, 200, id="binding_here"),
        pytest.param(lambda sock: reachable_from(sock, host=LAPTOP), 300, id="reachable_from"),
        pytest.param(reachable_from, 300, id="reachable_from-this-machine"),
    ],
)
def test_who_asks_keeps_the_socket(ask: Callable[[socket.socket], object], least: int) -> None:
    """Wherever the question is interrupted, the socket stays open, and no duplicate of it."""
    with listen() as server:
        ask(server)
        _, count = interrupt_everywhere(lambda: ask(server), unchanged())
        assert count > least


def test_who_lets_adopt_keeps_the_descriptor() -> None:
    """Until adopt() returns, the descriptor is the caller's, and open."""
    with listen() as server:
        number = os.dup(server.fileno())
        adopted, count = interrupt_everywhere(lambda: adopt(number), unchanged())
        assert count > 200
        assert adopted.fileno() == number
        adopted.close()


def test_who_is_activated_keeps_all_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until activated() returns all sockets, none of them is anybody's but the caller's."""
    with listen() as server, bind(transport="udp") as other:
        numbers = [os.dup(server.fileno()), os.dup(other.fileno())]
        monkeypatch.setattr(adoption, "_passed", lambda _: numbers)
        adopted, count = interrupt_everywhere(activated, unchanged())
        assert count > 400
        assert [sock.fileno() for sock in adopted] == numbers
        for sock in adopted:
            sock.close()


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(bind, id="bind"),
        pytest.param(listen, id="listen"),
        pytest.param(allocate, id="allocate"),
        pytest.param(lambda: allocate("localhost", transports=("tcp", "udp")), id="group"),
        pytest.param(lambda: allocate("localhost", within=range(20000, 30000)), id="within"),
        pytest.param(lambda: allocate(lendable=True), id="lent", marks=LATE),
        pytest.param(lambda: Closing(allocate("localhost").take()), id="take"),
        pytest.param(lambda: Closing(allocate("localhost").listen()), id="handed-over-listening"),
    ],
)
def test_an_interrupted_opening_leaves_nothing_open(call: Callable[[], Closeable]) -> None:
    """What was opened until the interruption is closed."""
    call().close()
    opened, count = interrupt_everywhere(call, unchanged())
    assert count > 30
    opened.close()


@in_namespace
def test_an_interrupted_opening_over_old_connections_leaves_nothing_open() -> None:
    """Nor does one that has to set SO_REUSEADDR, and to listen for a moment."""
    port = leave_time_wait(listen())
    for hand_over in (
        lambda: Closing(allocate(port=port).take()),
        lambda: Closing(allocate(port=port).listen()),
    ):
        opened, count = interrupt_everywhere(hand_over, unchanged())
        assert count > 100
        opened.close()


def test_an_interrupted_look_leaves_the_default_timeout_alone() -> None:
    """O_NONBLOCK, which all duplicates share, is the same after each interruption."""
    with listen() as server:

        def still_blocking() -> None:
            assert os.get_blocking(server.fileno())

        socket.setdefaulttimeout(5)
        try:
            interrupt_everywhere(lambda: binding_of(server), still_blocking)
        finally:
            socket.setdefaulttimeout(None)
