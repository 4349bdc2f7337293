"""``import``, in an interpreter that has just started."""

import subprocess
import sys
from collections.abc import Iterator

from .figures import Line, amount
from .peers import present
from .scale import Scale
from .timing import Sampler, compare

__all__ = ["lines", "of_process"]

PEERS = (
    "ephemeral_port_reserve",
    "portpicker",
    "port_for",
    "anyio",
    "psutil",
    "ifaddr",
    "asyncio",
    "trio",
)


GOALS = {
    "import bindlab": "≤ 1.15",
    "from bindlab import listen": "≤ 1.8",
    "from bindlab import reachable_from": "≤ 2.5",
}


def lines(scale: Scale) -> Iterator[Line]:
    """Return the lines of whole processes, from start to end."""
    unit = "import socket"
    peers = [f"import {name}" for name in filter(present, PEERS)]
    statements = [unit, *GOALS, *peers]
    samplers = {each: of_process("-I", "-c", each) for each in statements}
    compared = compare(samplers, scale.rounds)
    others = compared.but(unit, *GOALS)
    for statement, goal in GOALS.items():
        yield Line(
            f"start Python, `{statement}`, end",
            f"`{unit}`: {amount(compared.seconds)}",
            {"bindlab": compared.figures[statement]},
            goal,
            {each.removeprefix("import "): figure for each, figure in others.items()},
        )
        others = {}


def of_process(*arguments: str) -> Sampler:
    """Return a sampler of a whole Python process that is started so."""
    return of_command(sys.executable, *arguments)


def of_command(*command: str) -> Sampler:
    """Return a sampler of a whole process."""

    def sample() -> float:
        started = _time_of_children()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return _time_of_children() - started

    return sample


def _time_of_children() -> float:
    """Return the processor time of all that have ended, helper programs of theirs included."""
    import resource  # which Windows has not

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
