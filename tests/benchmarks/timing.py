"""Timing side by side: contenders take turns, and each round gives a ratio.

The clock is the processor's: what a process waits for its turn, on a machine that does other
things as well, is not in it. A sample is taken by whoever knows what one operation is.
"""

import gc
import random
import statistics
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from .figures import Figure

__all__ = ["Compared", "Sampler", "compare", "figure", "repeated"]

Sampler: TypeAlias = Callable[[], float]
"""Takes one sample, and returns how many seconds one operation took."""

_SAMPLE = 0.003  # seconds that a sample takes, unless one operation takes longer


class Compared(NamedTuple):
    """What the first contender took, in seconds, and how often that each of them took."""

    seconds: float
    figures: dict[str, Figure]

    def of(self, *names: str) -> dict[str, Figure]:
        """Return the figures of *names*, as far as they took part."""
        return {name: self.figures[name] for name in names if name in self.figures}

    def but(self, *names: str) -> dict[str, Figure]:
        """Return the figures of all others than *names*."""
        return {name: each for name, each in self.figures.items() if name not in names}


def repeated(operation: Callable[[], object], seconds: float = _SAMPLE) -> Sampler:
    """Return a sampler that repeats *operation* as often as *seconds* allow."""
    count = 0

    def sample() -> float:
        nonlocal count
        if not count:
            once = min(_timed(operation, 1), _timed(operation, 1))
            count = max(1, int(seconds / max(once, 1e-8)))
        return _timed(operation, count)

    return sample


def compare(samplers: Mapping[str, Sampler], rounds: int, patience: float = 3.0) -> Compared:
    """Return how each of *samplers* compares with the first of them, which is 1.

    One that has taken more than *patience* seconds is asked no more.
    """
    first, *_ = samplers
    unit: list[float] = []
    ratios: dict[str, list[float]] = {name: [] for name in samplers}
    spent = dict.fromkeys(samplers, 0.0)
    for _ in range(rounds):
        taking_part = [name for name in samplers if name == first or spent[name] < patience]
        random.shuffle(taking_part)
        samples: dict[str, float] = {}
        for name in taking_part:
            started = time.perf_counter()
            samples[name] = samplers[name]()
            spent[name] += time.perf_counter() - started
        unit.append(samples[first])
        for name, sample in samples.items():
            ratios[name].append(sample / samples[first])
    return Compared(statistics.median(unit), {name: figure(r) for name, r in ratios.items()})


def figure(samples: list[float], remark: str = "") -> Figure:
    """Return the median and the quartiles of *samples*."""
    if len(samples) == 1:
        return Figure(samples[0], samples[0], samples[0], remark)
    low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
    return Figure(median, low, high, remark)


def _timed(operation: Callable[[], object], count: int) -> float:
    collecting = gc.isenabled()
    gc.disable()  # as timeit does: a collection would be one contender's bad luck
    try:
        started = time.process_time()
        for _ in range(count):
            operation()
        return (time.process_time() - started) / count
    finally:
        if collecting:
            gc.enable()
