"""The decision table: what each kind of binding lets in, row by row, on a machine on paper.

One line a row; its columns are origins. An entry is ``yes``, a reason for a certain no, or the
letters of the conditions: F firewall, L link isolation, R a route there, B a route back, N NAT,
g guest, t tailnet, W weak host, Z the peer's own zone, 6 dual-stack, G group membership, M
multicast routing, C broadcast, A reply from another address, ? location, o other link, s sent by
loopback.
"""

import pytest

from bindlab import (
    INTERNET,
    THIS_HOST,
    Answer,
    Binding,
    Condition,
    Endpoint,
    Host,
    Interface,
    Reason,
)
from bindlab.reach.reach import Reach
from bindlab.reach.verdict import Verdict

LETTERS = {
    Condition.FIREWALL: "F",
    Condition.LINK_ISOLATION: "L",
    Condition.TAILNET: "t",
    Condition.ROUTE_THERE: "R",
    Condition.ROUTE_BACK: "B",
    Condition.GUEST: "g",
    Condition.NAT: "N",
    Condition.WEAK_HOST: "W",
    Condition.PEER_ZONE: "Z",
    Condition.DUAL_STACK: "6",
    Condition.ROUTE_LOCALNET: "l",
    Condition.LOCAL_ROUTE: "r",
    Condition.GROUP_MEMBERSHIP: "G",
    Condition.MULTICAST_ROUTING: "M",
    Condition.BROADCAST: "C",
    Condition.REPLY_ADDRESS: "A",
    Condition.LOCATION: "?",
    Condition.OTHER_LINK: "o",
    Condition.SENT_BY_LOOPBACK: "s",
}

HOST = Host(
    [
        Interface("lo", 1, None, ["127.0.0.1/8", "::1/128", "10.99.0.1/32"], True, True, True),
        Interface("wifi", 2, None, ["192.168.0.102/24", "fe80::2/64", "fd00:1::2/64"], True, True),
        Interface("eth", 3, None, ["10.20.0.1/24", "fe80::3/64", "2a00:1::3/64"], True, True),
        Interface("down", 4, None, ["10.40.0.1/24", "fd00:4::1/64"], False, False),
        Interface("idle", 5, None, ["10.50.0.1/24"], True, False),
        Interface("docker0", 6, None, ["172.17.0.1/16"], True, True),
        Interface("tail", 7, None, ["100.64.0.5/10"], True, True, None, True),
        Interface("auto", 8, None, ["169.254.7.7/16"], True, True),
    ]
)


def said(verdict: Verdict) -> str:
    """Write a verdict as the entries of the table do."""
    if verdict.answer is Answer.NO:
        assert verdict.reason is not None
        assert verdict.endpoints == ()
        assert verdict.conditions == ()
        return next(code for code, reason in REASONS.items() if reason is verdict.reason)
    assert verdict.reason is None
    assert verdict.endpoints
    return "".join(LETTERS[c] for c in verdict.conditions) or "yes"


def binding(text: str) -> Binding:
    """Return the binding of a row, such as ``[::]:80 v6only device=eth``."""
    endpoint, *options = text.split()
    device = next((o.removeprefix("device=") for o in options if "device=" in o), None)
    joined = [o.removeprefix("joined=").split("@") for o in options if "joined=" in o]
    groups = [(group, interface) for group, interface in joined] or None
    peer = next((Endpoint.parse(o.removeprefix("peer=")) for o in options if "peer=" in o), None)
    v6only = True if "v6only" in options else False if "dual" in options else None
    return Binding(Endpoint.parse(endpoint), v6only, device, "silent" not in options, peer, groups)


V4, V6 = "192.168.0.50", "fd00:1::50"  # on the link of wifi
OTHER4, OTHER6 = "10.20.0.50", "2a00:1::50"  # on the link of eth
FAR4, FAR6 = "10.77.0.1", "fd00:77::1"  # private, behind some router
NET4, NET6 = "8.8.8.8", "2a00:9::9"  # on the internet

