"""What a person is told of a server that somebody cannot reach, and that it is so."""

import os
import pickle
import sys

import pytest
from attempts import EMPTY, LISTED

from bindlab import (
    BEYOND,
    INTERNET,
    THIS_HOST,
    Answer,
    Binding,
    Condition,
    Endpoint,
    Explanation,
    Host,
    Reason,
    Verdict,
    bind,
    explain,
    listen,
)
from bindlab.explaining.checks import FIREWALLS, ROUTES, checks_of
from bindlab.explaining.clients import Case
from bindlab.host import SYSTEMS
from bindlab.scanning import observing

PHONE = "192.168.0.50"


def flat(found: Explanation) -> str:
    """Return the text in one line, as no line break falls where a reader would see one."""
    return " ".join(str(found).split())


def test_a_dev_server_and_a_phone(laptop: Host) -> None:
    """It says why not, what to bind, what to open, who else gets in, and what to check."""
    found = explain("127.0.0.1:3000", PHONE, host=laptop)
    assert not found
    assert flat(found).startswith(
        "No: 192.168.0.50 cannot reach it. To let it in, bind 192.168.0.102 or 0.0.0.0. "
        "It is bound to 127.0.0.1, which is this machine only. "
        "Do this: bind 192.168.0.102; then open http://192.168.0.102:3000. "
        "That lets in everyone on 192.168.0.0/24 (wifi) and everyone who has a route to it. "
        "Or: bind 0.0.0.0; then open http://192.168.0.102:3000. "
        "That lets in every IPv4 network. "
        "Then check, the likeliest first: "
        "1. the firewall of this machine: does it let TCP port 3000 in?"
    )
    assert [str(remedy.bind) for remedy in found.remedies] == ["192.168.0.102:3000", "0.0.0.0:3000"]
    assert all(str(remedy.dial) == "192.168.0.102:3000" for remedy in found.remedies)
    assert [check.condition for check in found.checks if not check.source] == [
        Condition.FIREWALL,
        None,
        Condition.LINK_ISOLATION,
        None,
        None,
    ]


def test_who_is_let_in_needs_no_change(laptop: Host) -> None:
    """Where nothing here shuts the origin out there is nothing to change, only to check."""
    found = explain("0.0.0.0:3000", PHONE, host=laptop)
    assert found
    assert found.remedies == ()
    assert str(found.dial[0]) == "192.168.0.102:3000"
    assert flat(found).startswith(
        "Maybe: 192.168.0.50 opens http://192.168.0.102:3000, if no firewall stops it. "
    )
    inside = explain("0.0.0.0:3000", THIS_HOST, host=laptop)
    assert inside.remedies == ()
    assert all(check.source for check in inside.checks[1:])
    assert flat(inside).startswith("Yes: this machine opens http://127.0.0.1:3000 ")
    assert "Only a firewall on this machine could stop it." in flat(inside)


def test_nobody_was_named(laptop: Host) -> None:
    """Without an origin the table says who gets in, and the rest is for the neighbours."""
    found = explain("127.0.0.1:3000", host=laptop)
    assert (found.origin, found.verdict) == (None, None)
    assert str(found).startswith(found.reach.answer)
    assert found.reach.table() in str(found)
    assert "To let others in" in str(found)
    assert [str(remedy.bind) for remedy in found.remedies] == ["192.168.0.102:3000", "0.0.0.0:3000"]
    assert explain("0.0.0.0:3000", host=laptop).remedies == ()


def test_the_other_family_of_the_same_machine() -> None:
    """Who is shut out by its family may get in by the other one, without any change."""
    both = Host.of(lo="127.0.0.1/8", wifi=["192.168.0.102/24", "2001:db8::2/64"])
    found = explain(Binding(Endpoint("::", 3000), v6only=True, listening=True), PHONE, host=both)
    assert found.verdict is not None
    assert found.verdict.reason is Reason.FAMILY
    assert str(found.checks[0]) == (
        "whether its machine has IPv6 too: then it opens http://[2001:db8::2]:3000 as it is"
    )


def test_the_internet_behind_nat(laptop: Host) -> None:
    """No address to bind makes a private machine public: the router has to forward a port."""
    found = explain("127.0.0.1:3000", INTERNET, host=laptop)
    assert "have the router forward a port to 192.168.0.102:3000" in str(found.remedies[0])
    assert Condition.NAT in [check.condition for check in found.checks]
    assert "http://192.168.0.102" not in str(found)


