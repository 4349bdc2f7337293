"""What ``python -m bindlab`` prints: this machine's networks, a table, or an explanation."""

import argparse
import contextlib
import errno
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
from bindlab.printable import json_text

_PROGRAM = "python -m bindlab"
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
    try:
        status, text = _answer_to(arguments)
    except OSError as error:
        print(f"{_PROGRAM}: {error}", file=sys.stderr)
        return 3
    # An interface may have a name in any script, and the output be for one of them.
    encoding: str = getattr(sys.stdout, "encoding", None) or "ascii"
    try:
        # Written now, and not when Python ends, which would have a status of its own.
        print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)
    except BrokenPipeError:  # the reader has seen enough, as in "| head"
        _discard_output()
        return 0
    except OSError as error:
        _discard_output()
        if sys.platform == "win32" and error.errno == errno.EINVAL:  # its closed pipe
            return 0
        print(f"{_PROGRAM}: {error}", file=sys.stderr)
        return 3
    return status


def _answer_to(arguments: Sequence[str] | None) -> tuple[int, str]:
    parser = argparse.ArgumentParser(
        _PROGRAM,
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
        help="who cannot connect: an address, a network (192.168.0.0/24), an interface (anyone "
        "on it), beyond or internet",
    )
    parser.add_argument("--udp", action="store_true", help="the port is UDP's")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    options = parser.parse_args(arguments)
    try:
        return _answer(options.target, options.origin, options.udp, options.json)
    except ValueError as error:
        parser.error(str(error))


def _discard_output() -> None:
    """Send to nowhere what Python still writes when it ends, which would fail as well."""
    with contextlib.suppress(OSError):
        # Closed first, because there may be no other descriptor to open the null device with.
        os.close(1)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        if nowhere != 1:
            os.dup2(nowhere, 1)
            os.close(nowhere)


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
        return 0, json_text(reach.to_document()) if as_json else str(reach)
    asked = None if origin is None else _origin(origin)
    found = explain(target if port is None else port, asked, transport=transport)
    text = json_text(found.to_document()) if as_json else str(found)
    return 0 if found else 1, text


def _origin(text: str) -> OriginLike:
    """Return the origin that *text* names; a shell cannot write an ``Interface`` but by name."""
    named = {interface.name: interface for interface in interfaces()}
    return _VANTAGES.get(text) or named.get(text) or text


def _networks(host: Host, as_json: bool) -> str:
    everything = reachable_from(["0.0.0.0:80", "[::]:80"], host=host).endpoints
    others = [candidate for candidate in everything if candidate.audience > Scope.HOST]
    if as_json:
        return json_text(
            {"host": host.to_document(), "others_use": [_for_programs(use) for use in others]}
        )
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


def _for_programs(candidate: Candidate) -> dict[str, object]:
    """Return its address as what JSON can hold, without this machine's zone."""
    return {
        "address": str(candidate.ip).partition("%")[0],
        "interface": candidate.interface,
        "why": candidate.reason,
    }


def _for_others(candidate: Candidate) -> str:
    """Return its address as others write it: a zone is each machine's own (RFC 4007)."""
    address, zone, _ = str(candidate.ip).partition("%")
    return f"{address}%ITS-ZONE" if zone else address


if __name__ == "__main__":
    sys.exit(main())
