"""Eight processes that take ports at once, and serve on them a little later: race.py, timed."""

from collections.abc import Iterator

from . import race
from .figures import Line, amount
from .scale import Scale
from .timing import Sampler, compare

__all__ = ["lines"]

OURS = ("bindlab", "bindlab-lent")
# What finds no port any more while the range is full of closed connections, or is very slow.
FEWER_CLAIMS = {"ephemeral-port-reserve": 800, "port-for": 400}


def lines(scale: Scale) -> Iterator[Line]:
    """Return the line of all strategies, with what each of them lost."""
    results: dict[str, list[race.Result]] = {name: [] for name in race.STRATEGIES}
    first = "bind-and-close"
    names = sorted(results, key=lambda name: name != first)
    samplers = {name: _sampler(name, scale.claims, results[name]) for name in names}
    compared = compare(samplers, max(1, scale.rounds // 10))
    figures = {
        name: figure._replace(remark=_lost(results[name]))
        for name, figure in compared.figures.items()
    }
    yield Line(
        "8 processes take a port each, then serve on it",
        f"`bind` to port 0, close, use the number: {amount(compared.seconds)}",
        {name: figures[name] for name in OURS},
        "nothing lost",
        {name: each for name, each in figures.items() if name not in OURS},
    )


def _sampler(name: str, claims: int, results: list[race.Result]) -> Sampler:
    def sample() -> float:
        result = race.run(name, min(claims, FEWER_CLAIMS.get(name, claims)))
        results.append(result)
        return result.seconds / max(result.claims, 1)

    return sample


def _lost(results: list[race.Result]) -> str:
    lost, claims = sum(each.lost for each in results), sum(each.claims for each in results)
    return f"({100 * lost / max(claims, 1):.1f} % lost)"