COLUMNS = (THIS_HOST, V4, V6, OTHER4, OTHER6, FAR4, FAR6, NET4, NET6)
REASONS = {
    "LOOP": Reason.LOOPBACK,
    "FAM": Reason.FAMILY,
    "ZONE": Reason.ZONE,
    "DEV": Reason.DEVICE,
    "GONE": Reason.ADDRESS_GONE,
    "GRP": Reason.GROUP,
    "MUTE": Reason.NOT_LISTENING,
    "PEER": Reason.OTHER_PEER,
    "HOST": Reason.STRONG_HOST,
}
TABLE = """
                                       | self  wifi4 wifi6 eth4  eth6  far4  far6  net4  net6
127.0.0.1:80                           | yes   LOOP  FAM   LOOP  FAM   LOOP  FAM   LOOP  FAM
127.0.0.2:80                           | yes   LOOP  FAM   LOOP  FAM   LOOP  FAM   LOOP  FAM
[::1]:80                               | yes   FAM   LOOP  FAM   LOOP  FAM   LOOP  FAM   LOOP
[::ffff:127.0.0.1]:80                  | yes   LOOP  FAM   LOOP  FAM   LOOP  FAM   LOOP  FAM
[::ffff:127.0.0.1]:80 v6only           | FAM   FAM   FAM   FAM   FAM   FAM   FAM   FAM   FAM
0.0.0.0:80                             | yes   FL    FAM   FL    FAM   FRB   FAM   FBN   FAM
[::]:80 dual                           | yes   FL    FL    FL    FL    FRB   FRB   FBN   FRB
[::]:80 v6only                         | yes   FAM   FL    FAM   FL    FAM   FRB   FAM   FRB
[::]:80                                | yes   FL6   FL    FL6   FL    FRB6  FRB   FBN6  FRB
[::ffff:0.0.0.0]:80                    | yes   FL    FAM   FL    FAM   FRB   FAM   FBN   FAM
192.168.0.102:80                       | yes   FL    FAM   FRW   FAM   FRB   FAM   FBN   FAM
[::ffff:192.168.0.102]:80              | yes   FL    FAM   FRW   FAM   FRB   FAM   FBN   FAM
[fd00:1::2]:80                         | yes   FAM   FL    FAM   FRW   FAM   FRB   FAM   FBN
[2a00:1::3]:80                         | yes   FAM   FRW   FAM   FL    FAM   FRB   FAM   FRB
10.40.0.1:80                           | yes   FRW   FAM   FRW   FAM   FRBW  FAM   FRBNW FAM
[fd00:4::1]:80                         | GONE  FAM   GONE  FAM   GONE  FAM   GONE  FAM   GONE
10.50.0.1:80                           | yes   FRW   FAM   FRW   FAM   FRBW  FAM   FRBNW FAM
10.99.0.1:80                           | yes   FRW   FAM   FRW   FAM   FRBW  FAM   FRBNW FAM
[fe80::2%wifi]:80                      | yes   FAM   FLZ   FAM   FLBZo FAM   FLBZo FAM   FLBZo
[fe80::2]:80                           | yes   FAM   FLZ   FAM   FLBZo FAM   FLBZo FAM   FLBZo
169.254.7.7:80                         | yes   FRW   FAM   FRW   FAM   FRB   FAM   FBN   FAM
100.64.0.5:80                          | yes   FRW   FAM   FRW   FAM   FRB   FAM   FBN   FAM
172.17.0.1:80                          | yes   FRW   FAM   FRW   FAM   FRB   FAM   FBN   FAM
0.0.0.0:80 device=eth                  | yes   FLRBo FAM   FL    FAM   FRB   FAM   FBN   FAM
[::]:80 dual device=eth                | yes   FLRBo FLRBo  FL    FL    FRB   FRB   FBN   FRB
0.0.0.0:80 device=lo                   | yes   DEV   FAM   DEV   FAM   DEV   FAM   DEV   FAM
127.0.0.1:80 device=eth                | DEV   LOOP  FAM   LOOP  FAM   LOOP  FAM   LOOP  FAM
192.168.0.102:80 device=eth            | DEV   FRBWo FAM   FRW   FAM   FRBW  FAM   FRBNW FAM
192.168.0.102:80 device=lo             | s     DEV   FAM   DEV   FAM   DEV   FAM   DEV   FAM
192.168.0.102:80/udp device=lo         | s     DEV   FAM   DEV   FAM   DEV   FAM   DEV   FAM
[fd00:1::2]:80 device=lo               | DEV   FAM   DEV   FAM   DEV   FAM   DEV   FAM   DEV
224.0.0.251:80                         | GRP   GRP   GRP   GRP   GRP   GRP   GRP   GRP   GRP
192.168.0.255:80                       | GRP   GRP   GRP   GRP   GRP   GRP   GRP   GRP   GRP
255.255.255.255:80                     | GRP   GRP   GRP   GRP   GRP   GRP   GRP   GRP   GRP
0.0.0.0:80 silent                      | MUTE  MUTE  MUTE  MUTE  MUTE  MUTE  MUTE  MUTE  MUTE
192.168.77.1:80                        | GONE  GONE  FAM   GONE  FAM   GONE  FAM   GONE  FAM
0.0.0.0:80/udp                         | yes   FL    FAM   FL    FAM   FRB   FAM   FBN   FAM
192.168.0.102:80/udp                   | yes   FL    FAM   FRW   FAM   FRB   FAM   FBN   FAM
239.1.1.1:80/udp                       | G     FLG   FAM   FLG   FAM   FBGM  FAM   FLBGo FAM
224.0.0.251:80/udp                     | G     FLG   FAM   FLG   FAM   FLBGo FAM   FLBGo FAM
239.1.1.1:80/udp joined=239.1.1.1@wifi | G     FLG   FAM   FLBGo FAM   FBGM  FAM   FLBGo FAM
[ff02::1%wifi]:80/udp                  | G     FAM   FLG   FAM   FLBGo FAM   FLBGo FAM   FLBGo
255.255.255.255:80/udp                 | C     FLC   FAM   FLC   FAM   FLBCo FAM   FLBCo FAM
0.0.0.0:80/udp peer=192.168.0.50:9/udp | PEER  FL    PEER  PEER  PEER  PEER  PEER  PEER  PEER
"""
ROWS = dict(line.split("|") for line in TABLE.strip().splitlines()[1:])


