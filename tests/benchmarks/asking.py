"""Questions to hosts on paper, with more and more networks."""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Address

from bindlab import reachable_from

from .figures import Line, amount
from .on_paper import host_with, neighbours
from .scale import Scale
from .timing import Sampler, compare, figure, repeated

__all__ = ["lines"]

TARGET = "0.0.0.0:3000"
DIFFERENT = 200  # origins asked about in turn
GOAL = "objects ≤ 1.5; 1 is ≤ 15 µs"


def lines(scale: Scale) -> Iterator[Line]:
    """Return the lines of single verdicts, of the first one, of the table, and of a million."""
    smallest = scale.networks[0]
    for networks in scale.networks:
        yield _verdicts(smallest, networks, scale.rounds)
    for networks in scale.networks:
        yield _first(networks, max(2, scale.rounds // 8))
    for networks in scale.networks[:-1]:
        yield _table(networks, max(2, scale.rounds // 8))
    yield _million(scale.networks[-1], scale.origins)


def _verdicts(smallest: int, networks: int, rounds: int) -> Line:
    asked = _asker(smallest)
    host = host_with(networks)
    attached = [address.network for each in host.interfaces for address in each.addresses]
    origins = neighbours(networks, DIFFERENT)
    reach = reachable_from(TARGET, host=host)
    compared = compare(
        {
            "smallest": asked,
            "objects": _over(origins, reach.verdict),
            "text": _over(map(str, origins), reach.verdict),
            "a scan with ipaddress": _over(origins, lambda ip: any(ip in n for n in attached)),
            "IPv4Address(text)": _over(map(str, origins), IPv4Address),
        },
        rounds,
    )
    return Line(
        f"`verdict()`, {networks:,} networks",
        f"`verdict()`, {smallest} networks, from an object: {amount(compared.seconds)}",
        compared.of("objects", "text"),
        GOAL,
        compared.of("a scan with ipaddress", "IPv4Address(text)"),
    )


def _asker(networks: int) -> Sampler:
    reach = reachable_from(TARGET, host=host_with(networks))
    return _over(neighbours(networks, DIFFERENT), reach.verdict)


def _over(origins: Iterable[object], ask: Callable[[IPv4Address], object]) -> Sampler:
    """Return a sampler that asks about each of *origins* in turn, all of them once before."""
    every = list(origins)
    for origin in every:
        ask(origin)  # type: ignore[arg-type]
    turns = itertools.cycle(every)
    return repeated(lambda: ask(next(turns)))  # type: ignore[arg-type]


def _first(networks: int, rounds: int) -> Line:
    host = host_with(networks)
    attached = [address.network for each in host.interfaces for address in each.addresses]
    origin = neighbours(networks, 1)[0]
    compared = compare(
        {
            "scan": repeated(lambda: [origin in network for network in attached]),
            "bindlab": repeated(lambda: reachable_from(TARGET, host=host).verdict(origin)),
        },
        rounds,
    )
    return Line(
        f"`reachable_from()` and a first verdict, {networks:,} networks",
        f"a scan of them with ipaddress: {amount(compared.seconds)}",
        compared.of("bindlab"),
    )


def _table(networks: int, rounds: int) -> Line:
    host = host_with(networks)
    compared = compare(
        {
            "first": repeated(lambda: reachable_from(TARGET, host=host)),
            "table": repeated(lambda: str(reachable_from(TARGET, host=host))),
        },
        rounds,
    )
    seconds = compared.seconds * compared.figures["table"].median
    return Line(
        f"print the table of {networks:,} networks",
        "1 s",
        {"": figure([seconds])},
        "seconds",
    )


def _million(networks: int, origins: int) -> Line:
    reach = reachable_from(TARGET, host=host_with(networks))
    asked = neighbours(networks, origins)
    started = time.process_time()
    for origin in asked:
        reach.verdict(origin)
    seconds = time.process_time() - started
    return Line(
        f"{origins:,} verdicts, {networks:,} networks, none asked before",
        "1 s",
        {"": figure([seconds])},
        "seconds",
    )
