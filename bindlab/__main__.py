"""What ``python -m bindlab`` prints: this machine's networks, a table, or an explanation.

A page over the public names: it says nothing that the library does not say.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence

from bindlab import (
    BEYOND,
    INTERNET,
    Candidate,
    Host,
    OriginLike,
    Scope,
    Transport,
    explain,
    interfaces,
    reachable_from,
    this_host,
)
from bindlab.documents import explanation_document, networks_document, reach_document

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
    parser.add_argument(
        "target", nargs="?", help="a port (3000, 53/udp) or an endpoint ([::]:53/udp)"
    )
    parser.add_argument(
        "--from",
        dest="origin",
        metavar="ORIGIN",
        help="who cannot connect: an address, a network (192.168.0.0/24), an interface (whoever "
        "is on it), beyond or internet",
    )
    parser.add_argument("--udp", action="store_true", help="the port is UDP's")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    options = parser.parse_args(arguments)
    try:
        status, text = _answer(options.target, options.origin, options.udp, options.json)
        # An interface may have a name in any script, and the output be for one of them.
        encoding: str = getattr(sys.stdout, "encoding", None) or "ascii"
        # Written now, and not when Python ends, which would have a status of its own.
        print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)
        return status
    except ValueError as error:
        parser.error(str(error))
    except OSError as error:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
        if isinstance(error, BrokenPipeError):  # who read this has seen enough, as in "| head"
            return 0
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 3


def _answer(target: str | None, origin: str | None, udp: bool, as_json: bool) -> tuple[int, str]:
    if target is None:
        if origin is not None or udp:
            raise ValueError("--from and --udp need a target: write a port, such as 3000")
        return 0, _networks(this_host(), as_json)
    number, _, suffix = target.partition("/")
    transport: Transport = "udp" if udp or suffix == "udp" else "tcp"
    is_port = number.isascii() and number.isdigit() and suffix in ("", "udp")
    port = int(number) if is_port else None
    if port is None and udp:
        raise ValueError(f"--udp is for a port: write {target}/udp")
    if port is None and origin is None:
        reach = reachable_from(target)
        return 0, json.dumps(reach_document(reach), indent=2) if as_json else str(reach)
    whom = None if origin is None else _origin(origin)
    found = explain(target if port is None else port, whom, transport=transport)
    text = json.dumps(explanation_document(found), indent=2) if as_json else str(found)
    return 0 if found else 1, text


def _origin(text: str) -> OriginLike:
    """Return who is meant: a shell cannot write an ``Interface``, but can write its name."""
    named = {interface.name: interface for interface in interfaces()}
    return _VANTAGES.get(text) or named.get(text) or text


def _networks(host: Host, as_json: bool) -> str:
    everything = reachable_from(["0.0.0.0:80", "[::]:80"], host=host).endpoints
    others = [candidate for candidate in everything if candidate.audience > Scope.HOST]
    if as_json:
        return json.dumps(networks_document(host, others), indent=2)
    lines: list[str] = []
    for interface in host.interfaces:
        addresses = ", ".join(map(str, interface.addresses)) or "no address"
        down = "" if interface.is_up is not False else " (down)"
        lines.append(f"{interface.display_name}: {addresses}{down}")
    lines.append("")
    for candidate in others:
        verb = "or" if candidate is not others[0] else "others should use"
        lines.append(f"{verb} {_for_others(candidate)}: {candidate.reason}")
    if not others:
        lines.append("no other machine reaches this one: it has no address but loopback's")
    return "\n".join(lines)


def _for_others(candidate: Candidate) -> str:
    """Return its address as others write it: a zone is each machine's own (RFC 4007)."""
    address, zone, _ = str(candidate.ip).partition("%")
    return f"{address}%ITS-ZONE" if zone else address


if __name__ == "__main__":
    sys.exit(main())
