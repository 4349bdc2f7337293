"""The order in which to name what anybody could dial, with a reason for each place in it."""

from collections.abc import Iterable, Sequence

from bindlab.printable import printable
from bindlab.reach.routing import Routing
from bindlab.reach.standing import Standings
from bindlab.reach.verdict import Candidate, Scope
from bindlab.special_addresses import Kind, kind_of_address

__all__ = ["ranked"]

_GROUPS = (Kind.MULTICAST, Kind.BROADCAST)


def ranked(
    candidates: Iterable[Candidate], standings: Standings, routing: Routing
) -> tuple[Candidate, ...]:
    """Return *candidates* in the order in which others most likely want them.

    First the audience, as far as it matters (anybody, one link, this host), then the standing
    of the interface, then what the default route sends from, then a global audience before a
    private one. What is alike in all of that stays in the order of the system's list.
    """
    preferred = {
        (version, source)
        for version in (4, 6)
        for source in routing.fate_of(routing.default_routes(version)[:1]).sources
    }

    def key(candidate: Candidate) -> tuple[int, ...]:
        return (
            -min(candidate.audience, Scope.PRIVATE),
            *standings.order(candidate.interface),
            (candidate.ip.version, int(candidate.ip)) not in preferred,
            -candidate.audience,
        )

    alike: dict[tuple[int, ...], list[Candidate]] = {}
    for candidate in candidates:
        alike.setdefault(key(candidate), []).append(candidate)
    return tuple(
        candidate.replace(reason=_reason(candidate, group, standings))
        for _, group in sorted(alike.items(), key=lambda item: item[0])
        for candidate in group
    )


def _reason(candidate: Candidate, group: Sequence[Candidate], standings: Standings) -> str:
    standing, interface = standings.of(candidate.interface), candidate.interface
    if kind_of_address(candidate.ip) in _GROUPS:
        reason = f"a group, on the link of {printable(interface or '')}"
    elif candidate.audience is Scope.HOST:
        reason = "loopback, from this machine only"
    elif standing is None:
        reason = "delivered here by a local route"
    else:
        which = f", {standing.reason}" if standing.reason else ""
        reason = f"this machine's address on {standing.name}{which}"
    same = sum(other.ip.version == candidate.ip.version for other in group)
    return f"{reason}; alike, in the system's order" if same > 1 else reason
