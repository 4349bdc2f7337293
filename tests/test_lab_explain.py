"""What is said of a server that somebody cannot reach is what that machine meets."""

import shutil
from collections.abc import Mapping
from typing import NamedTuple

import lab_home
import pytest
from lab_home import needs_lab

from bindlab import Answer, Outcome, Reason, Route, explain, lab
from bindlab.lab import Machine, Nic
from bindlab.linux.neighbours import (
    NUD_DELAY,
    NUD_FAILED,
    NUD_INCOMPLETE,
    NUD_PROBE,
    NUD_REACHABLE,
    NUD_STALE,
    is_there,
)

pytestmark = needs_lab

WIFI, PHONE = "192.168.0.102", "192.168.0.50"


def firewall(rule: str) -> str:
    return f"table inet f {{\nchain c {{\ntype filter hook input priority 0\n{rule}\n}}\n}}"


DROP = firewall('iifname "wifi" tcp dport 3000 drop')
REJECT = firewall('iifname "wifi" tcp dport 3000 reject')
RESET = firewall('iifname "wifi" tcp dport 3000 reject with tcp reset')
DESK = Machine({"ethernet": "10.0.0.20/24"})
LAPTOP = Machine({"wifi": f"{WIFI}/24", "ethernet": "10.0.0.12/24"})
# It asks its neighbours three times before it says that there is no host: here every 0.1 s.
HANDSET = Machine({"wifi": f"{PHONE}/24"}, sysctl={"net.ipv4.neigh.wifi.retrans_time_ms": 100})


