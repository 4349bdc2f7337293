"""One topology from beginning to end: made, dialled, judged."""

from socket import socket

from bindlab.host import Host
from bindlab.reach.reach import Reach
from bindlab.reachable import reachable_from

from .engine import Predict, Run, run
from .laws import Report, judge
from .topologies import Topology

__all__ = ["examine", "missing_here", "predicted"]


def predicted(sock: socket, host: Host) -> Reach:
    """Return what bindlab says of a socket."""
    return reachable_from(sock, host=host)


def missing_here(topology: Topology, error: Exception) -> str:
    """Return what this machine lacks for *topology*, if that is what *error* says; else ""."""
    if topology.needs_nft and "nft" in str(error):
        return str(error)
    if topology.needs and "Unknown device type" in str(error):
        return f"this kernel has no links of the type {topology.needs}"
    return ""


def examine(
    topology: Topology,
    predict: Predict = predicted,
    *,
    patience: float = 0.2,
    most: int | None = None,
) -> Report:
    """Return what the kernel says of bindlab's predictions in *topology*; see :func:`run`."""
    reports: list[Report] = []

    def look(run: Run) -> None:
        reports.append(judge(run))

    run(topology, predict, look, patience=patience, most=most)
    return reports[0]
