"""Every prediction of bindlab, in every topology, is what the kernel does."""

import os
from collections.abc import Callable

import pytest

from bindlab import lab

from .random_topologies import random_topology
from .senders import LINKS, SENDERS
from .suite import examine, missing_here
from .topologies import TOPOLOGIES, Topology

AVAILABLE = lab.available()
SEED = int(os.environ.get("BINDLAB_SEED", "20250101"))
RANDOM = [random_topology(SEED + number) for number in range(20)]
ALL = [*TOPOLOGIES, *SENDERS, *LINKS, *RANDOM]
FAST = [*TOPOLOGIES[:5], *SENDERS[:2], *RANDOM[:5]]  # the fast tests try these alone
LEAST = 10_000  # observations, all topologies together
MOST = 4_000  # in one topology; the command line tries everything

pytestmark = pytest.mark.skipif(not AVAILABLE, reason=AVAILABLE.reason)


@pytest.mark.parametrize(
    "topology",
    [
        pytest.param(each, id=each.name, marks=[] if each in FAST else pytest.mark.slow)
        for each in ALL
    ],
)
def test_the_kernel_agrees(
    topology: Topology, record_property: Callable[[str, object], None]
) -> None:
    """What connects was never a NO, what is a YES connects, and what is possible is explained."""
    try:
        report = examine(topology, most=MOST)
    except (lab.LabError, RuntimeError) as error:
        if reason := missing_here(topology, error):
            pytest.skip(reason)
        raise
    needed = sum(not (other.needs_nft or other.needs) for other in ALL)
    for name, value in (
        ("observations", report.observations),
        ("never", report.never.total()),
        ("never_no", report.never["NO"]),
        ("topologies", needed),
    ):
        record_property(name, value)
    assert report.observations >= LEAST / len(ALL)
    if report.disagreements:
        shown = "\n".join(map(str, report.disagreements[:5]))
        text = f"{report}\n{topology}\n{shown}\nto see it again: {topology.command}"
        pytest.fail(text, pytrace=False)
    if not report.is_precise:
        pytest.fail(f"imprecise: {report}\nto see it again: {topology.command}", pytrace=False)
