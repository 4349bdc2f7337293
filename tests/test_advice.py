"""Advice is complete: each set of changes that is offered is enough, whoever asks."""

from ipaddress import ip_address

import pytest
from hypothesis import assume, given, settings
from test_laws import bindings, hosts, origins

from bindlab import (
    BEYOND,
    INTERNET,
    Answer,
    Binding,
    Endpoint,
    Explanation,
    Guest,
    Host,
    Interface,
    Reach,
    Route,
    Vantage,
    explain,
)
from bindlab.explaining.subject import Subject
from bindlab.explaining.telling import tell
from bindlab.guest import GUEST_KINDS

PHONE = "192.168.0.50"


def explained(binding: Binding, origin: object, host: Host) -> Explanation:
    """Return the explanation, if such an origin can be asked about at all."""
    try:
        return explain(binding, origin, host=host)  # type: ignore[arg-type]
    except ValueError as error:
        assume("broadcast" not in str(error) and "no interface" not in str(error))
        raise


@settings(max_examples=200, deadline=None)
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


@settings(max_examples=200, deadline=None)
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


# What is to be done for somebody on another network than the guest, by its kind; the server is
# on 127.0.0.1. What enters by the guest's own loopback needs no other binding.
ADVICE = {
    "container": [
        "bind 0.0.0.0; start the container with -p 3000:3000; then open http://HOST:3000"
    ],
    "pod": [
        "run kubectl port-forward --address 0.0.0.0 pod/POD 3000:3000; then open http://HOST:3000",
        "bind 0.0.0.0; give the pod a Service",
    ],
    "dev container": ["forward port 3000 in the editor", "bind 0.0.0.0; publish it"],
    "codespace": ["forward port 3000, and open it: gh codespace"],
    "wsl": [
        (
            "bind 0.0.0.0; run in Windows, as administrator: netsh interface portproxy add v4tov4 "
            "listenaddress=0.0.0.0 listenport=3000 connectaddress=172.17.0.2 connectport=3000; "
            "then open http://HOST:3000, where HOST is the address of the machine"
        ),
        "bind 0.0.0.0; write networkingMode=mirrored",
    ],
    "vm": ["bind 0.0.0.0; forward port 3000 of the machine", "bind 0.0.0.0; give this virtual"],
}


def guest(kind: str, **known: object) -> Host:
    """Return a made-up guest of that kind on a network of its own."""
    found = Guest(kind, ["a test says so"], **known)  # type: ignore[arg-type]
    return Host.of(lo="127.0.0.1/8", eth0="172.17.0.2/16", guest=found)


@pytest.mark.parametrize("kind", ADVICE)
@pytest.mark.parametrize("origin", ["192.168.1.50", BEYOND, INTERNET, None], ids=str)
def test_in_a_guest_the_host_is_opened(kind: str, origin: str | Vantage | None) -> None:
    """Nobody on another network is sent to the guest's own address."""
    found = explain("127.0.0.1:3000", origin, host=guest(kind))
    texts = [str(remedy) for remedy in found.remedies]
    if origin is not INTERNET:
        for text, beginning in zip(texts, ADVICE[kind], strict=True):
            assert text.startswith(beginning)
    assert "http://172.17.0.2" not in " ".join(map(str, [*texts, *found.certain, *found.checks]))
    assert [remedy.dial for remedy in found.remedies] == [None] * len(ADVICE[kind])
    assert f"this looks like {GUEST_KINDS[kind].name}: a test says so" in found.certain  # type: ignore[index]


@pytest.mark.parametrize("kind", ADVICE)
def test_a_guest_that_is_open_needs_its_host_only(kind: str) -> None:
    """Bound to the wildcard nothing is left to change in the guest, and nothing is certain."""
    found = explain("0.0.0.0:3000", "192.168.1.50", host=guest(kind))
    assert found
    assert found.dial == ()
    assert {remedy.changes for remedy in found.remedies} == {()}
    assert all(remedy.forward for remedy in found.remedies)


def test_a_neighbour_of_a_guest_needs_no_host() -> None:
    """Another container on the same network dials the container itself."""
    (narrow, _) = explain("127.0.0.1:3000", "172.17.0.3", host=guest("container")).remedies
    assert str(narrow) == "bind 172.17.0.2; then open http://172.17.0.2:3000"


def test_the_host_is_named_where_it_is_known() -> None:
    """The name that others use for the host stands in the place of HOST."""
    wsl = explain("0.0.0.0:3000", BEYOND, host=guest("wsl", host_name="desk")).remedies[0]
    assert str(wsl).endswith("then open http://desk:3000")
    name = "fluffy-PORT.app.github.dev"
    code = explain("0.0.0.0:3000", BEYOND, host=guest("codespace", host_name=name)).remedies[0]
    assert str(code).endswith("then open https://fluffy-3000.app.github.dev")


def test_a_guest_on_its_hosts_own_network_is_no_guest() -> None:
    """With host networking, bridged or mirrored, its own address is the one to open."""
    found = explain("0.0.0.0:3000", BEYOND, host=guest("wsl", needs_forwarding=False))
    assert (found.remedies, str(found.dial[0])) == ((), "172.17.0.2:3000")


def test_udp_is_forwarded_by_what_takes_udp() -> None:
    """A port proxy and kubectl carry TCP only, and are not offered for UDP."""
    texts = {
        kind: [str(one) for one in explain("127.0.0.1:53/udp", BEYOND, host=guest(kind)).remedies]
        for kind in ADVICE
    }
    assert texts["container"][0].startswith("bind 0.0.0.0; start the container with -p 53:53/udp")
    assert "HOST:53" in texts["container"][0]
    every = " ".join(text for several in texts.values() for text in several)
    assert "netsh" not in every
    assert "kubectl port-forward" not in every
    assert "hostfwd=udp::53-:53" in texts["vm"][0]


@pytest.mark.parametrize("kind", ADVICE)
def test_a_guest_where_nothing_listens(kind: str) -> None:
    """What to bind and how to publish is said before a server runs as well."""
    remedies = tell(
        Subject((), 3000, "tcp", guest(kind), guest(kind), (), ()), ip_address("192.168.1.50")
    ).remedies
    assert all(remedy.forward and remedy.bind for remedy in remedies)


def test_a_guest_whose_host_forwards_no_udp() -> None:
    """Where nothing is known to carry it, nothing is offered, and the answer says who decides."""
    found = explain("0.0.0.0:53/udp", BEYOND, host=guest("codespace"))
    assert found.remedies == ()
    assert "if the machine that runs this one passes it on" in " ".join(str(found).split())


def test_a_device_that_is_gone_is_no_error() -> None:
    """A socket can outlive its interface, and a machine on paper may lack it."""
    laptop = Host.of(lo="127.0.0.1/8", wifi="192.168.0.102/24")
    for address in ("127.0.0.1", "0.0.0.0"):
        binding = Binding(Endpoint(address, 3000), device="usb0", listening=True)
        assert not explain(binding, "192.168.0.50", host=laptop)