def flat(text: str) -> str:
    """Return *text* in one line, as no line break falls where a reader would see one."""
    return " ".join(text.split())


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
    "wrong subnet": Case(
        WILDCARD,
        NO,
        Reason.NO_WAY_BACK,
        UNREACHABLE,
        phone=Machine({"wifi": "192.168.1.50/24"}),
        origin="192.168.1.50",
        says="give this machine a route to 192.168.1.50 by wifi, or put both in one network",
    ),
    "no way back": Case(
        WILDCARD,
        NO,
        Reason.NO_WAY_BACK,
        SILENCE,
        phone=Machine(
            {"wifi": "192.168.1.50/24"}, routes=[Route("192.168.0.0/24", interface="wifi")]
        ),
        origin="192.168.1.50",
        says="give this machine a route to 192.168.1.50 by wifi, or put both in one network",
    ),
    "a way back": Case(
        WILDCARD,
        MAYBE,
        None,
        ACCEPTED,
        laptop=Machine(LAPTOP.nics, routes=[Route("192.168.1.0/24", interface="wifi")]),
        phone=Machine(
            {"wifi": "192.168.1.50/24"}, routes=[Route("192.168.0.0/24", interface="wifi")]
        ),
        origin="192.168.1.50",
    ),
    "interface down": Case(
        WILDCARD,
        NO,
        Reason.NO_WAY_BACK,
        UNREACHABLE,
        laptop=Machine({"wifi": Nic(f"{WIFI}/24", up=False), "ethernet": "10.0.0.12/24"}),
        says="connect wifi",
    ),
    "no other interface": Case(
        WILDCARD,
        NO,
        Reason.LINK_DOWN,
        UNREACHABLE,
        laptop=Machine({"wifi": Nic(f"{WIFI}/24", up=False)}),
        says="connect wifi",
    ),
    "no carrier": Case(
        WILDCARD,
        MAYBE,
        None,
        UNREACHABLE,
        laptop=Machine({"wifi": Nic(f"{WIFI}/24", carrier=False), "ethernet": "10.0.0.12/24"}),
        says="connect wifi",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_agrees_with_what_the_phone_meets(name: str) -> None:
    """A NO is what the phone meets; after the change that is named, it gets in as is said."""
    case = CASES[name]
    if case.laptop.firewall and shutil.which("nft") is None:
        pytest.skip("needs nft to make a firewall")
    with lab.network(laptop=case.laptop, phone=case.phone, desk=DESK) as net:
        with net.laptop.listen(3000, **case.bound):
            found = net.laptop.call(explain, 3000, case.origin)
            met = net.phone.probe(f"{case.dials}:3000", timeout=_patience(case.meets))
        assert found.verdict is not None
        assert (found.verdict.answer, found.verdict.reason) == (case.answer, case.reason), found
        assert met.outcome is case.meets, met
        assert case.says in flat(str(found))
        assert bool(found) is (case.answer is not NO)
        rebound = [(one.bind, one.dial) for one in found.remedies if one.bind is not None]
        assert bool(rebound) is (case.then is not None)
        for bind, dial in rebound:
            with net.laptop.listen(3000, bind.ip):
                met = net.phone.probe(dial.endpoint, timeout=_patience(case.then))
                assert met.outcome is case.then, bind


def _patience(expected: Outcome | None) -> float:
    return lab_home.SILENCE if expected is SILENCE else lab_home.PATIENCE


def test_the_system_is_asked_where_its_table_is_no_full_truth() -> None:
    """With routing rules of its own a machine is asked for the way to that one origin."""
    with (
        lab.network(laptop=LAPTOP, phone=HANDSET, desk=DESK) as net,
        net.laptop.listen(3000, "0.0.0.0"),
    ):
        with net.laptop.run(["ip", "rule", "add", "to", PHONE, "prohibit"]) as rule:
            assert rule.wait() == 0
        assert net.laptop.host().routes is None
        found = net.laptop.call(explain, 3000, PHONE)
        assert net.phone.probe(f"{WIFI}:3000", timeout=0.3).outcome is SILENCE
    assert found.verdict is not None
    assert found.verdict.reason is Reason.NO_WAY_BACK


APART = {
    "protocols": "ipproto udp",
    "ports": "dport 9",
    "marks": "fwmark 0/1",
    "users": "uidrange 0-0",
}


@pytest.mark.parametrize("told_by", APART.values(), ids=APART)
def test_what_rules_tell_this_process_is_no_proof(told_by: str) -> None:
    """Where rules tell programs apart, the way of another server may be open: that is no NO."""
    with (
        lab.network(laptop=LAPTOP, phone=HANDSET, desk=DESK) as net,
        net.laptop.listen(3000, "0.0.0.0"),
    ):
        with net.laptop.run(["ip", "rule", "add", *told_by.split(), "prohibit"]) as rule:
            assert rule.wait() == 0, rule.output
        found = net.laptop.call(explain, 3000, PHONE)
        if told_by in ("ipproto udp", "dport 9"):
            assert net.phone.probe(f"{WIFI}:3000").accepted
    assert found.verdict is not None
    assert found.verdict.answer is MAYBE


def test_whether_somebody_is_there() -> None:
    """Where this machine has asked the link for the origin, it is said what came of that."""
    with (
        lab.network(laptop=LAPTOP, phone=HANDSET, desk=DESK) as net,
        net.laptop.listen(3000, "0.0.0.0"),
    ):
        assert "is there" not in flat(str(net.laptop.call(explain, 3000, PHONE)))
        assert net.phone.probe(f"{WIFI}:3000").accepted
        found = net.laptop.call(explain, 3000, PHONE)
        assert f"{PHONE} is there: it was heard on wifi in the last two minutes" in found.certain
        asleep = "192.168.0.77"
        assert net.laptop.probe(f"{asleep}:3000", timeout=0.2).outcome is SILENCE
        found = net.laptop.call(explain, 3000, asleep)
        assert str(found.checks[0]).startswith(f"whether {asleep} is on and awake")


# An entry's state, the seconds since it was confirmed and since it changed, and what it tells.
HEARD = {
    "it just answered": (NUD_REACHABLE, 1, 1, True),
    "it answered, and nobody has asked since": (NUD_STALE, 70, 30, True),
    "it asked us": (NUD_STALE, 60, 0, True),
    "it asked us, and is being asked": (NUD_DELAY, 62, 2, True),
    "yesterday": (NUD_STALE, 86_400, 86_360, None),
    "yesterday, and being asked now": (NUD_PROBE, 86_400, 1, None),
    "nobody answers": (NUD_FAILED, 86_400, 5, False),
    "asked just now": (NUD_INCOMPLETE, 60, 1, False),
    "nobody answered, an hour ago": (NUD_FAILED, 86_400, 3_600, None),
    "an administrator says so": (0x80, 0, 0, None),
}


@pytest.mark.parametrize(("state", "confirmed", "updated", "told"), HEARD.values(), ids=HEARD)
def test_what_an_old_entry_tells(
    state: int, confirmed: float, updated: float, told: bool | None
) -> None:
    """Linux keeps entries of who went home long ago: only recent ones are knowledge."""
    assert is_there(state, confirmed, updated) is told


def test_an_entry_made_by_hand_is_no_answer() -> None:
    """What an administrator wrote into the table says nothing of who is there."""
    by_hand = "ip neigh replace 192.168.0.50 lladdr 02:00:00:00:00:01 dev wifi nud permanent"
    with lab.network(laptop=LAPTOP, desk=DESK) as net, net.laptop.listen(3000, "0.0.0.0"):
        with net.laptop.run(by_hand.split()) as done:
            assert done.wait() == 0
        found = net.laptop.call(explain, 3000, PHONE)
    assert "is there" not in str(found)