@pytest.mark.parametrize("row", ROWS, ids=str.strip)
def test_row(row: str) -> None:
    """Each binding lets in what its row of the table says, and names the same conditions."""
    reach = Reach([binding(row)], HOST)
    assert [said(reach.verdict(origin)) for origin in COLUMNS] == ROWS[row].split()


@pytest.mark.parametrize(
    ("bound", "system", "origin", "entry"),
    [
        pytest.param("10.20.0.1:80", "windows", V4, "FLRBo", id="windows-strong"),
        pytest.param("10.20.0.1:80", "openbsd", V4, "FLRBo", id="openbsd-strong"),
        pytest.param("10.20.0.1:80", "freebsd", V4, "FRW", id="freebsd-weak"),
        pytest.param("10.20.0.1:80", "macos", V4, "FRW", id="macos-weak"),
        pytest.param("10.40.0.1:80", "windows", THIS_HOST, "GONE", id="windows-down-v4"),
        pytest.param("127.0.0.2:80", "macos", THIS_HOST, "GONE", id="macos-loopback-alias"),
        pytest.param("127.0.0.2:80", "windows", THIS_HOST, "yes", id="windows-loopback-network"),
        pytest.param("[fd00:4::1]:80", "macos", THIS_HOST, "yes", id="macos-down-v6-unknown"),
        pytest.param("10.99.0.1:80", "windows", V4, "HOST", id="windows-lo-address"),
    ],
)
def test_other_systems(bound: str, system: str, origin: object, entry: str) -> None:
    """What other systems' documentation says, on a made-up host of each."""
    reach = Reach([binding(bound)], HOST.replace(system=system))
    assert said(reach.verdict(origin)) == entry  # type: ignore[arg-type]


def test_wildcard_needs_an_interface_for_peers() -> None:
    """A host with loopback only is reached by nobody else, whatever it binds."""
    alone = Host.of(lo=["127.0.0.1/8", "::1/128"])
    for bound in ("0.0.0.0:80", "[::]:80 dual"):
        reach = Reach([binding(bound)], alone)
        assert reach.verdict(THIS_HOST).answer is Answer.YES
        for origin in (V4, NET4, INTERNET, "fe80::5"):
            assert origin not in reach
