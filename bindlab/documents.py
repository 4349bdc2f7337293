"""Answers as documents for other programs: what ``python -m bindlab --json`` prints.

Knows values only. The keys stay the same from release to release; where there is nothing to
say of one it is ``None`` or empty, and never left out.
"""

import enum
import json
from collections.abc import Iterable

from bindlab.explaining import Explanation
from bindlab.host import Host
from bindlab.interface import Interface
from bindlab.reach import Candidate, Reach, Verdict

__all__ = ["explanation_document", "networks_document", "reach_document"]


def networks_document(host: Host, others_use: Iterable[Candidate]) -> dict[str, object]:
    """Return *host*, and the addresses that others should use, without this machine's zones."""
    return {
        "host": json.loads(host.to_json()),
        "others_use": [
            {
                "address": str(candidate.ip).partition("%")[0],
                "interface": candidate.interface,
                "why": candidate.reason,
            }
            for candidate in others_use
        ],
    }


def reach_document(reach: Reach) -> dict[str, object]:
    """Return the table of *reach*."""
    return {
        "bindings": list(map(str, reach.bindings)),
        "scope": reach.scope.name.lower(),
        "rows": list(map(_verdict, reach.rows)),
        "urls": reach.urls(),
        "assumptions": reach.assumptions,
    }


def explanation_document(found: Explanation) -> dict[str, object]:
    """Return *found*, section by section."""
    return {
        "bindings": list(map(str, found.bindings)),
        "verdict": None if found.verdict is None else _verdict(found.verdict),
        "certain": found.certain,
        "changes": [
            {"bind": str(change.bind), "dial": _candidate(change.dial), "text": str(change)}
            for change in found.changes
        ],
        "remedies": found.remedies,
        "checks": list(map(str, found.checks)),
        "assumptions": found.assumptions,
    }


def _verdict(verdict: Verdict) -> dict[str, object]:
    return {
        "origin": _origin(verdict),
        "answer": verdict.answer.value,
        "reason": None if verdict.reason is None else verdict.reason.value,
        "conditions": [condition.value for condition in verdict.conditions],
        "endpoints": list(map(_candidate, verdict.endpoints)),
        "explanation": verdict.explanation,
    }


def _origin(verdict: Verdict) -> str:
    match verdict.origin:
        case Interface():
            return verdict.origin.name
        case enum.Enum():
            return verdict.origin.value
        case _:
            return str(verdict.origin)


def _candidate(candidate: Candidate) -> dict[str, object]:
    return {
        "endpoint": str(candidate),
        "interface": candidate.interface,
        "audience": candidate.audience.name.lower(),
        "why": candidate.reason,
    }
