"""How much is measured: in full, quickly, or just enough to see that it still runs."""

from typing import NamedTuple

__all__ = ["FULL", "QUICK", "TINY", "Scale"]


class Scale(NamedTuple):
    """How many rounds, and the sizes of what is measured in them."""

    rounds: int
    held: tuple[int, ...]  # ports that others hold
    claims: int  # of ports, by 8 processes
    addresses: tuple[int, ...]  # of a host in a namespace
    networks: tuple[int, ...]  # of a host on paper
    table: int  # networks at most, of which the whole table is made
    starts: tuple[float, ...]  # seconds that a server takes until it listens


FULL = Scale(
    rounds=25,
    held=(0, 10, 100, 1000, 10_000),
    claims=4000,
    addresses=(1, 10, 100, 1000, 5000),
    networks=(10, 300, 5000),
    table=300,
    starts=(0.03, 0.3, 1.0),
)
QUICK = FULL._replace(rounds=9, claims=800, addresses=(1, 10, 100, 1000), starts=(0.03, 0.3))
TINY = Scale(
    rounds=2,
    held=(0, 3),
    claims=80,
    addresses=(1, 4),
    networks=(2, 5),
    table=2,
    starts=(0.005,),
)
