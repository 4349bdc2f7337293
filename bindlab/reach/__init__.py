"""Who can reach a socket: the rules, and the answers they give.

A pure room: values in, verdicts out. It fetches nothing, so that every rule can be tried on a
laptop, or a Windows machine, that exists on paper only. ``rules.py`` is the page to read.
"""

from bindlab.reach.interface_rank import InterfaceRank, Rank, ranked
from bindlab.reach.origin import OriginLike, parse_origin
from bindlab.reach.reach import Reach
from bindlab.reach.verdict import (
    BEYOND,
    INTERNET,
    THIS_HOST,
    Answer,
    Candidate,
    Condition,
    Origin,
    Reason,
    Scope,
    Vantage,
    Verdict,
)

__all__ = [
    "BEYOND",
    "INTERNET",
    "THIS_HOST",
    "Answer",
    "Candidate",
    "Condition",
    "InterfaceRank",
    "Origin",
    "OriginLike",
    "Rank",
    "Reach",
    "Reason",
    "Scope",
    "Vantage",
    "Verdict",
    "parse_origin",
    "ranked",
]
