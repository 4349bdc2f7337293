"""Things by the networks they belong to, found at a cost that hardly grows with their number.

Knows networks and numbers only.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Generic, TypeVar

from bindlab.endpoint import IPAddress
from bindlab.host import IPNetwork

__all__ = ["Networks"]

T = TypeVar("T")


class Networks(Generic[T]):
    """Pairs of a network and something of it, in an order that every answer keeps."""

    def __init__(self, items: Iterable[tuple[IPNetwork, T]]) -> None:
        self._items = tuple(items)

    def around(self, ip: IPAddress) -> Iterator[T]:
        """Yield what belongs to a network with *ip* in it, zones aside, the narrowest first."""
        bits = int(ip)
        for shift, table in self._tables.get(ip.version, ()):
            for number in table.get(bits >> shift, ()):
                yield self._items[number][1]

    def hold(self, ip: IPAddress) -> bool:
        """Return whether *ip*, zones aside, is in one of the networks."""
        bits = int(ip)
        return any(bits >> shift in table for shift, table in self._tables.get(ip.version, ()))

    def overlapping(self, network: IPNetwork) -> Iterator[T]:
        """Yield what belongs to a network that shares addresses with *network*."""
        # Of two networks that overlap one holds the other.
        first, width = int(network.network_address), network.max_prefixlen - network.prefixlen
        wider = (
            number
            for shift, table in self._tables.get(network.version, ())
            if shift >= width
            for number in table.get(first >> shift, ())
        )
        starts = self._starts.get(network.version, [])
        low = bisect_left(starts, (first, -1))
        high = bisect_right(starts, (int(network.broadcast_address), len(self._items)))
        narrower = (
            number
            for _, number in starts[low:high]
            if self._items[number][0].prefixlen > network.prefixlen
        )
        for number in sorted([*wider, *narrower]):
            yield self._items[number][1]

    @cached_property
    def _tables(self) -> dict[int, list[tuple[int, dict[int, list[int]]]]]:
        """By IP version: for each prefix length, the numbers of items by their leading bits."""
        tables: dict[tuple[int, int], dict[int, list[int]]] = {}
        for number, (network, _) in enumerate(self._items):
            shift = network.max_prefixlen - network.prefixlen
            table = tables.setdefault((network.version, shift), {})
            table.setdefault(int(network.network_address) >> shift, []).append(number)
        indexed: dict[int, list[tuple[int, dict[int, list[int]]]]] = {}
        for (version, shift), table in sorted(tables.items(), key=lambda item: item[0]):
            indexed.setdefault(version, []).append((shift, table))
        return indexed

    @cached_property
    def _starts(self) -> dict[int, list[tuple[int, int]]]:
        """By IP version: where each network begins, and the number of its item, sorted."""
        starts: dict[int, list[tuple[int, int]]] = {}
        for number, (network, _) in enumerate(self._items):
            starts.setdefault(network.version, []).append((int(network.network_address), number))
        for found in starts.values():
            found.sort()
        return starts
