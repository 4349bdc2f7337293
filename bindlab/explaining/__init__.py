"""Why somebody cannot connect, and what to do, in sentences; ``checks.py`` is the page to read."""

from bindlab.explaining.changes import Change, Remedy
from bindlab.explaining.checks import Check
from bindlab.explaining.explanation import Explanation
from bindlab.explaining.why import explain

__all__ = ["Change", "Check", "Explanation", "Remedy", "explain"]
