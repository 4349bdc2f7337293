"""What ``python -m bindlab`` prints: this machine's networks, a table, or an explanation.

A page over the public names: it says nothing that the library does not say.
"""

import argparse
import enum
import json
import os
import sys
from collections.abc import Sequence

from bindlab import (
    BEYOND,
    INTERNET,
    Candidate,
    Explanation,
    Host,
    Interface,
    Scope,
    Transport,
    Verdict,
    explain,
    reachable_from,
    this_host,
)

_DESCRIPTION = """\
Say who can reach a socket. Without a target: this machine's networks, and the address that
others should use. A port (3000) is explained as it is served on this machine now. Of an
endpoint (0.0.0.0:3000) it is said who could reach a server that is bound to it."""
_STATUSES = """\
exit status: 0, there is an answer; 1, nothing listens on the port, or the origin of --from is
shut out for certain; 2, an argument is wrong; 3, the system refuses to tell"""
_VANTAGES = {"beyond": BEYOND, "internet": INTERNET}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what *arguments* (``sys.argv`` if ``None``) ask for; return the exit status."""
    parser = argparse.ArgumentParser(
        "python -m bindlab",
        description=_DESCRIPTION,
        epilog=_STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("target", nargs="?", help="a port (3000) or an endpoint ([::]:53/udp)")
    parser.add_argument(
        "--from",
        dest="origin",
        metavar="ORIGIN",
        help="who cannot connect: an address, a network (192.168.0.0/24), beyond or internet",
    )
    parser.add_argument("--udp", action="store_true", help="the port is UDP's")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    options = parser.parse_args(arguments)
    target: str | None = options.target
    try:
        if target is None:
            if options.origin is not None or options.udp:
                raise ValueError("--from and --udp need a target: write a port, such as 3000")
            return _networks(this_host(), options.json)
        transport: Transport = "udp" if options.udp else "tcp"
        port = int(target) if target.isascii() and target.isdigit() else None
        if port is None and options.udp:
            raise ValueError(f"--udp is for a port: write {target}/udp")
        if port is None and options.origin is None:
            return _table(target, options.json)
        origin = _VANTAGES.get(options.origin, options.origin)
        found = explain(target if port is None else port, origin, transport=transport)
        print(json.dumps(_explanation(found), indent=2) if options.json else found)
        return 0 if found else 1
    except ValueError as error:
        parser.error(str(error))
    except BrokenPipeError:  # who read this has seen enough, as in "| head"
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 3
    except OSError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 3


def _networks(host: Host, as_json: bool) -> int:
    everything = reachable_from(["0.0.0.0:80", "[::]:80"], host=host).endpoints
    others = [candidate for candidate in everything if candidate.audience > Scope.HOST]
    if as_json:
        use = [{"address": str(c.ip), "interface": c.interface, "why": c.reason} for c in others]
        print(json.dumps({"host": json.loads(host.to_json()), "others_use": use}, indent=2))
        return 0
    width = max((len(interface.display_name) for interface in host.interfaces), default=0)
    for interface in host.interfaces:
        addresses = ", ".join(map(str, interface.addresses)) or "no address"
        down = "" if interface.is_up is not False else " (down)"
        print(f"{interface.display_name:{width}}  {addresses}{down}")
    for number, candidate in enumerate(others):
        verb = "or" if number else "\nothers should use"
        print(f"{verb} {candidate.ip}: {candidate.reason}")
    if not others:
        print("\nno other machine reaches this one: it has no address but loopback's")
    return 0


def _table(target: str, as_json: bool) -> int:
    reach = reachable_from(target)
    document = {
        "bindings": list(map(str, reach.bindings)),
        "scope": reach.scope.name.lower(),
        "rows": list(map(_verdict, reach.rows)),
        "urls": reach.urls(),
        "assumptions": reach.assumptions,
    }
    print(json.dumps(document, indent=2) if as_json else reach)
    return 0


def _explanation(found: Explanation) -> dict[str, object]:
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


if __name__ == "__main__":
    sys.exit(main())
