"""What the sentences of the rules may speak of, for one way in."""

from bindlab.endpoint import address_text, unmap
from bindlab.printable import printable
from bindlab.reach.path import Path

__all__ = ["words_for"]


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
        "device": printable(path.binding.device or ""),
        "peer": str(path.binding.peer),
        "kind": f"a {path.kind.value}",
        **_way_back(path),
    }


def _way_back(path: Path) -> dict[str, str]:
    if (fate := path.fate) is None:
        return {}
    ends = sorted(path.host.interface(end).display_name for end in fate.ends if end)
    routers = f" through {' or '.join(sorted(fate.routers))}" if fate.routers else ""
    refused = f"its route there is {' or '.join(sorted(fate.refusals))}"
    return {
        "back": (" or ".join(ends) or "some interface") + routers,
        "nowhere": refused if fate.refusals else "no route of its leads there",
    }
