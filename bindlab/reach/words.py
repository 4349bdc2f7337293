"""One way in, in words: for the sentences of the rules, and as a candidate to dial."""

from bindlab.endpoint import address_text, unmap
from bindlab.printable import printable
from bindlab.reach.origin import is_internet
from bindlab.reach.path import Path
from bindlab.reach.verdict import Candidate, Scope
from bindlab.special_addresses import Kind

__all__ = ["candidate", "words_for"]


def words_for(path: Path) -> dict[str, str]:
    """Return the words that stand in the braces of a :class:`~bindlab.reach.rules.Rule`."""
    bound, address = path.binding.endpoint.ip, address_text(path.destination)
    wildcard = path.binding.endpoint.is_unspecified
    return {
        "bound": address_text(bound),
        "family": f"IPv{unmap(bound).version}",
        "address": address,
        "loopback": f"{address} is loopback" if wildcard else "bound to loopback",
        "owner": path.owner.display_name if path.owner else "no interface",
        "arrival": path.arrival.display_name if path.arrival else "no interface",
        "device": printable(path.binding.device) if path.binding.device else "",
        "peer": str(path.binding.peer),
        "kind": f"a {path.kind.value}",
        **_way_back(path),
    }


def candidate(path: Path) -> Candidate:
    """Return what *path* offers to dial."""
    endpoint = path.binding.endpoint
    return Candidate(
        path.destination,
        endpoint.port,
        endpoint.transport,
        interface=path.owner.name if path.owner else None,
        audience=_audience(path),
        reason=_why(path),
    )


def _way_back(path: Path) -> dict[str, str]:
    if (back := path.return_path) is None:
        return {}
    by = sorted(path.host.interface(end).display_name for end in back.interfaces if end)
    routers = f" through {' or '.join(sorted(back.routers))}" if back.routers else ""
    refused = f"its route there is {' or '.join(sorted(back.refusals))}"
    return {
        "back": (" or ".join(by) or "some interface") + routers,
        "nowhere": refused if back.refusals else "no route of its leads there",
    }


def _audience(path: Path) -> Scope:
    if path.is_loopback:
        return Scope.HOST
    if path.is_group or path.kind is Kind.LINK_LOCAL:
        return Scope.LINK
    return Scope.GLOBAL if is_internet(path.destination) else Scope.PRIVATE


def _why(path: Path) -> str:
    owner = path.owner.display_name if path.owner else "no interface"
    if path.is_answering:
        return f"the address of {owner}, from which this machine sends to the origin"
    if path.is_loopback:
        return "loopback, from this machine only"
    if path.inside:
        return f"this machine's address on {owner}"
    if path.crosses:
        return f"the address of {owner}, through another interface"
    if path.on_link:
        return f"the address of {owner}, on the origin's own link"
    if path.needs_nat:
        return f"the address of {owner}, to which a router would have to forward the port"
    return f"the address of {owner}, by way of a router"
