"""``python -m tests.texts`` writes the stored texts anew: read them before you commit them.

``python -m tests.texts HOST [ARGUMENT ...]`` is the command itself, on a machine on paper.
"""

import sys
from pathlib import Path

from bindlab.command import main

from .forms import WIDTHS, name_of, on_host, page
from .hosts import HOSTS

if len(sys.argv) > 1:
    with on_host(sys.argv[1]):
        sys.exit(main(sys.argv[2:]))
for host in HOSTS:
    for width in WIDTHS:
        Path(__file__).with_name(name_of(host, width)).write_text(page(host, width))