def test_a_public_address_beats_nat(laptop: Host) -> None:
    """What the internet can open as it is comes before what a router would have to forward."""
    wifi = laptop.interface("wifi")
    public = wifi.replace(addresses=(*wifi.addresses, "2001:db8::2/64"))
    host = laptop.replace(interfaces=[public if one is wifi else one for one in laptop.interfaces])
    found = explain("127.0.0.1:3000", INTERNET, host=host)
    assert [str(remedy.bind) for remedy in found.remedies] == ["[2001:db8::2]:3000", "[::]:3000"]
    assert Condition.NAT not in found.remedies[0].verdict.conditions


def test_a_dual_stack_wildcard_lets_ipv4_in_too(laptop: Host) -> None:
    """Who binds ``::`` as servers do lets in what IPV6_V6ONLY of this system lets in."""
    on_wifi = ["192.168.0.102/24", "2001:db8::2/64"]
    host = Host.of(lo=["127.0.0.1/8", "::1/128"], wifi=on_wifi)
    everywhere = explain("[::1]:3000", "2001:db8::5", host=host).remedies[-1]
    assert str(everywhere.bind) == "[::]:3000"
    who = [row.who for row in explain("[::1]:3000", "2001:db8::5", host=host).lets_in(everywhere)]
    assert "192.168.0.0/24 (wifi)" in who
    strict = explain("[::1]:3000", "2001:db8::5", host=host.replace(bindv6only=True)).remedies[-1]
    assert "192.168.0.0/24 (wifi)" not in str(strict)


def test_a_dead_link_beside_a_live_one() -> None:
    """An interface that is down is none of the matter where another has the same network."""
    docked = Host.of(lo="127.0.0.1/8", wifi="192.168.0.102/24", dock="192.168.0.103/24")
    down = [one.replace(is_up=False if one.name == "wifi" else None) for one in docked.interfaces]
    found = explain("0.0.0.0:3000", PHONE, host=docked.replace(interfaces=down))
    assert str(found.dial[0]) == "192.168.0.103:3000"
    assert (found.remedies, "is down" in str(found)) == ((), False)


def test_one_network_on_two_links() -> None:
    """Where two interfaces have the origin's network it is said which, and that one is too many."""
    twice = Host.of(lo="127.0.0.1/8", wifi="192.168.0.102/24", dock="192.168.0.103/24")
    said = explain("0.0.0.0:3000", PHONE, host=twice).checks
    place = next(check for check in said if check.condition is Condition.LOCATION)
    assert str(place).startswith(f"the place: {PHONE} fits wifi and dock, and answers go one way")
    back = next(check for check in said if check.condition is Condition.ROUTE_BACK)
    assert str(back).endswith(f"(ip route get {PHONE})")


def test_a_device_is_to_be_left_out(laptop: Host) -> None:
    """Where a device shuts somebody out, it is to be left out; the address may stay."""
    pinned = Binding(Endpoint("0.0.0.0", 3000), device="ethernet", listening=True)
    found = explain(pinned, PHONE, host=laptop)
    (remedy,) = found.remedies
    assert str(remedy).startswith("bind no device (SO_BINDTODEVICE); then open http://192.168.0.")


