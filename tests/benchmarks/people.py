"""What people wait for: the command, a failing assertion, a lab."""

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator

from bindlab import lab, listen
from bindlab.testing import assert_loopback_only

from .figures import Line, amount
from .importing import of_command, of_process
from .on_paper import host_with
from .scale import Scale
from .timing import compare, figure, repeated

__all__ = ["lines"]


def lines(scale: Scale) -> Iterator[Line]:
    """Return a line for each; the last two in milliseconds."""
    with listen() as server:
        samplers = {
            "`import socket`": of_process("-c", "import socket"),
            "bindlab": of_process("-m", "bindlab", str(server.getsockname()[1])),
            "`python -c pass`": of_process("-c", "pass"),
        }
        if shutil.which("ss"):
            samplers["`ss -tln`"] = of_command("ss", "-tln")
        compared = compare(samplers, max(2, scale.rounds // 4))
    unit = f"`import socket`: {amount(compared.seconds)}"
    others = compared.of(*list(samplers)[2:])
    yield Line("`bindlab 3000`, a whole process", unit, compared.of("bindlab"), "≤ 6", others)
    failing = repeated(_failing)
    samples = [failing() * 1e3 for _ in range(5)]
    yield Line("a failing assertion", "1 ms", {"bindlab": figure(samples)}, "≤ 50")
    if lab.available():
        samples = [_waited(_make_three_hosts) * 1e3 for _ in range(max(2, scale.rounds // 4))]
        yield Line("a lab of three hosts", "1 ms", {"bindlab": figure(samples)}, "≤ 150")


def _failing() -> None:
    with contextlib.suppress(AssertionError):
        assert_loopback_only("0.0.0.0:3000", host=host_with(10))


def _make_three_hosts() -> None:
    with lab.network(
        a={"wire": "10.0.0.1/24"}, b={"wire": "10.0.0.2/24"}, c={"wire": "10.0.0.3/24"}
    ):
        pass


def _waited(doing: Callable[[], None]) -> float:
    started = time.perf_counter()
    doing()
    return time.perf_counter() - started
