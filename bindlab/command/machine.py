"""This machine's networks on a page: where others reach it, then each interface."""

from collections.abc import Iterator
from typing import Final

from bindlab import AddressState, Candidate, Host, Interface, Scope, reachable_from
from bindlab.endpoint import IPAddress
from bindlab.page import columns, page_width, shorter, wrapped
from bindlab.reach import InterfaceRank, Rank, ranked

__all__ = ["machine_document", "machine_text"]

_NAME: Final = 24
_FEW: Final = 2  # addresses of an interface that are shown; more are counted
_TRANSIENT: Final = AddressState.TEMPORARY | AddressState.DEPRECATED


def machine_document(host: Host) -> dict[str, object]:
    """Return the machine, and what others use, as what JSON can hold."""
    use = [
        {
            "address": str(candidate.ip).partition("%")[0],
            "interface": candidate.interface,
            "why": candidate.reason,
        }
        for candidate in _for_others(host)
    ]
    return {"kind": "machine", "host": host.to_document(), "others_use": use}


def machine_text(host: Host, unfolded: bool) -> str:
    """Return where others reach *host*, and its interfaces, the likeliest to be meant first."""
    width = page_width()
    shown: list[tuple[Interface, InterfaceRank]] = []
    folded = 0
    for interface, rank in ranked(host):
        if unfolded or not (rank.is_virtual or rank.rank is Rank.LOOPBACK):
            shown.append((interface, rank))
        folded += rank.is_virtual and not unfolded
    rows = [row for interface, rank in shown for row in _rows(interface, rank, unfolded)]
    lines = wrapped(_answer(host), width)
    if host.guest is not None:
        lines += ["", *wrapped(f"T{str(host.guest)[1:]}.", width, "  ")]
    lines += ["", *columns(rows, width)] if rows else []
    if folded:
        things = "virtual interface" if folded == 1 else "virtual interfaces"
        lines.append(f"  and {folded} {things} (--all shows them)")
    return "\n".join(lines)


def _answer(host: Host) -> str:
    others = _for_others(host)
    if not others:
        return "No other machine reaches this one: it has no address but loopback's."
    address, zone, _ = str(others[0].ip).partition("%")
    # A zone is each machine's own: others write theirs (RFC 4007).
    at = f"{address}%ITS-ZONE" if zone else address
    if host.guest is not None and host.guest.needs_forwarding:
        return f"Others reach this machine through its host only, if {host.guest.forwards}."
    return f"Others reach this machine at {at} ({shorter(others[0].interface or '', _NAME)})."


def _for_others(host: Host) -> list[Candidate]:
    everything = reachable_from(["0.0.0.0:80", "[::]:80"], host=host).endpoints
    return [candidate for candidate in everything if candidate.audience > Scope.HOST]


def _rows(
    interface: Interface, rank: InterfaceRank, unfolded: bool
) -> Iterator[tuple[str, str, str]]:
    """Yield a row for each address: the interface, the address, and what is known of it."""
    name = shorter(interface.display_name, _NAME)
    remark = _remark(interface, rank)
    everything = list(interface.addresses)
    useful = [each for each in everything if _is_useful(each.ip, interface.state(each.ip))]
    kept = everything if unfolded else (useful or everything)[:_FEW]
    for address in kept:
        yield name, str(address).replace(f"%{interface.name}", ""), remark
        name = remark = ""
    if not everything:
        yield name, "no address", remark
    elif more := len(everything) - len(kept):
        yield "", f"and {more} more", ""


def _is_useful(ip: IPAddress, state: AddressState | None) -> bool:
    """Whether *ip* is one to show first: not link-local, and here to stay."""
    return not (ip.is_link_local or (state is not None and state & _TRANSIENT))


def _remark(interface: Interface, rank: InterfaceRank) -> str:
    if not interface.is_live:
        return "switched off" if interface.is_up is False else "not connected"
    if rank.rank is Rank.LOOPBACK:
        return "this machine only"
    if rank.rank is Rank.DEFAULT_ROUTE and rank.place == 0:
        return "the default route goes this way"
    words = rank.reason.removeprefix("which ").removeprefix("whose name suggests ")
    return words.removeprefix("is ").replace("on a tailnet", "a tailnet")
