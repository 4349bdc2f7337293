"""What can be asked on a command line, and what ``--help`` says of it."""

import argparse
from collections.abc import Callable, Sequence
from typing import Final

from bindlab.command.answers import Answer, audited, explained, of_the_machine, probed
from bindlab.command.output import PROGRAM

__all__ = ["parser_for"]

_DESCRIPTION: Final = """\
Say who can reach a server on this machine, and why somebody cannot.

  bindlab                           this machine's networks, and where others reach it
  bindlab 3000                      who can reach the server on port 3000
  bindlab 3000 --from 192.168.0.50  why that machine cannot, and what to do
  bindlab 0.0.0.0:3000              who could reach a server that is bound to this
  bindlab probe 192.168.1.20:8000   the other side: try it from this machine
  bindlab audit --allow 22          all that listens here, and how far it is open"""
_STATUSES: Final = """\
exit status:
  0  there is an answer, and it is not one of these
  1  the origin of --from is shut out for certain
  2  an argument is wrong
  3  the system refuses to tell
  4  nothing listens on the port"""
_PROBING: Final = """\
Try to connect from this machine, once, and say what the outcome means."""
_STATUSES_OF_PROBE: Final = """\
exit status:
  0  it was accepted
  1  there was no answer, no way there, or it is forbidden
  2  an argument is wrong
  3  the system refuses to try
  4  it was refused: nothing listens there, or a firewall says so"""


_AUDITING: Final = """\
List every socket that listens on this machine, and how far each is open."""
_STATUSES_OF_AUDIT: Final = """\
exit status:
  0  nothing is open to other machines but the ports of --allow
  1  another port is
  2  an argument is wrong
  3  the system does not list its sockets (Linux does)"""


def parser_for(arguments: Sequence[str]) -> tuple[argparse.ArgumentParser, Sequence[str]]:
    """Return what reads *arguments*, and those that it reads.

    No target is called like a command: targets are ports and endpoints.
    """
    if arguments[:1] == ["probe"]:
        return _probe(), arguments[1:]
    if arguments[:1] == ["audit"]:
        return _audit(), arguments[1:]
    return _explain(), arguments


def _explain() -> argparse.ArgumentParser:
    parser = _parser(PROGRAM, _DESCRIPTION, _STATUSES, _ask)
    parser.add_argument(
        "target",
        nargs="?",
        help="a port of this machine (3000, 53/udp), or an endpoint (0.0.0.0:3000, [::]:53/udp)",
    )
    parser.add_argument(
        "--from",
        dest="origin",
        metavar="ORIGIN",
        help="who cannot connect: an address, a network (192.168.0.0/24), an interface (anyone "
        "on it), here, beyond or internet",
    )
    parser.add_argument("--udp", action="store_true", help="the port is UDP's")
    parser.add_argument("--all", action="store_true", help="show what is counted otherwise")
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {_Version()}")
    return parser


def _ask(options: argparse.Namespace) -> Answer:
    if options.target is not None:
        return explained(options.target, options.origin, options.udp, options.all)
    if options.origin is not None or options.udp:
        raise ValueError("--from and --udp need a target: write a port, such as 3000")
    return of_the_machine(options.all)


def _probe() -> argparse.ArgumentParser:
    parser = _parser(
        f"{PROGRAM} probe",
        _PROBING,
        _STATUSES_OF_PROBE,
        lambda options: probed(options.endpoint, options.udp, options.timeout),
    )
    parser.add_argument("endpoint", help="192.168.1.20:8000, [2001:db8::1]:8000 or a URL")
    parser.add_argument("--udp", action="store_true", help="send a datagram instead")
    parser.add_argument(
        "--timeout", type=float, default=3.0, metavar="SECONDS", help="3 unless given"
    )
    return parser


def _audit() -> argparse.ArgumentParser:
    parser = _parser(
        f"{PROGRAM} audit",
        _AUDITING,
        _STATUSES_OF_AUDIT,
        lambda options: audited(options.allow),
    )
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="PORT",
        help="a port that may be open to other machines (22, 5353/udp); may be repeated",
    )
    return parser


def _parser(
    program: str, description: str, epilog: str, ask: Callable[[argparse.Namespace], Answer]
) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        program,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.set_defaults(ask=ask)
    return parser


class _Version:
    """The version of bindlab, looked up only when it is printed."""

    def __str__(self) -> str:
        from importlib.metadata import version

        return version("bindlab")
