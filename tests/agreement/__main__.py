"""``python -m tests.agreement --random 200 --seed 1``: hold predictions against the kernel."""

import argparse
import random
import sys
import time
from collections import Counter

from bindlab import lab

from .laws import Report, precision
from .odd_topologies import odd_topology
from .random_topologies import random_topology
from .senders import LINKS, SENDERS
from .suite import examine, missing_here
from .topologies import TOPOLOGIES


def main() -> int:
    """Run what the command line asks for; return how many disagreements there were."""
    parser = argparse.ArgumentParser(prog="python -m tests.agreement", description=__doc__)
    parser.add_argument("--random", type=int, default=0, metavar="N", help="made-up topologies")
    parser.add_argument("--odd", type=int, default=0, metavar="N", help="made-up odd ones")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--only", default="", metavar="TEXT", help="topologies with this in a name")
    parser.add_argument("--patience", type=float, default=0.2, metavar="SECONDS")
    parser.add_argument("--show", type=int, default=5, metavar="N", help="disagreements of each")
    options = parser.parse_args()
    if not (here := lab.available()):
        parser.error(f"the lab is not available: {here}")
    made_up = [random_topology(options.seed + number) for number in range(options.random)]
    made_up += [odd_topology(options.seed + number) for number in range(options.odd)]
    reports: list[Report] = []
    started = time.monotonic()
    for topology in (*TOPOLOGIES, *SENDERS, *LINKS, *made_up):
        if options.only not in topology.name:
            continue
        try:
            report = examine(topology, patience=options.patience)
        except (lab.LabError, RuntimeError) as error:
            if not (reason := missing_here(topology, error)):
                raise
            print(f"skipped: {topology.name}: {reason}", flush=True)
            continue
        reports.append(report)
        print(f"{topology.name}: {report}", flush=True)
        if report.disagreements:
            print(topology)
            for disagreement in report.disagreements[: options.show]:
                print(disagreement)
            laws = Counter(disagreement.law for disagreement in report.disagreements)
            print(*(f"{count} x {law}" for law, count in laws.items()), sep="\n", flush=True)
    observations = sum(report.observations for report in reports)
    disagreements = sum(len(report.disagreements) for report in reports)
    never = sum((report.never for report in reports), Counter())
    print(
        f"{observations} observations in {len(reports)} topologies; "
        f"{precision(never['NO'], never.total())}; {disagreements} disagreements, "
        f"in {time.monotonic() - started:.0f} s (seed {options.seed})"
    )
    return 0 if not disagreements and all(report.is_precise for report in reports) else 1


if __name__ == "__main__":
    sys.exit(main())
