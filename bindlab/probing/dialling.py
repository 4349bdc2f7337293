"""Many attempts at once: they are waited for together, by a poll or between other tasks."""

import select
import sys
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager
from time import perf_counter
from typing import TypeAlias

from bindlab.probing.dial import Dial

Sleep: TypeAlias = Callable[[float], Awaitable[None]]
"""``asyncio.sleep()`` or ``trio.sleep()``."""

# poll(2) counts milliseconds in an int; a longer wait is several of these.
_LONGEST_POLL = 86_400.0
# How often *given_up* is asked, in seconds.
_PATIENT_POLL = 0.01
# The first pause between two looks of a task, in seconds: loopback answers at once.
_IMPATIENT_POLL = 0.0005
_AT_ONCE = 128  # each has a descriptor, of which macOS gives a process 256


def dial_all(
    dials: Sequence[Dial],
    patience: float,
    given_up: Callable[[], bool] | None = None,
) -> None:
    """Make all attempts, 128 at a time, each in at most *patience* seconds.

    *given_up* is asked every 10 ms while nothing comes, and ends the attempts early. No thread
    is started, so that an interrupted program ends at once.
    """
    is_patient = given_up is not None or any(dial.linger for dial in dials)
    longest = _PATIENT_POLL if is_patient else _LONGEST_POLL
    for first in range(0, len(dials), _AT_ONCE):
        with _started(dials[first : first + _AT_ONCE]) as batch:
            deadline = perf_counter() + patience
            while waiting := [dial for dial in batch if not dial.is_over]:
                remaining = max(0.0, deadline - perf_counter())
                _look_at(waiting, min(remaining, longest), deadline, given_up)


async def dial_all_async(
    dials: Sequence[Dial],
    patience: float,
    sleep: Sleep,
    given_up: Callable[[], bool] | None = None,
) -> None:
    """Make all attempts as :func:`dial_all` does, and *sleep* between looks at them.

    No event loop is told of the sockets: some cannot watch any (asyncio's on Windows), and there
    is nothing to take back when the task is cancelled.
    """
    for first in range(0, len(dials), _AT_ONCE):
        with _started(dials[first : first + _AT_ONCE]) as batch:
            started = perf_counter()
            while waiting := [dial for dial in batch if not dial.is_over]:
                _look_at(waiting, 0.0, started + patience, given_up)
                if any(not dial.is_over for dial in waiting):
                    elapsed = perf_counter() - started
                    pause = min(_PATIENT_POLL, max(_IMPATIENT_POLL, elapsed / 10))
                    await sleep(min(pause, max(0.0, patience - elapsed)))


@contextmanager
def _started(dials: Sequence[Dial]) -> Generator[Sequence[Dial]]:
    """Start *dials*, and close them in any case."""
    with ExitStack() as stack:
        for dial in dials:
            stack.enter_context(dial).start()
        yield dials


def _look_at(
    waiting: Sequence[Dial],
    seconds: float,
    deadline: float,
    given_up: Callable[[], bool] | None,
) -> None:
    """See what comes of *waiting* within *seconds*; after *deadline* silence is the outcome."""
    ready = _ready(waiting, seconds)
    over = perf_counter() >= deadline or (given_up is not None and given_up())
    for dial in waiting:
        if over or dial in ready or dial.has_lingered:
            dial.look(ready=dial in ready, is_last=over)


def _ready(dials: Iterable[Dial], seconds: float) -> list[Dial]:
    """Return those whose socket became writable or readable, or failed, within *seconds*."""
    if sys.platform == "win32":
        # From documentation: select() reports a failed connect() as an exception.
        # https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-select
        every = list(dials)
        writing = [dial for dial in every if dial.awaits_writing]
        reading = [dial for dial in every if not dial.awaits_writing]
        found = select.select(reading, writing, every, seconds)
        return [dial for dial in every if any(dial in kind for kind in found)]
    by_descriptor = {dial.fileno(): dial for dial in dials}
    poll = select.poll()
    for descriptor, dial in by_descriptor.items():
        poll.register(descriptor, select.POLLOUT if dial.awaits_writing else select.POLLIN)
    return [by_descriptor[descriptor] for descriptor, _ in poll.poll(seconds * 1000)]
