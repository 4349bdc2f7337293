"""The firewall of this machine, as evidence: rulesets that nft(8) loads, and what is read."""

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from namespace import Namespace, become_nobody, in_thread, needs_namespaces, ns

from bindlab.firewall import Firewall, FirewallChain, Redirection
from bindlab.linux import nftables, read_firewall

__all__ = ["ns"]


def _takes_rules() -> bool:
    """Return whether nft is installed, and this kernel has what it asks for."""
    if shutil.which("nft") is None or shutil.which("unshare") is None:
        return False
    rules = "add table inet t; add chain inet t c { type filter hook input priority 0; }"
    return subprocess.run(["unshare", "-n", "nft", rules], capture_output=True).returncode == 0


NFT = pytest.mark.skipif(not _takes_rules(), reason="no nft, or a kernel without its tables")
pytestmark = [needs_namespaces, NFT]

# By name: lines for nft, {} for nothing, and the sentences that are said.
RULESETS: dict[str, tuple[str, list[str]]] = {
    "nothing": ("", ["it has no rule that drops or rejects (nft list ruleset)"]),
    "a policy that drops": (
        """table inet filter {
        chain input {
        type filter hook input priority 0; policy drop;
        iif lo accept
        tcp dport 22 accept
        }
        }""",
        [
            (
                "its input chain input drops by default, after 2 rules "
                "(nft list chain inet filter input)"
            )
        ],
    ),
    "a last rule that rejects": (
        """table inet firewalld {
        chain zones {
        tcp dport 22 accept
        }
        chain filter_INPUT {
        type filter hook input priority 10; policy accept;
        jump zones
        counter reject with icmpx type admin-prohibited
        }
        }""",
        [
            (
                "its input chain filter_INPUT rejects by default, after 1 rule "
                "(nft list chain inet firewalld filter_INPUT)"
            )
        ],
    ),
    "a rule elsewhere that drops": (
        """table ip filter {
        chain more {
        tcp dport 3000 drop
        }
        chain ufw {
        jump more
        }
        chain INPUT {
        type filter hook input priority 0; policy accept;
        jump ufw
        }
        chain FORWARD {
        type filter hook forward priority 0; policy drop;
        }
        chain unused {
        drop
        }
        }""",
        [
            (
                "its input chain INPUT accepts by default, after 1 rule (some drop or reject) "
                "(nft list chain ip filter INPUT)"
            )
        ],
    ),
    "a map of verdicts": (
        """table inet f {
        chain input {
        type filter hook input priority 0;
        tcp dport vmap { 22 : accept, 23 : drop }
        }
        }""",
        [
            (
                "its input chain input accepts by default, after 1 rule (some drop or reject) "
                "(nft list chain inet f input)"
            )
        ],
    ),
    "rules that only accept": (
        """table inet f {
        chain input {
        type filter hook input priority 0; policy drop;
        tcp dport { 22, 80 } counter accept
        counter accept
        drop
        }
        }""",
        ["it has no rule that drops or rejects (nft list ruleset)"],
    ),
    "ingress and answers": (
        """table netdev x {
        chain i {
        type filter hook ingress device lo priority 0; policy drop;
        }
        }
        table inet y {
        chain o {
        type filter hook output priority 0; policy drop;
        }
        }""",
        [
            "its ingress chain i drops by default, after 0 rules (nft list chain netdev x i)",
            "its output chain o drops by default, after 0 rules (nft list chain inet y o)",
        ],
    ),
    "ports that are sent elsewhere": (
        """table ip nat {
        chain DOCKER {
        iifname != "docker0" tcp dport 8080 dnat to 172.17.0.2:80
        udp dport 5000-5010 dnat to 172.17.0.3
        tcp dport 81 redirect to :3000
        tcp dport { 90, 91 } dnat to 172.17.0.4
        }
        chain PREROUTING {
        type nat hook prerouting priority -100;
        jump DOCKER
        }
        chain POSTROUTING {
        type nat hook postrouting priority 100;
        masquerade
        }
        }
        table ip6 nat {
        chain PREROUTING {
        type nat hook prerouting priority -100;
        tcp dport 8080 dnat to [fd00::2]:80
        }
        }""",
        [
            "it has no rule that drops or rejects (nft list ruleset)",
            "a rule sends TCP port 8080 to 172.17.0.2:80 (nft list chain ip nat DOCKER)",
            "a rule sends UDP ports 5000 to 5010 to 172.17.0.3 (nft list chain ip nat DOCKER)",
            "a rule sends TCP port 81 to port 3000 (nft list chain ip nat DOCKER)",
            "a rule sends TCP some ports to 172.17.0.4 (nft list chain ip nat DOCKER)",
            "a rule sends TCP port 8080 to [fd00::2]:80 (nft list chain ip6 nat PREROUTING)",
        ],
    ),
}


