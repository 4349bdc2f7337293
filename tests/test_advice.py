"""Advice is complete: each set of changes that is offered is enough, whoever asks."""

import pytest
from hypothesis import assume, given, settings
from test_laws import bindings, hosts, origins

from bindlab import (
    Answer,
    Binding,
    Endpoint,
    Explanation,
    Host,
    Interface,
    Reach,
    Route,
    explain,
)

PHONE = "192.168.0.50"


def explained(binding: Binding, origin: object, host: Host) -> Explanation:
    """Return the explanation, if such an origin can be asked about at all."""
    try:
        return explain(binding, origin, host=host)  # type: ignore[arg-type]
    except ValueError as error:
        assume("broadcast" not in str(error) and "no interface" not in str(error))
        raise


@settings(max_examples=150)
@given(hosts, bindings, origins)
def test_each_set_of_changes_is_enough(host: Host, binding: Binding, origin: object) -> None:
    """Made on paper, one change after the other, each set is enough, the smallest first."""
    found = explained(binding, origin, host)
    sizes = [len(remedy.changes) for remedy in found.remedies]
    assert sizes == sorted(sizes)
    for remedy in found.remedies:
        changed, machine = (binding,), host
        for change in remedy.changes:
            changed, machine = change.apply(changed, machine)
        after = Reach(changed, machine).verdict(origin)  # type: ignore[arg-type]
        assert after.answer is not Answer.NO, (str(remedy), str(after))
        assert after == remedy.verdict


@settings(max_examples=150)
@given(hosts, bindings, origins)
def test_whoever_is_shut_out_is_told_what_is_enough(
    host: Host, binding: Binding, origin: object
) -> None:
    """A machine with an interface can let everybody in; where it has none, that is said."""
    found = explained(binding, origin, host)
    assert found.verdict is not None
    if found.verdict.answer is Answer.NO:
        assert found.remedies, found.verdict


# A laptop whose Wi-Fi is down, one that knows no way to a colleague, and what is said of both.
LOOPBACK_ONLY = Binding(Endpoint("127.0.0.1", 3000), listening=True)
WIFI = Interface("wifi", 2, addresses=["192.168.0.102/24"])
LO = Interface("lo", 1, addresses=["127.0.0.1/8"], is_loopback=True)
NO_ROUTES = Host.of(
    lo="127.0.0.1/8", wifi="192.168.0.102/24", routes=[Route("192.168.0.0/24", "wifi")]
)
WIFI_DOWN = Host([LO, WIFI.replace(is_up=False)])
COMPLETE = {
    "loopback, and no way back": (
        NO_ROUTES,
        LOOPBACK_ONLY,
        "172.16.5.5",
        ["route", "bind"],
        (
            "give this machine a route to 172.16.5.5 by wifi, or put both in one network; "
            "bind 192.168.0.102; then open http://192.168.0.102:3000"
        ),
    ),
    "loopback, and the Wi-Fi is down": (
        WIFI_DOWN,
        LOOPBACK_ONLY,
        PHONE,
        ["up", "bind"],
        (
            "connect wifi: join its Wi-Fi, or plug its cable in; bind 192.168.0.102; "
            "then open http://192.168.0.102:3000"
        ),
    ),
    "loopback, not listening, and the Wi-Fi is down": (
        WIFI_DOWN,
        LOOPBACK_ONLY.replace(listening=False),
        PHONE,
        ["up", "bind", "listen"],
        (
            "connect wifi: join its Wi-Fi, or plug its cable in; bind 192.168.0.102; "
            "call listen() on the socket; then open http://192.168.0.102:3000"
        ),
    ),
    "the Wi-Fi alone": (
        WIFI_DOWN,
        LOOPBACK_ONLY.replace(endpoint=Endpoint("0.0.0.0", 3000)),
        PHONE,
        ["up"],
        "connect wifi: join its Wi-Fi, or plug its cable in; then open http://192.168.0.102:3000",
    ),
    "the reverse path filter, and no way back": (
        NO_ROUTES.replace(interfaces=[LO, WIFI.replace(rp_filter=1)]),
        LOOPBACK_ONLY,
        "172.16.5.5",
        ["route", "bind"],
        (
            "give this machine a route to 172.16.5.5 by wifi, or put both in one network; "
            "bind 192.168.0.102; then open http://192.168.0.102:3000"
        ),
    ),
    "IPv6 is off, and no address of it": (
        Host([LO, WIFI.replace(disable_ipv6=True)]),
        LOOPBACK_ONLY,
        "2001:db8::5",
        ["ipv6", "address", "bind"],
        (
            "turn IPv6 on for wifi (net.ipv6.conf.wifi.disable_ipv6 = 0); give wifi an address of "
            "IPv6, in 2001:db8::/64 or with a router to it; bind ::; then open "
            "http://[2001:db8::4]:3000"
        ),
    ),
}


@pytest.mark.parametrize(
    ("host", "binding", "origin", "kinds", "said"), COMPLETE.values(), ids=COMPLETE
)
def test_all_that_blocks_is_in_one_remedy(
    host: Host, binding: Binding, origin: str, kinds: list[str], said: str
) -> None:
    """Several things that are in the way of one origin are one piece of advice."""
    remedy = explain(binding, origin, host=host).remedies[0]
    assert [change.kind for change in remedy.changes] == kinds
    assert str(remedy) == said
    for change in remedy.changes:
        without = remedy.replace(changes=[one for one in remedy.changes if one is not change])
        assert not without.apply([binding], host).verdict(origin)


def test_nothing_here_is_enough() -> None:
    """Where a machine has no network at all, it is said that no change here will do."""
    found = explain("127.0.0.1:3000", PHONE, host=Host.of(lo="127.0.0.1/8"))
    assert found.remedies == ()
    assert "nothing that is changed on this machine alone lets it in" in found.certain[-1]


def test_who_else_is_let_in_is_worked_out_when_asked_for() -> None:
    """Explaining judges changes for one origin only; who else gets in is another question."""
    found = explain(LOOPBACK_ONLY, PHONE, host=NO_ROUTES)
    assert [row.who for row in found.lets_in(found.remedies[0])] == ["192.168.0.0/24 (wifi)"]
