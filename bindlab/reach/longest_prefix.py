"""Which of many routes wins for each address: the longest prefix, then the lowest metric.

Knows networks and numbers only; what a route means is asked of its user.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Generic, TypeVar

from bindlab.host import IPNetwork
from bindlab.route import Route

__all__ = ["LongestPrefix"]

_BITS: Final = {4: 32, 6: 128}
T = TypeVar("T")


class LongestPrefix(Generic[T]):
    """Routes as stretches of addresses, each with the routes that win there.

    *judge* says what the winners of a stretch, all alike, mean; it is asked once for each.
    """

    def __init__(
        self, routes: Iterable[Route], version: int, judge: Callable[[Sequence[Route]], T]
    ) -> None:
        best: dict[tuple[int, int], list[Route]] = {}
        for route in routes:
            network = route.network
            rivals = best.setdefault((int(network.network_address), network.prefixlen), [])
            if rivals and route.metric < rivals[0].metric:
                rivals.clear()
            if not rivals or route.metric == rivals[0].metric:
                rivals.append(route)
        self._judge, self._end = judge, 1 << _BITS[version]
        self._starts: list[int] = [0]
        self._winners: list[Sequence[Route]] = [()]
        around: list[tuple[int, Sequence[Route]]] = [(self._end, ())]
        for (start, length), winners in sorted(best.items(), key=lambda item: item[0]):
            self._leave(around, start)
            around.append((start + (self._end >> length), winners))
            self._mark(start, winners)
        self._leave(around, self._end - 1)
        self._fates: list[T | None] = [None] * len(self._starts)

    def at(self, ip: int) -> T:
        """Return the fate of answers to one address."""
        return self._fate(bisect_right(self._starts, ip) - 1)

    def over(self, network: IPNetwork) -> Iterator[T]:
        """Yield the fates of answers to the addresses of *network*."""
        first = bisect_right(self._starts, int(network.network_address)) - 1
        last = bisect_right(self._starts, int(network.broadcast_address))
        return map(self._fate, range(first, last))

    def over_all(self) -> Iterator[T]:
        """Yield the fates of answers to all addresses."""
        return map(self._fate, range(len(self._starts)))

    def stretches(self) -> Iterator[tuple[T, Sequence[IPNetwork]]]:
        """Yield the fate of each stretch, and whose it is: of no network where no route leads."""
        for number, winners in enumerate(self._winners):
            yield self._fate(number), [route.network for route in winners[:1]]

    def _fate(self, number: int) -> T:
        fate = self._fates[number]
        if fate is None:
            fate = self._fates[number] = self._judge(self._winners[number])
        return fate

    def _leave(self, around: list[tuple[int, Sequence[Route]]], until: int) -> None:
        """Close the networks that end before *until*."""
        while around[-1][0] <= until:
            end, _ = around.pop()
            self._mark(end, around[-1][1])

    def _mark(self, start: int, winners: Sequence[Route]) -> None:
        if self._starts[-1] == start:
            self._winners[-1] = winners
        else:
            self._starts.append(start)
            self._winners.append(winners)
