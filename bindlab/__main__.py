"""What ``python -m bindlab`` prints: this machine's networks, a table, or an explanation.

A page over the public names: it says nothing that the library does not say.
"""

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence

from bindlab import (
    BEYOND,
    INTERNET,
    Candidate,
    Host,
    Scope,
    Transport,
    explain,
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
    if isinstance(sys.stdout, io.TextIOWrapper):  # an interface may have a name in any script
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = _answer(options.target, options.origin, options.udp, options.json)
        print(end="", flush=True)  # now, and not when Python ends, which has a status of its own
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


def _answer(target: str | None, origin: str | None, udp: bool, as_json: bool) -> int:
    if target is None:
        if origin is not None or udp:
            raise ValueError("--from and --udp need a target: write a port, such as 3000")
        return _networks(this_host(), as_json)
    transport: Transport = "udp" if udp else "tcp"
    port = int(target) if target.isascii() and target.isdigit() else None
    if port is None and udp:
        raise ValueError(f"--udp is for a port: write {target}/udp")
    if port is None and origin is None:
        reach = reachable_from(target)
        print(json.dumps(reach_document(reach), indent=2) if as_json else reach)
        return 0
    vantage = None if origin is None else _VANTAGES.get(origin, origin)
    found = explain(target if port is None else port, vantage, transport=transport)
    print(json.dumps(explanation_document(found), indent=2) if as_json else found)
    return 0 if found else 1


def _networks(host: Host, as_json: bool) -> int:
    everything = reachable_from(["0.0.0.0:80", "[::]:80"], host=host).endpoints
    others = [candidate for candidate in everything if candidate.audience > Scope.HOST]
    if as_json:
        print(json.dumps(networks_document(host, others), indent=2))
        return 0
    width = max((len(interface.display_name) for interface in host.interfaces), default=0)
    for interface in host.interfaces:
        addresses = ", ".join(map(str, interface.addresses)) or "no address"
        down = "" if interface.is_up is not False else " (down)"
        print(f"{interface.display_name:{width}}  {addresses}{down}")
    for number, candidate in enumerate(others):
        verb = "or" if number else "\nothers should use"
        print(f"{verb} {_for_others(candidate)}: {candidate.reason}")
    if not others:
        print("\nno other machine reaches this one: it has no address but loopback's")
    return 0


def _for_others(candidate: Candidate) -> str:
    """Return its address as others write it: a zone is each machine's own (RFC 4007)."""
    address, zone, _ = str(candidate.ip).partition("%")
    return f"{address}%ITS-ZONE" if zone else address


if __name__ == "__main__":
    sys.exit(main())
