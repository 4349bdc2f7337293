"""Questions to hosts on paper: one network on each interface, and all of them on one."""

from collections.abc import Iterator

from bindlab import reachable_from
from bindlab.endpoint import parse_address

from .figures import Figure, Line
from .on_paper import LAYOUTS, host_with
from .scale import Scale
from .timing import Compared, compare, repeated

__all__ = ["lines"]

TARGET = "0.0.0.0:3000"
NEIGHBOUR, BEYOND = "10.0.0.77", "8.8.8.8"
# In milliseconds, by the number of networks: a first verdict on a neighbour, on somebody beyond
# all of them, and the whole table.
GOALS = {10: ("0.5", "", "10"), 300: ("5", "50", "1,000"), 5000: ("500", "500", "")}


def lines(scale: Scale) -> Iterator[Line]:
    """Return the lines of a second verdict, of first ones, and of the table."""
    yield _again(scale.rounds)
    for networks in scale.networks:
        neighbour, beyond, table = GOALS.get(networks, ("", "", ""))
        for layout in LAYOUTS:
            where = f"{networks:,} networks, {layout}"
            yield _first(networks, layout, NEIGHBOUR, f"neighbour, {where}", neighbour, scale)
            yield _first(networks, layout, BEYOND, f"8.8.8.8, {where}", beyond, scale)
            if networks <= scale.table:
                yield _table(networks, layout, where, table)


def _again(rounds: int) -> Line:
    reach = reachable_from(TARGET, host=host_with(10))
    origin = parse_address(NEIGHBOUR)
    compared = compare({"µs": repeated(lambda: reach.verdict(origin))}, rounds)
    return Line(
        "`verdict()` of an address object, asked again", "1 µs", _in(1e-6, compared), "≤ 15"
    )


def _first(networks: int, layout: str, origin: str, what: str, goal: str, scale: Scale) -> Line:
    host = host_with(networks, layout)
    attached = [address.network for each in host.interfaces for address in each.addresses]
    ip = parse_address(origin)
    compared = compare(
        {
            "ms": repeated(lambda: reachable_from(TARGET, host=host).verdict(origin)),
            "scan": repeated(lambda: [ip in network for network in attached]),
        },
        max(2, scale.rounds // 8),
    )
    scan = compared.figures["scan"].median * compared.seconds / 1e-3
    return Line(
        f"`reachable_from()` and a first verdict: {what}",
        "1 ms",
        _in(1e-3, compared),
        f"≤ {goal}" if goal else "",
        {"looking into each network": Figure(scan, scan, scan)},
    )


def _table(networks: int, layout: str, where: str, goal: str) -> Line:
    host = host_with(networks, layout)
    compared = compare({"ms": repeated(lambda: str(reachable_from(TARGET, host=host)))}, 2)
    return Line(
        f"the whole table: {where}",
        "1 ms",
        _in(1e-3, compared),
        f"≤ {goal}" if goal else "",
    )


def _in(unit: float, compared: Compared) -> dict[str, Figure]:
    """Return the first contender's time as a multiple of *unit* seconds."""
    amount_of = compared.seconds / unit
    return {"bindlab": Figure(amount_of, amount_of, amount_of)}