def test_without_the_systems_list_nothing_is_certain(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was only deduced is said to be, and a silent address to be no proof of absence."""
    monkeypatch.setattr(observing, "sockets_on", lambda *_: None)
    with listen() as server:
        port = server.getsockname()[1]
        found = explain(port)
    seen = f"something answers like a server that listens on 127.0.0.1:{port}"
    assert found.certain[0] == seen
    assert explain(port).certain == (f"no address of this machine answers on port {port}",)


def test_without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where processes are out of sight altogether, the rest is explained all the same."""

    def hidden(path: str) -> list[str]:
        raise PermissionError(13, "Permission denied", path)

    with listen() as server:
        monkeypatch.setattr(os, "listdir", hidden)
        assert "listens on 127.0.0.1" in explain(server.getsockname()[1], PHONE).certain[0]


def test_a_link_local_address_to_dial(laptop: Host) -> None:
    """A zone is the dialling machine's own, so ours is not what it should write."""
    found = explain("[::1]:3000", "fe80::5%wifi", host=laptop)
    assert "[fe80::2%ITS-ZONE]:3000" in str(found)
    assert Condition.PEER_ZONE in [check.condition for check in found.checks]


REFUSING = {
    "not listening": (Binding(Endpoint("0.0.0.0", 3000), listening=False), PHONE, "call listen()"),
    "connected": (
        Binding(Endpoint("0.0.0.0", 53, "udp"), peer=Endpoint("192.168.0.9", 53, "udp")),
        PHONE,
        "use a socket that is not connected; then send to 192.168.0.102:53/udp",
    ),
    "no such address": (
        "[::1]:3000",
        "2001:db8::5",
        "give wifi an address of IPv6, in 2001:db8::/64 or with a router to it; bind ::",
    ),
}


@pytest.mark.parametrize(("target", "origin", "said"), REFUSING.values(), ids=REFUSING)
def test_another_remedy(target: Binding | str, origin: str, said: str) -> None:
    """Where another address to bind would change nothing, something else is named."""
    laptop = Host.of(lo="127.0.0.1/8", wifi="192.168.0.102/24")
    found = explain(target, origin, host=laptop)
    assert not found
    (remedy,) = found.remedies
    assert str(remedy).startswith(said)
    assert remedy.apply(found.bindings, found.host).verdict(origin)


def test_the_page_is_complete() -> None:
    """Every condition has its check, every reason its remedy, every system its firewall."""
    everything = Verdict(PHONE_IP, Answer.CONDITIONAL, conditions=tuple(Condition))
    words = dict.fromkeys(
        (
            *("transport", "port", "firewall", "origin", "interface", "address", "dial", "family"),
            *("homes", "route"),
        ),
        "X",
    )
    case = Case(everything, (), Host.of(lo="127.0.0.1/8"))
    asked = {check.condition for check in checks_of(case, words)}
    assert asked == {None, *Condition}
    assert set(FIREWALLS) == set(ROUTES) == set(SYSTEMS)


PHONE_IP = Endpoint(PHONE, 1).ip


def test_nothing_listens(laptop: Host) -> None:
    """A port that nobody serves is said to be empty, with what to look at, and what to bind."""
    with listen() as server:
        port = server.getsockname()[1]
    found = explain(port)
    assert (bool(found), found.bindings, found.remedies) == (False, (), ())
    assert flat(found).lower().startswith(EMPTY)
    assert f" on port {port}" in flat(found)
    assert "the server: does it run" in flat(found)
    with pytest.raises(ValueError, match="no socket"):
        found.reach  # noqa: B018


def test_bound_without_listening() -> None:
    """A port that somebody has bound and does not listen on refuses, and whose it is is said."""
    with bind() as held:
        port = held.getsockname()[1]
        certain = explain(port).certain
    assert certain[0].startswith(EMPTY)
    if len(certain) > 1:  # listed since Linux 6.8
        assert certain[1] == f"this process itself has bound 127.0.0.1:{port} without listening"


@LISTED
def test_live_sockets() -> None:
    """A socket is asked itself; a port number finds the same one, and whose it is."""
    with listen() as server:
        port = server.getsockname()[1]
        assert f"the socket is bound to 127.0.0.1:{port}" in explain(server).certain
        found = explain(port, BEYOND)
    assert found.verdict is not None
    assert found.verdict.reason is Reason.LOOPBACK
    if sys.platform.startswith("linux"):
        assert found.certain[0] == f"this process itself listens on 127.0.0.1:{port}"


def test_it_is_a_value(laptop: Host) -> None:
    """An explanation can be kept, compared and sent to somebody."""
    found = explain("127.0.0.1:3000", PHONE, host=laptop)
    assert pickle.loads(pickle.dumps(found)) == found
    assert str(pickle.loads(pickle.dumps(found))) == str(found)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("127.0.0.1:3000", "localhost"), ValueError, "is no origin"),
        ((3000, "0.0.0.0"), ValueError, "nothing sends from"),
        ((70000,), ValueError, "out of range"),
        ((0,), ValueError, "port 0"),
        ((True,), TypeError, "bool"),
        (("localhost:3000",), ValueError, "is a name"),
        (("03000",), ValueError, "plain decimal digits"),
    ],
)
def test_bad_input(arguments: tuple[object, ...], error: type[Exception], message: str) -> None:
    """What cannot be asked is told what to write, before anything is tried."""
    with pytest.raises(error, match=message):
        explain(*arguments)
    with pytest.raises(ValueError, match="transport is for a port number"):
        explain("0.0.0.0:53", transport="udp")


def test_a_device_that_the_machine_does_not_have(laptop: Host) -> None:
    """A socket may be bound to a device that is gone; that is explained like any other."""
    gone = Binding(Endpoint("127.0.0.1", 3000), device="nosuch", listening=True)
    for origin in (PHONE, INTERNET, laptop.interface("wifi")):
        assert str(explain(gone, origin, host=laptop)).startswith("No: ")
