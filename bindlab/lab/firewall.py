"""The usual firewalls of a host, as rulesets for nft(8), and how one is loaded."""

import os
from collections.abc import Iterable
from typing import Literal, TypeAlias

from bindlab.endpoint import parse_port
from bindlab.lab.errors import LabError

FirewallAnswer: TypeAlias = Literal["drop", "reject", "reset"]

_ANSWERS: dict[FirewallAnswer, str] = {
    "drop": "drop",
    "reject": "reject with icmpx admin-prohibited",
    "reset": "meta l4proto tcp reject with tcp reset",
}


def firewall(answer: FirewallAnswer, *, allow: Iterable[int] = ()) -> str:
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
    if answer not in _ANSWERS:
        known = ", ".join(_ANSWERS)
        raise ValueError(f"{answer!r} is no answer of a firewall: write one of {known}")
    ports = ", ".join(str(_open_port(port)) for port in allow)
    rules = [
        "type filter hook input priority filter; policy accept;",
        "iif lo accept",
        "ct state established,related accept",
        "meta l4proto { icmp, ipv6-icmp } accept",
        f"meta l4proto {{ tcp, udp }} th dport {{ {ports} }} accept" if ports else "",
        _ANSWERS[answer],
    ]
    lines = [f"        {rule}" for rule in rules if rule]
    return "\n".join(["table inet lab {", "    chain input {", *lines, "    }", "}"])


def _open_port(value: object) -> int:
    port = parse_port(value)
    if port == 0:
        raise ValueError("port 0 cannot be open: write one from 1 to 65535")
    return port


def load(ruleset: str) -> None:
    """Give the calling process's network namespace these rules."""
    import subprocess

    try:
        done = subprocess.run(
            [_nft(), "-f", "-"], input=ruleset, text=True, capture_output=True, check=False
        )
    except FileNotFoundError as error:
        text = "a firewall takes the nft program: install nftables (apt install nftables)"
        raise LabError(error.errno, text) from error
    if done.returncode:
        raise LabError(None, f"nft refuses the firewall: {done.stderr.strip()}")


def _nft() -> str:
    """Return the program; Debian installs it where an ordinary user's PATH does not lead."""
    import shutil

    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    return shutil.which("nft", path=path) or "nft"
