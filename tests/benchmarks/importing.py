"""``import``, in an interpreter that has just started."""

import subprocess
import sys
import time
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
        started = time.perf_counter()
        subprocess.run(command, check=True)
        return time.perf_counter() - started

    return sample
