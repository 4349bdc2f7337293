"""A response on a connection that stays open, by the listener's maker: keep_alive.py, as lines."""

from collections.abc import Iterator

from .figures import Figure, Line, amount
from .keep_alive import measure
from .scale import Scale

__all__ = ["lines"]

OURS, OTHER = "bindlab.listen()", "socket.create_server()"


def lines(scale: Scale) -> Iterator[Line]:
    """Return a line for each server; what counts as 1 is bindlab's listener."""
    found = {
        (each.server, each.listener): each for each in measure(rounds=max(1, scale.rounds // 10))
    }
    for server in dict.fromkeys(server for server, _ in found):
        unit = found[server, OURS].median
        figures: dict[str, Figure] = {}
        for listener in (OURS, OTHER):
            median, low, high = (seconds / unit for seconds in found[server, listener][2:])
            figures[listener] = Figure(median, low, high)
        yield Line(
            f"a response on a connection that stays open: {server}",
            f"on `{OURS}`: {amount(unit)}",
            {"": figures[OURS]},
            "never 40 ms",
            {OTHER: figures[OTHER]},
        )
