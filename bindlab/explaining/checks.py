"""What nobody can know from here, as a checklist: one page of data, the likeliest first."""

from collections.abc import Callable, Mapping
from typing import Final

from bindlab.explaining.clients import ADDED, Case, is_by_wifi
from bindlab.host import System
from bindlab.reach import Condition, Verdict
from bindlab.value import Value


class Check(Value):
    """One thing to look at, and the condition of the verdict that it decides, if it is one's.

    *source* is the page that it is taken from, where it is what a browser or a system adds.
    *code* names the check for programs, and stays where the sentence may change; by default it
    is the name of the condition in small letters.
    """

    condition: Condition | None
    sentence: str
    source: str = ""
    code: str = ""

    def _check(self) -> None:
        if not self.code and self.condition is not None:
            self._set(code=self.condition.name.lower())

    def __str__(self) -> str:
        return self.sentence


def _is_on_link(verdict: Verdict, _: bool) -> bool:
    return Condition.LINK_ISOLATION in verdict.conditions


def _is_on_link_unheard(verdict: Verdict, heard: bool) -> bool:
    return _is_on_link(verdict, heard) and not heard


def _dials_this_machine(verdict: Verdict, _: bool) -> bool:
    return bool(verdict.endpoints) and bool(verdict.opens)


# What people most often find in the end when somebody "can't connect" is first: experience, not
# measurement. A sentence is said if its condition is one of the verdict's, or if the function
# says so of the verdict and of whether the origin was heard on its link lately.
_CHECKS: Final[tuple[tuple[Condition | Callable[[Verdict, bool], bool], str], ...]] = (
    (
        Condition.FIREWALL,
        "the firewall of this machine: does it let {transport} port {port} in? {firewall}",
    ),
    (
        _is_on_link_unheard,
        (
            "the network of the other side: is {origin} on the network of {interface} now, and not "
            "on mobile data or a guest network?"
        ),
    ),
    (
        Condition.LOCATION,
        (
            "the place: {origin} fits {homes}, and answers go one way only, so ask where it really "
            "is, and disconnect what else has its network"
        ),
    ),
    (
        Condition.LINK_ISOLATION,
        (
            "the access point: guest and public Wi-Fi often keep their devices apart (client "
            "isolation)"
        ),
    ),
    (
        _is_on_link,
        "a VPN on the other side: it may carry everything away from the local network",
    ),
    (
        Condition.TAILNET,
        "the tailnet: do its access rules let {origin} talk to this machine, and is it on now?",
    ),
    (
        Condition.ROUTE_THERE,
        "the way there: does {origin} have a route to {address}, or a router that has one?",
    ),
    (
        Condition.ROUTE_BACK,
        "the way back: do this machine's answers find {origin}?{route}",
    ),
    (
        Condition.GUEST,
        "the machine that runs this one: does it forward port {port}, and its firewall let it in?",
    ),
    (
        Condition.NAT,
        (
            "the router: from the internet it is reached only if the router forwards a port to "
            "{address}, port {port} (NAT)"
        ),
    ),
    (
        Condition.WEAK_HOST,
        (
            "the detour: {address} is on another network of this machine, and {origin} has to send "
            "its packets here all the same"
        ),
    ),
    (
        Condition.PEER_ZONE,
        "the zone: behind the % {origin} writes the name of its own interface, not of ours",
    ),
    (
        Condition.DUAL_STACK,
        "the socket: with IPV6_V6ONLY on, it takes no IPv4",
    ),
    (
        Condition.ROUTE_LOCALNET,
        "route_localnet: only where it is on does {address} come in from outside",
    ),
    (
        Condition.LOCAL_ROUTE,
        "local routes: is {address} delivered here? (ip route show table local)",
    ),
    (
        Condition.GROUP_MEMBERSHIP,
        "the group: has this machine joined {address} on {interface}? (ip maddress)",
    ),
    (
        Condition.MULTICAST_ROUTING,
        "multicast: does a router between the two forward the group?",
    ),
    (
        Condition.BROADCAST,
        "broadcast: does {origin} send to the broadcast address {address}?",
    ),
    (
        Condition.REPLY_ADDRESS,
        "the client: it has to take the answer from another address than it asked",
    ),
    (
        Condition.OTHER_LINK,
        "the link: {origin} has to send by {interface}, though its address is of another network",
    ),
    (
        Condition.SENT_BY_LOOPBACK,
        "the program: it has to send by {interface}, bound to that device or by UDP to 0.0.0.0",
    ),
    (
        Condition.L3MDEV_ACCEPT,
        "the VRF: is l3mdev_accept on (sysctl net.ipv4.tcp_l3mdev_accept, and udp)?",
    ),
    (
        Condition.VRF_PROGRAM,
        "the program: it has to be in the VRF of {interface} too (ip vrf exec)",
    ),
    (
        _dials_this_machine,
        "what is opened there: {dial}, with this address and this port, and no proxy between",
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

# https://docs.docker.com/engine/network/packet-filtering-firewalls/
FORWARDING: Final = "(its FORWARD chain decides, with Docker DOCKER-USER: not INPUT, and not ufw)"

# From documentation but for Linux: how each system tells the way that it takes to an address.
ROUTES: Final[Mapping[System, str]] = {
    "linux": " (ip route get {origin})",
    "macos": " (route -n get {origin})",
    "windows": " (Find-NetRoute -RemoteIPAddress {origin})",
    "freebsd": " (route -n get {origin})",
    "openbsd": " (route -n get {origin})",
}

# Where a rule of the firewall takes what comes for a port, and nothing answers.
REDIRECTED: Final = "neither ufw nor the rules of INPUT govern it"
BEHIND_A_RULE: Final = (
    "the server that port {port} is passed to: does it run, and is it bound to more than the "
    "127.0.0.1 of its container?"
)

NOTHING_THERE: Final[Mapping[str, str]] = {  # by their codes
    "server_runs": "the server: does it run, and did it not end with an error?",
    "which_port": "the port: is it {port} that it listens on? Its own output tells it",
    "published_port": (
        "a container: is the port published here (docker ps, podman ps)? If it is, the server "
        "inside does not listen on it, or on the container's 127.0.0.1 only; if not: -p "
        "{port}:{port}"
    ),
}

# Of checks that decide no condition: those of _CHECKS, and those that telling.py adds.
_CODES: Final[Mapping[Callable[[Verdict, bool], bool], str]] = {
    _is_on_link_unheard: "their_network",
    _is_on_link: "their_vpn",
    _dials_this_machine: "what_is_opened",
}
CODES: Final = frozenset(
    (
        *(condition.name.lower() for condition in Condition),
        *_CODES.values(),
        *NOTHING_THERE,
        *("relay", "heard", "other_family"),
    )
)


def checks_of(case: Case, words: Mapping[str, object], heard: bool = False) -> tuple[Check, ...]:
    """Return what decides whether the origin of a verdict, which nothing here shuts out, gets in.

    *words* are those of the sentences; *heard* is whether it was heard on its link lately.
    """
    verdict = case.verdict
    found: list[Check] = []
    for when, sentence in _CHECKS:
        condition = when if isinstance(when, Condition) else None
        holds = when in verdict.conditions if isinstance(when, Condition) else when(verdict, heard)
        if holds and (condition is not Condition.LINK_ISOLATION or is_by_wifi(case)):
            code = "" if isinstance(when, Condition) else _CODES[when]
            found.append(Check(condition, sentence.format(**words), code=code))
    for added in ADDED:
        if added.when(case):
            found.append(Check(None, added.sentence.format(**words), added.source, added.code))
    return tuple(found)
