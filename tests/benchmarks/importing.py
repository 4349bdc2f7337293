"""``import``, in an interpreter that has just started."""

import resource
import subprocess
import sys
from collections.abc import Iterator

from .figures import Line, amount
from .peers import present
from .scale import Scale
from .timing import Sampler, compare

__all__ = ["lines"]

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


def lines(scale: Scale) -> Iterator[Line]:
    """Return the line of whole processes, from start to end."""
    modules = ["socket", "bindlab", *filter(present, PEERS)]
    compared = compare({name: _sampler(name) for name in modules}, scale.rounds)
    yield Line(
        "start Python, `import`, end",
        f"`import socket`: {amount(compared.seconds)}",
        compared.of("bindlab"),
        "≤ 2.5",
        compared.but("socket", "bindlab"),
    )


def _sampler(module: str) -> Sampler:
    command = [sys.executable, "-I", "-c", f"import {module}"]

    def sample() -> float:
        started = _time_of_children()
        subprocess.run(command, check=True)
        return _time_of_children() - started

    return sample


def _time_of_children() -> float:
    """Return the processor time of all that have ended, helper programs of theirs included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
