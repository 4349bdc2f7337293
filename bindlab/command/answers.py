"""The answers of the command: each a document for programs, a text for people, and a status."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from bindlab import Endpoint, Host, Outcome, Probe, Scope, audit, explain, probe, this_host
from bindlab.command.machine import machine_document, machine_text
from bindlab.endpoint import address_text
from bindlab.page import listed, page_width, wrapped
from bindlab.reach import parse_origin

__all__ = ["Answer", "audited", "explained", "of_the_machine", "probed"]

_ORIGINS: Final = (
    "write an address (192.168.0.50), a network (192.168.0.0/24), here, beyond, internet, or an "
    "interface of this machine"
)
# What an outcome means to who tried, and what to do about it.
_MEANING: Final[Mapping[Outcome, str]] = {
    Outcome.ACCEPTED: "The way is open. If a page does not show, ask the server: is it http or "
    "https there, and what does its own output say?",
    Outcome.CLOSED_AT_ONCE: "Somebody passes the port on, and nothing listens behind. Most often "
    "the server in a container is bound to its 127.0.0.1: let it bind 0.0.0.0 there.",
    Outcome.REFUSED: "The machine is there. Its server does not run, or is bound to another "
    "address, most often 127.0.0.1; or a firewall refuses.",
    Outcome.NO_ANSWER: "A firewall drops the packets, or no machine has this address now: is it "
    "still its address, and is this machine on the same network?",
    Outcome.UNREACHABLE: "This machine finds no way there: is it on the same network (Wi-Fi, VPN), "
    "and is the address still right?",
    Outcome.NOT_PERMITTED: "A firewall forbids it, here or on the way, and says so.",
    Outcome.NO_SOURCE: "This machine has no address to send from: is it on a network?",
    Outcome.WRONG_FAMILY: "Try the other of IPv4 and IPv6.",
}


class Answer(NamedTuple):
    """What to print, in both forms, and the status to end with."""

    status: int
    document: Callable[[], dict[str, object]]
    text: Callable[[], str]


def of_the_machine(unfolded: bool) -> Answer:
    """Return this machine's networks, and where others reach it."""
    host = this_host()
    return Answer(0, lambda: machine_document(host), lambda: machine_text(host, unfolded))


def explained(target: str, origin: str | None, is_udp: bool, unfolded: bool) -> Answer:
    """Return who can reach *target*, or why *origin* can or cannot."""
    if is_udp and not target.isdecimal():
        raise ValueError(f"--udp is for a port: write {target.removesuffix('/udp')}/udp")
    if origin is not None:
        _check_origin(origin)
    found = explain(target, origin, transport="udp" if is_udp else "tcp")
    status = 0 if found else 1 if found.bindings else 4
    more = ""
    if origin is None and found.bindings and found.reach.scope > Scope.HOST:
        udp = " --udp" if is_udp else ""
        more = f"Somebody cannot? bindlab {target}{udp} --from THEIR-ADDRESS says why."
        more = "\n".join(["", "", *wrapped(more, page_width())])
    return Answer(
        status,
        found.to_document,
        lambda: found.text(unfolded=unfolded, hint="--all") + more,
    )


def probed(text: str, is_udp: bool, timeout: float) -> Answer:
    """Return what one attempt at the endpoint *text* met."""
    endpoint = Endpoint.parse(text)
    if is_udp:
        endpoint = Endpoint(endpoint.ip, endpoint.port, "udp")
    met = probe(endpoint, timeout=timeout)
    status = 0 if met else 4 if met.outcome is Outcome.REFUSED else 1
    return Answer(status, lambda: _document_of(met), lambda: _text_of(met))


def audited(allowed: Sequence[str]) -> Answer:
    """Return what listens on this machine, and whether anything but *allowed* is open."""
    found = audit()
    beyond = dict.fromkeys(each.port for each in found.open_beyond(allowed=allowed))
    document = {"kind": "audit", "allowed": list(allowed), "beyond": list(beyond)}
    first = ""
    if allowed:
        but = f"nothing but {listed(allowed, len(allowed))}"
        first = f"Yes: {but} is open to other machines."
        if beyond:
            first = f"No: {listed(list(beyond))} should not be open to other machines."
        first = "\n".join(wrapped(first, page_width())) + "\n\n"
    return Answer(
        int(bool(beyond)),
        lambda: {**document, **found.to_document()},
        lambda: first + found.text(),
    )


def _check_origin(text: str) -> None:
    host = this_host()
    try:
        parse_origin(text, host)
    except ValueError as error:
        why, names = str(error).partition(": write")[0], _names(host)
        raise ValueError(f"--from {text}: {why}: {_ORIGINS}{names}") from None


def _names(host: Host) -> str:
    names = ", ".join(interface.display_name for interface in host.interfaces)
    return f" ({names})" if names else ""


def _document_of(met: Probe) -> dict[str, object]:
    return {
        "kind": "probe",
        "endpoint": str(met.endpoint),
        "outcome": met.outcome.name.lower(),
        "accepted": met.accepted,
        "seconds": met.elapsed,
        "source": None if met.source is None else str(met.source),
        "text": str(met),
        "meaning": _MEANING[met.outcome],
    }


def _text_of(met: Probe) -> str:
    width = page_width()
    silent_udp = met.endpoint.transport == "udp" and met.outcome is Outcome.NO_ANSWER
    is_unsure = silent_udp or met.outcome is Outcome.CLOSED_AT_ONCE
    word = "Maybe" if is_unsure else "Yes" if met else "No"
    lines = wrapped(f"{word}: {met}.", width)
    if not silent_udp:
        lines += ["", *wrapped(_MEANING[met.outcome], width, "  ")]
    if met.source is not None and met.outcome is not Outcome.ACCEPTED:
        udp = "/udp" if met.endpoint.transport == "udp" else ""
        is_here = met.source.ip == met.endpoint.ip
        where, who = ("Here", "here") if is_here else ("There", address_text(met.source.ip))
        more = f"bindlab {met.endpoint.port}{udp} --from {who}"
        lines += ["", *wrapped(f"{where}, this says more: {more}", width)]
    return "\n".join(lines)
