"""``.ci/mutants [ROOM ...]``: change the code in small ways, and list what no test notices.

cosmic-ray makes the changes, in a copy of the project: a number one higher, an ``and`` for an
``or``, a ``not`` that is gone. A change that no test notices is a missing test, or a change that
means the same. A room has some thousand mutants, so a random sample is tried.
"""

import argparse
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Each room of the package, with the tests that know it best, the quickest first.
ROOMS = {
    "reach": (
        "decision_table hard_cases ways_back ranking render reachable routes_of_this_host "
        "other_stacks order_of_questions growth laws testing explain main"
    ),
    "opening": (
        "opening port_range reservation adoption port_cases hints keep_alive errors windows "
        "opening_properties interrupted"
    ),
    "scanning": "reachable processes explain lab_answering lab_explain testing main",
}
# These change nothing that can be seen: a type, or how the same two objects are compared.
SAME = re.compile(r"BitOr|Is_Eq|IsNot_NotEq|Eq_Is$|NotEq_IsNot")
SECONDS = 240  # for the tests of one mutant; a mutant that takes longer is killed


def main() -> int:
    """Try a sample of the mutants of each room, and print those that survive."""
    parser = argparse.ArgumentParser(prog=".ci/mutants", description=__doc__)
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help=", ".join(ROOMS))
    parser.add_argument("--sample", type=int, default=60, metavar="N", help="mutants of each room")
    parser.add_argument("--seed", type=int, default=random.randrange(1000))
    options = parser.parse_args()
    if unknown := set(options.rooms) - set(ROOMS):
        parser.error(f"no such room: {', '.join(unknown)}; there are {', '.join(ROOMS)}")
    for room in options.rooms or ROOMS:
        print(f"== {room}: {options.sample} mutants, --seed {options.seed}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "project"
            shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "_build"))
            _try(room, copy, options.sample, options.seed)
    return 0


def _try(room: str, copy: Path, sample: int, seed: int) -> None:
    from cosmic_ray.work_db import WorkDB, use_db
    from cosmic_ray.work_item import WorkerOutcome, WorkResult

    tests = [f"tests/test_{name}.py" for name in ROOMS[room].split()]
    found = " ".join(test for test in tests if (copy / test).exists())
    (copy / "mutants.toml").write_text(
        "[cosmic-ray]\n"
        f'module-path = "bindlab/{room}"\n'
        f"timeout = {SECONDS}\n"
        'excluded-modules = ["**/__init__.py"]\n'
        f'test-command = "{sys.executable} -m pytest -q -x -n 0 -p no:cacheprovider {found}"\n'
        '[cosmic-ray.distributor]\nname = "local"\n'
    )
    _cosmic_ray(copy, "init")
    with use_db(copy / "mutants.sqlite", WorkDB.Mode.open) as db:
        items = sorted(db.work_items, key=lambda item: item.job_id)
        items.sort(key=lambda item: (item.mutations[0].module_path, item.mutations[0].start_pos))
        worth = [i for i in items if not SAME.search(i.mutations[0].operator_name)]
        chosen = {i.job_id for i in random.Random(seed).sample(worth, min(sample, len(worth)))}
        for item in items:
            if item.job_id not in chosen:
                db.set_result(item.job_id, WorkResult(WorkerOutcome.SKIPPED))
    _cosmic_ray(copy, "exec")
    with use_db(copy / "mutants.sqlite", WorkDB.Mode.open) as db:
        results = [result for _, result in db.completed_work_items if result.test_outcome]
    for result in results:
        if not result.is_killed:
            print(result.diff, flush=True)
    outcomes = Counter(str(result.test_outcome.value) for result in results)
    print(f"{room}: {len(worth)} mutants, {len(results)} tried: {dict(outcomes)}", flush=True)


def _cosmic_ray(copy: Path, what: str) -> None:
    command = [sys.executable, "-m", "cosmic_ray.cli", what, "mutants.toml", "mutants.sqlite"]
    subprocess.run(command, cwd=copy, check=True)


if __name__ == "__main__":
    sys.exit(main())
