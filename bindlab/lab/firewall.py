"""The usual firewalls of a host, as rulesets for nft(8)."""

from collections.abc import Iterable
from typing import Literal, TypeAlias

from bindlab.endpoint import parse_port

__all__ = ["Refusal", "firewall"]

Refusal: TypeAlias = Literal["drop", "reject", "reset"]

_REFUSALS: dict[Refusal, str] = {
    "drop": "drop",
    "reject": "reject with icmpx admin-prohibited",
    "reset": "meta l4proto tcp reject with tcp reset",
}


def firewall(refusal: Refusal, *, allow: Iterable[int] = ()) -> str:
    """Return a ruleset that refuses what comes in from the network, for ``Machine(firewall=)``.

    ``"drop"`` is silent; ``"reject"`` answers "administratively prohibited" (ICMP), which
    ``connect()`` reports as EHOSTUNREACH for IPv4 and EACCES for IPv6; ``"reset"`` answers
    TCP as if nothing listened, and lets other protocols pass. Ports in *allow* are open, for
    TCP and UDP. The host's own traffic to itself, ICMP, and answers to what it asked pass.

    >>> print(firewall("drop", allow=[22]))
    table inet lab {
        chain input {
            type filter hook input priority filter; policy accept;
            iif lo accept
            ct state established,related accept
            meta l4proto { icmp, ipv6-icmp } accept
            meta l4proto { tcp, udp } th dport { 22 } accept
            drop
        }
    }
    """
    if refusal not in _REFUSALS:
        raise ValueError(f"{refusal!r} is no refusal: write one of {', '.join(_REFUSALS)}")
    ports = ", ".join(str(_open_port(port)) for port in allow)
    rules = [
        "type filter hook input priority filter; policy accept;",
        "iif lo accept",
        "ct state established,related accept",
        "meta l4proto { icmp, ipv6-icmp } accept",
        f"meta l4proto {{ tcp, udp }} th dport {{ {ports} }} accept" if ports else "",
        _REFUSALS[refusal],
    ]
    lines = [f"        {rule}" for rule in rules if rule]
    return "\n".join(["table inet lab {", "    chain input {", *lines, "    }", "}"])


def _open_port(value: object) -> int:
    port = parse_port(value)
    if port == 0:
        raise ValueError("port 0 is none that can be open: write one from 1 to 65535")
    return port
