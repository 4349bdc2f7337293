"""What a person is told of a server that somebody cannot reach, and that it is so."""

import shutil
from collections.abc import Mapping
from typing import NamedTuple

import pytest

from bindlab import (
    Answer,
    Explanation,
    Outcome,
    Reason,
    explain,
    lab,
)
from bindlab.lab import Machine, Network, Nic

AVAILABLE = lab.available()
needs_lab = pytest.mark.skipif(not AVAILABLE, reason=AVAILABLE.reason)

WIFI, PHONE = "192.168.0.102", "192.168.0.50"


def firewall(rule: str) -> str:
    return f"table inet f {{\nchain c {{\ntype filter hook input priority 0\n{rule}\n}}\n}}"


DROP = firewall('iifname "wifi" tcp dport 3000 drop')
REJECT = firewall('iifname "wifi" tcp dport 3000 reject')
RESET = firewall('iifname "wifi" tcp dport 3000 reject with tcp reset')
LAPTOP = Machine({"wifi": f"{WIFI}/24", "ethernet": "10.0.0.12/24"})
HANDSET = Machine({"wifi": f"{PHONE}/24"})


class Case(NamedTuple):
    """A server on the laptop, and what the phone meets; after the advice too, if there is any."""

    bound: Mapping[str, object]
    answer: Answer
    reason: Reason | None
    meets: Outcome
    then: Outcome | None = None
    laptop: Machine = LAPTOP
    phone: Machine | None = HANDSET
    origin: str = PHONE
    dials: str = WIFI
    says: str = ""


LOOPBACK, WILDCARD = {"address": "127.0.0.1"}, {"address": "0.0.0.0"}
NO, MAYBE = Answer.NO, Answer.CONDITIONAL
ACCEPTED, REFUSED, SILENCE = Outcome.ACCEPTED, Outcome.REFUSED, Outcome.NO_ANSWER
UNREACHABLE = Outcome.UNREACHABLE

CASES = {
    "loopback": Case(LOOPBACK, NO, Reason.LOOPBACK, REFUSED, then=ACCEPTED),
    "wildcard": Case(WILDCARD, MAYBE, None, ACCEPTED, says="the firewall of this machine"),
    "its address": Case({"address": WIFI}, MAYBE, None, ACCEPTED),
    "another network's address": Case(
        {"address": "10.0.0.12"}, MAYBE, None, REFUSED, then=ACCEPTED, says="a route to 10.0.0.12"
    ),
    "a firewall drops": Case(
        WILDCARD,
        MAYBE,
        None,
        SILENCE,
        laptop=Machine(LAPTOP.nics, firewall=DROP),
        says="the firewall of this machine: does it let TCP port 3000 in?",
    ),
    "a firewall rejects": Case(
        WILDCARD,
        MAYBE,
        None,
        REFUSED,
        laptop=Machine(LAPTOP.nics, firewall=REJECT),
        says="the firewall of this machine: does it let TCP port 3000 in?",
    ),
    "a firewall resets": Case(
        WILDCARD,
        MAYBE,
        None,
        REFUSED,
        laptop=Machine(LAPTOP.nics, firewall=RESET),
        says="the firewall of this machine: does it let TCP port 3000 in?",
    ),
    "behind a firewall, on loopback": Case(
        LOOPBACK,
        NO,
        Reason.LOOPBACK,
        SILENCE,
        then=SILENCE,
        laptop=Machine(LAPTOP.nics, firewall=DROP),
        says="the firewall of this machine: does it let TCP port 3000 in?",
    ),
    "IPv6 only": Case({"address": "::"}, NO, Reason.FAMILY, REFUSED, then=ACCEPTED),
    "asleep": Case(
        WILDCARD,
        MAYBE,
        None,
        ACCEPTED,
        origin="192.168.0.77",
        says="is 192.168.0.77 on the network",
    ),
    "interface down": Case(
        WILDCARD,
        NO,
        Reason.LINK_DOWN,
        UNREACHABLE,
        laptop=Machine({"wifi": Nic(f"{WIFI}/24", up=False), "ethernet": "10.0.0.12/24"}),
        says="bring wifi up",
    ),
    "no carrier": Case(
        WILDCARD,
        NO,
        Reason.LINK_DOWN,
        UNREACHABLE,
        laptop=Machine({"wifi": Nic(f"{WIFI}/24", carrier=False), "ethernet": "10.0.0.12/24"}),
        says="bring wifi up",
    ),
}


def told(net: Network, case: Case) -> Explanation:
    return net.laptop.call(explain, 3000, case.origin)


@needs_lab
@pytest.mark.parametrize("name", CASES)
def test_it_agrees_with_what_the_phone_meets(name: str) -> None:
    """A NO is what the phone meets; after the change that is named, it gets in as is said."""
    case = CASES[name]
    if case.laptop.firewall and shutil.which("nft") is None:
        pytest.skip("needs nft to make a firewall")
    with lab.network(
        laptop=case.laptop, phone=case.phone, desk={"ethernet": "10.0.0.20/24"}
    ) as net:
        with net.laptop.listen(3000, **case.bound):
            found = told(net, case)
            met = net.phone.probe(
                f"{case.dials}:3000", timeout=4.0 if case.meets is UNREACHABLE else 0.4
            )
        assert found.verdict is not None
        assert (found.verdict.answer, found.verdict.reason) == (case.answer, case.reason), found
        assert met.outcome is case.meets or (case.meets is REFUSED and met.icmp), met
        assert case.says in str(found).replace("\n", " ").replace("  ", " ")
        if found.verdict.answer is NO:
            assert not met.accepted
        assert bool(found.changes) is (case.then is not None)
        for change in found.changes:
            with net.laptop.listen(3000, change.bind.ip, dual_stack=False):
                met = net.phone.probe(change.dial.endpoint, timeout=0.4)
                assert met.outcome is case.then, change
