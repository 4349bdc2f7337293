"""What nobody can know from here, as a checklist: one page of data, the likeliest first.

Pure. The order is experience, not measurement: what people most often find in the end when
somebody "can't connect" stands first.
"""

from collections.abc import Callable, Mapping
from typing import Final

from bindlab.host import System
from bindlab.reach import Condition, Reason, Verdict
from bindlab.value import Value

__all__ = ["FIREWALLS", "REMEDIES", "ROUTES", "Check", "checks_of"]


class Check(Value):
    """One thing to look at, and the condition of the verdict that it decides, if it is one's."""

    __slots__ = ("condition", "sentence")

    condition: Condition | None
    sentence: str

    def __init__(self, condition: Condition | None, sentence: str) -> None:
        self._set(condition=condition, sentence=sentence)

    def __str__(self) -> str:
        return self.sentence


def _on_link(verdict: Verdict, _: bool) -> bool:
    return Condition.LINK_ISOLATION in verdict.conditions


def _not_seen(verdict: Verdict, seen: bool) -> bool:
    return _on_link(verdict, seen) and not seen


def _directly(verdict: Verdict, _: bool) -> bool:
    return bool(verdict.endpoints) and Condition.NAT not in verdict.conditions


def _always(verdict: Verdict, seen: bool) -> bool:
    return True


_CHECKS: Final[tuple[tuple[Condition | None, Callable[[Verdict, bool], bool], str], ...]] = (
    (
        Condition.FIREWALL,
        _always,
        "the firewall of this machine: does it let {transport} port {port} in? {firewall}",
    ),
    (
        None,
        _not_seen,
        (
            "the network of the other side: is {origin} on the network of {interface} now, and not "
            "on mobile data or a guest network?"
        ),
    ),
    (
        Condition.LOCATION,
        _always,
        (
            "the place: {origin} fits {homes}, and answers go one way only, so ask where it really "
            "is, and disconnect what else has its network"
        ),
    ),
    (
        Condition.LINK_ISOLATION,
        _always,
        (
            "the access point: guest and public Wi-Fi often keep their devices apart (client "
            "isolation)"
        ),
    ),
    (
        None,
        _on_link,
        "a VPN on the other side: it may carry everything away from the local network",
    ),
    (
        Condition.ROUTE_THERE,
        _always,
        "the way there: does {origin} have a route to {address}, or a router that has one?",
    ),
    (
        Condition.ROUTE_BACK,
        _always,
        "the way back: do this machine's answers find {origin}?{route}",
    ),
    (
        Condition.NAT,
        _always,
        (
            "the router: {address} is no address of the internet, so the router has to forward a "
            "port to {address}:{port} (NAT)"
        ),
    ),
    (
        Condition.WEAK_HOST,
        _always,
        (
            "the detour: {address} is on another network of this machine, and {origin} has to send "
            "its packets here all the same"
        ),
    ),
    (
        Condition.PEER_ZONE,
        _always,
        "the zone: behind the % {origin} writes the name of its own interface, not of ours",
    ),
    (
        Condition.DUAL_STACK,
        _always,
        "the socket: with IPV6_V6ONLY on, it takes no IPv4",
    ),
    (
        Condition.ROUTE_LOCALNET,
        _always,
        "route_localnet: only where it is on does {address} come in from outside",
    ),
    (
        Condition.LOCAL_ROUTE,
        _always,
        "local routes: is {address} delivered here? (ip route show table local)",
    ),
    (
        Condition.GROUP_MEMBERSHIP,
        _always,
        "the group: has this machine joined {address} on {interface}? (ip maddress)",
    ),
    (
        Condition.MULTICAST_ROUTING,
        _always,
        "multicast: does a router between the two forward the group?",
    ),
    (
        Condition.BROADCAST,
        _always,
        "broadcast: does {origin} send to the broadcast address {address}?",
    ),
    (
        Condition.REPLY_ADDRESS,
        _always,
        "the client: it has to take the answer from another address than it asked",
    ),
    (
        None,
        _directly,
        "what is dialled: {dial}, with this address and this port, and no proxy between",
    ),
)

# From documentation but for Linux: where the firewall of each system shows what it lets in.
FIREWALLS: Final[Mapping[System, str]] = {
    "linux": "(nft list ruleset, ufw status, firewall-cmd --list-all)",
    "macos": "(System Settings, Network, Firewall)",
    "windows": "(Windows Defender Firewall, by program and by network profile)",
    "freebsd": "(pfctl -sr, ipfw list)",
    "openbsd": "(pfctl -sr)",
}

# From documentation but for Linux: how each system tells the way that it takes to an address.
ROUTES: Final[Mapping[System, str]] = {
    "linux": " (ip route get {origin})",
    "macos": " (route -n get {origin})",
    "windows": " (Find-NetRoute -RemoteIPAddress {origin})",
    "freebsd": " (route -n get {origin})",
    "openbsd": " (route -n get {origin})",
}

# What to do where no address to bind would let the origin in, by what shuts it out of all.
REMEDIES: Final[Mapping[Reason, str]] = {
    Reason.NOT_LISTENING: "call listen() on the socket",
    Reason.GROUP: "join the group on the interface that {origin} is on, or bind a unicast address",
    Reason.OTHER_PEER: "use a socket that is not connected",
    Reason.FAMILY: "give this machine an address of {family} on the network of {origin}",
    Reason.LOOPBACK: "give this machine an address on the network of {origin}: it has none",
    Reason.ZONE: "bind an address that is not link-local",
    Reason.ADDRESS_GONE: "give this machine an address of {family}: it has none that is in use",
    Reason.DEVICE: "bind the device that {origin} comes by, or none",
    Reason.STRONG_HOST: "bind the address on the network that {origin} comes by",
    Reason.LOOPBACK_DOWN: "bring loopback up (ip link set lo up)",
    Reason.LINK_DOWN: "connect {interface}: join its Wi-Fi, or plug its cable in",
    Reason.NO_WAY_BACK: "give this machine a route to {origin}, or put both in one network",
}


def checks_of(
    verdict: Verdict, words: Mapping[str, object], seen: bool = False
) -> tuple[Check, ...]:
    """Return what decides whether the origin of *verdict*, which nothing here shuts out, gets in.

    *words* are those of the sentences; *seen* is whether it was heard on its link lately.
    """
    return tuple(
        Check(condition, sentence.format(**words))
        for condition, holds, sentence in _CHECKS
        if (condition is None or condition in verdict.conditions) and holds(verdict, seen)
    )
