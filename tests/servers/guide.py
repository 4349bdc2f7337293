"""The snippets of the guide, by their headings: what readers copy is what the tests run."""

import re
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs/howto/servers.md"

_SNIPPET = re.compile(r"^### (.+)\n(?:(?!#|```).*\n)*?```python\n((?:.*\n)*?)```$", re.MULTILINE)


def snippets() -> dict[str, str]:
    """Return the first block of Python under each heading of the third level."""
    return dict(_SNIPPET.findall(GUIDE.read_text()))