@pytest.mark.parametrize("name", RULESETS)
def test_a_ruleset_is_read(ns: Namespace, name: str) -> None:
    """Which chains stop what comes in, how many rules stand before that, and what DNAT takes."""
    ruleset, sentences = RULESETS[name]
    ns.output(["nft", "-f", "-"], given=f"{ruleset}\n")
    found = ns.run(read_firewall)
    assert list(found.sentences) == sentences
    assert found.is_whole
    assert found.accepts_all is (sentences[0] == RULESETS["nothing"][1][0])


def test_a_port_that_dnat_takes_is_found(ns: Namespace) -> None:
    """A redirection knows which ports it takes, of which transport."""
    ns.output(["nft", "-f", "-"], given=RULESETS["ports that are sent elsewhere"][0] + "\n")
    found = ns.run(read_firewall).redirections
    assert [each.to for each in found if each.takes(8080)] == ["172.17.0.2:80", "[fd00::2]:80"]
    assert [each.to for each in found if each.takes(5003, "udp")] == ["172.17.0.3"]
    assert not any(each.takes(5003) or each.takes(3000) or each.takes(90) for each in found)


def test_nobody_but_root_is_told_the_rules(ns: Namespace) -> None:
    """Without the privilege nothing is claimed, and all the less that nothing filters."""

    def as_nobody() -> Firewall:
        become_nobody()
        return read_firewall()

    found = ns.run(lambda: in_thread(as_nobody))
    assert found == Firewall()
    assert not found.accepts_all
    assert str(found) == "nothing could be read of it"


def test_too_many_rules_are_not_waited_for(ns: Namespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """After half a second the chains are told without their rules, and nothing is claimed."""
    ns.output(["nft", "-f", "-"], given=RULESETS["rules that only accept"][0] + "\n")
    monkeypatch.setattr(nftables, "_SECONDS", -1.0)
    found = ns.run(read_firewall)
    assert not found.is_whole
    assert "after rules that were not read" in str(found)


def test_what_manages_a_firewall_is_said(tmp_path: Path) -> None:
    """ufw and firewalld leave traces that anybody may read; the old iptables is not whole."""
    for name, text in {
        "etc/ufw/ufw.conf": "# on\nENABLED=yes\n",
        "run/firewalld.pid": "7",
        "proc/thread-self/net/ip_tables_names": "nat\nfilter\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = read_firewall(root=str(tmp_path))
    assert found.programs == (
        "ufw is on, as /etc/ufw/ufw.conf says (ufw status)",
        "firewalld runs (firewall-cmd --list-all)",
        "iptables has tables of its old kind, nat, filter (iptables-legacy-save)",
    )
    assert not found.is_whole
    (tmp_path / "etc/ufw/ufw.conf").write_text("ENABLED=no\n")
    assert len(read_firewall(root=str(tmp_path)).programs) == 2


def test_rules_of_iptables_are_understood() -> None:
    """iptables-nft keeps its own structures: <linux/netfilter/xt_tcpudp.h>, and names of targets.

    The bytes are made by hand from the header files, because iptables does not run here.
    """
    ports = struct.pack("=HHHHBBBB", 0, 0xFFFF, 8080, 8081, 0, 0, 0, 0)
    docker = [
        ("match", {1: b"tcp\0", 3: ports}),
        ("counter", {}),
        ("target", {1: b"DNAT\0", 3: bytes(48)}),
    ]
    rule = nftables._Rule(2, "nat", "DOCKER")
    found = nftables._with_expressions(rule, docker)
    assert not found.may_refuse
    assert str(found.redirection) == (
        "a rule sends TCP ports 8080 to 8081 elsewhere (nft list chain ip nat DOCKER)"
    )
    reject: list[tuple[str, dict[int, bytes]]] = [("counter", {}), ("target", {1: b"REJECT\0"})]
    assert nftables._with_expressions(rule, reject).fate == "reject"
    some = nftables._with_expressions(rule, [("match", {1: b"udp\0", 3: ports}), *reject])
    assert (some.fate, some.may_refuse) == (None, True)
    assert nftables._with_expressions(rule, [("target", {1: b"NEW\0"})]).may_refuse


def test_names_of_tables_are_printed_safely() -> None:
    """A name that somebody chose cannot act on a terminal."""
    chain = FirewallChain("inet \x1b[2J", "in\nput", "input", "drop", 3)
    rule = Redirection("ip \x1b[2J", "x\n", "tcp", 80, 80, "10.0.0.1")
    assert Firewall((chain,), (rule,)).sentences == (str(chain), str(rule))
    assert str(chain).isprintable()
    assert str(rule).isprintable()
