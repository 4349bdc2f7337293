"""``python -m tests.benchmarks [--quick] [--write] [PART ...]``: what things cost, as Markdown."""

import argparse
import os
import platform
import sys
import time
from pathlib import Path

from .figures import HEAD, row
from .parts import PARTS
from .scale import FULL, QUICK

PAGE = Path(__file__).parents[2] / "docs/explanation/benchmark.md"


def main() -> int:
    """Print a row for everything that was measured; return 1 if a part could not be."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller sizes")
    parser.add_argument("--write", action="store_true", help=f"to {PAGE.name} of the docs as well")
    options = parser.parse_args()
    unknown = [name for name in options.parts if name not in PARTS]
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    scale = QUICK if options.quick else FULL
    made_on = (
        f"Made on {platform.system()} {platform.release().partition('-')[0]} with "
        f"{os.cpu_count()} cores, Python {platform.python_version()}."
    )
    written = [made_on, "", *HEAD.splitlines()]
    print(*written, sep="\n", flush=True)
    failed = False
    for name in options.parts or PARTS:
        started = time.monotonic()
        try:
            for line in PARTS[name](scale):
                written.append(row(line))
                print(written[-1], flush=True)
        except OSError as error:
            failed = True
            print(f"{name}: {error}", file=sys.stderr)
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr)
    if options.write and not failed:
        PAGE.write_text("\n".join(written) + "\n", encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
