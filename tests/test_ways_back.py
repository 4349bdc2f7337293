"""The way back: what known routes turn a condition into, case by case, on a machine on paper.

An entry is ``sure`` (no condition about the way back), ``if`` (the condition stays) or
``never`` (a certain NO, because no answer finds its way).
"""

import pytest

from bindlab import (
    BEYOND,
    INTERNET,
    THIS_HOST,
    Answer,
    Binding,
    Condition,
    Endpoint,
    Host,
    Interface,
    Reach,
    Reason,
    Route,
)
from bindlab.reach.verdict import Origin, Verdict

HOME = Host.of(
    lo=["127.0.0.1/8", "::1/128"],
    wifi=["192.168.0.102/24", "fd00:1::2/64", "fe80::2/64"],
    eth=["10.0.0.12/24", "2a00:1::3/64", "fe80::3/64"],
)
LINKS = (
    Route("192.168.0.0/24", "wifi", source="192.168.0.102"),
    Route("10.0.0.0/24", "eth", source="10.0.0.12"),
    Route("fd00:1::/64", "wifi"),
    Route("2a00:1::/64", "eth"),
    Route("fe80::/64", "wifi"),
    Route("fe80::/64", "eth"),
)
DEFAULT = Route("0.0.0.0/0", "wifi", "192.168.0.1", metric=600)
DEFAULT6 = Route("::/0", "wifi", "fe80::1", metric=1024)
BY_ETH6 = DEFAULT6.replace(interface="eth")
HALVES = (Route("0.0.0.0/1", "wifi", "192.168.0.1"), Route("128.0.0.0/1", "wifi", "192.168.0.1"))


def ask(
    origin: Origin | str,
    *routes: Route,
    bound: str = "[::]:80",
    device: str | None = None,
    host: Host = HOME,
) -> Verdict:
    """Return the verdict on a socket of the machine that has *routes* and no other."""
    binding = Binding(Endpoint.parse(bound), v6only=False, device=device, listening=True)
    return Reach([binding], host.replace(routes=routes)).verdict(origin)


def entry(verdict: Verdict) -> str:
    """Write a verdict as the tables do."""
    if verdict.reason is not None:
        assert verdict.reason is Reason.NO_WAY_BACK, verdict
        return "never"
    return "if" if Condition.ROUTE_BACK in verdict.conditions else "sure"


@pytest.mark.parametrize(
    ("routes", "origin", "expected"),
    [
        pytest.param(LINKS, "192.168.0.50", "sure", id="neighbour"),
        pytest.param(LINKS[1:], "192.168.0.50", "never", id="neighbour-noprefixroute"),
        pytest.param((*LINKS[1:], DEFAULT), "192.168.0.50", "if", id="neighbour-by-a-router"),
        pytest.param(LINKS, "8.8.8.8", "never", id="no-default"),
        pytest.param((*LINKS, DEFAULT), "8.8.8.8", "sure", id="default"),
        pytest.param((*LINKS, *HALVES), "8.8.8.8", "sure", id="halves"),
        pytest.param((*LINKS, DEFAULT6), "8.8.8.8", "never", id="default-of-the-other-family"),
        pytest.param((*LINKS, BY_ETH6), "2a00:9::9", "sure", id="default-ipv6"),
        pytest.param((*LINKS, DEFAULT6), "2a00:9::9", "if", id="default-by-another-interface"),
        pytest.param(
            (*LINKS, DEFAULT, Route("8.0.0.0/8", refusal="blackhole")),
            "8.8.8.8",
            "never",
            id="the-longest-prefix-refuses",
        ),
        pytest.param(
            (*LINKS, Route("8.8.8.0/24", "wifi"), Route("8.0.0.0/8", refusal="unreachable")),
            "8.8.8.8",
            "sure",
            id="the-longest-prefix-leads-there",
        ),
        pytest.param(
            (DEFAULT, Route("0.0.0.0/0", refusal="unreachable", metric=700)),
            "8.8.8.8",
            "sure",
            id="a-refusal-of-a-higher-metric",
        ),
        pytest.param(
            (DEFAULT, Route("0.0.0.0/0", refusal="unreachable", metric=500)),
            "8.8.8.8",
            "never",
            id="a-refusal-of-a-lower-metric",
        ),
        pytest.param(
            (DEFAULT, Route("0.0.0.0/0", refusal="prohibit", metric=600)),
            "8.8.8.8",
            "if",
            id="a-refusal-of-the-same-metric",
        ),
        pytest.param(
            (*LINKS[1:], Route("192.168.0.0/24", "eth")),
            "192.168.0.50",
            "if",
            id="by-the-other-interface",
        ),
        pytest.param(LINKS, "fe80::9%wifi", "sure", id="link-local"),
        pytest.param(LINKS[:4], "fe80::9%wifi", "never", id="link-local-without-a-route"),
        pytest.param(
            (*LINKS[:4], LINKS[5]), "fe80::9%wifi", "never", id="link-local-route-elsewhere"
        ),
        pytest.param((*LINKS[:4], DEFAULT6), "fe80::9%wifi", "if", id="link-local-by-a-router"),
        pytest.param(
            (*LINKS, Route("fe80::9/128", refusal="unreachable")),
            "fe80::9%wifi",
            "sure",
            id="link-local-heeds-no-refusal",
        ),
        pytest.param((Route("203.0.113.9/32"),), "203.0.113.9", "sure", id="interface-unknown"),
        pytest.param(LINKS, "8.8.0.0/16", "never", id="network-none"),
        pytest.param((*LINKS, DEFAULT), "8.8.0.0/16", "sure", id="network-all"),
        pytest.param((*LINKS, *HALVES), "0.0.0.0/0", "if", id="network-all-by-two-ways"),
        pytest.param(HALVES, "120.0.0.0/5", "sure", id="network-within-a-half"),
        pytest.param((Route("8.8.8.0/24", "wifi"),), "8.8.0.0/16", "if", id="network-partly"),
        pytest.param(
            (DEFAULT, Route("8.8.8.0/24", refusal="blackhole")),
            "8.8.0.0/16",
            "if",
            id="network-partly-refused",
        ),
        pytest.param(
            (Route("8.8.0.0/17", "wifi"), Route("8.8.128.0/17", "wifi")),
            "8.8.0.0/16",
            "sure",
            id="network-in-two-parts",
        ),
        pytest.param(LINKS, BEYOND, "never", id="beyond-none"),
        pytest.param((*LINKS, DEFAULT), BEYOND, "sure", id="beyond"),
        pytest.param((*LINKS, Route("10.9.0.0/16", "eth")), BEYOND, "if", id="beyond-partly"),
        pytest.param(LINKS, INTERNET, "never", id="internet-none"),
        pytest.param((*LINKS, Route("10.9.0.0/16", "eth")), INTERNET, "never", id="private-only"),
        pytest.param((*LINKS, BY_ETH6), INTERNET, "sure", id="internet-ipv6"),
        pytest.param(
            (*LINKS, BY_ETH6, Route("fd00:9::/48", refusal="unreachable")),
            INTERNET,
            "sure",
            id="internet-without-what-is-private",
        ),
        pytest.param(LINKS, HOME.interfaces[1], "sure", id="anyone-on-a-link"),
        pytest.param((), HOME.interfaces[1], "never", id="anyone-without-routes"),
        pytest.param((), THIS_HOST, "sure", id="this-machine-needs-none"),
        pytest.param((), "10.0.0.12", "sure", id="an-own-address-needs-none"),
    ],
)
def test_the_way_back(routes: tuple[Route, ...], origin: Origin | str, expected: str) -> None:
    """A route that covers an origin removes the condition; without one TCP never connects."""
    assert entry(ask(origin, *routes)) == expected


@pytest.mark.parametrize(
    ("routes", "origin", "expected"),
    [
        pytest.param(LINKS, "192.168.0.50", "sure", id="its-link"),
        pytest.param(LINKS[1:], "192.168.0.50", "if", id="ipv4-takes-it-to-be-on-the-link"),
        pytest.param(LINKS, "8.8.8.8", "if", id="ipv4-even-who-is-beyond"),
        pytest.param((*LINKS, DEFAULT), "8.8.8.8", "sure", id="default-by-the-device"),
        pytest.param(
            (DEFAULT, Route("8.8.8.8/32", "eth")), "8.8.8.8", "if", id="ipv4-reverse-path-filter"
        ),
        pytest.param(
            (DEFAULT6, Route("2a00:9::9/128", "eth")),
            "2a00:9::9",
            "sure",
            id="ipv6-others-do-not-count",
        ),
        pytest.param(
            (DEFAULT6, Route("2a00:9::9/128", refusal="unreachable")),
            "2a00:9::9",
            "sure",
            id="ipv6-heeds-no-refusal",
        ),
        pytest.param(
            (*LINKS, Route("::/0", "eth", "fe80::1")), "2a00:9::9", "never", id="ipv6-other-default"
        ),
        pytest.param((Route("2a00:9::9/128"),), "2a00:9::9", "if", id="interface-unknown"),
    ],
)
def test_a_pinned_socket(routes: tuple[Route, ...], origin: str, expected: str) -> None:
    """A socket on a device answers by that device, whatever leads there by another."""
    assert entry(ask(origin, *routes, device="wifi")) == expected


def test_udp_arrives_without_an_answer() -> None:
    """Without a way back a datagram may still arrive, and the condition says what it is."""
    verdict = ask("8.8.8.8", *LINKS, bound="0.0.0.0:80/udp")
    assert entry(verdict) == "if"
    assert "it needs no answer: this machine cannot send one" in verdict.explanation
    refused = ask("8.8.8.8", Route("0.0.0.0/0", refusal="blackhole"), bound="0.0.0.0:80/udp")
    assert "the route there is blackhole" in refused.explanation


def test_the_reason_names_what_is_missing() -> None:
    """A NO tells a route that refuses from a route that is not there."""
    assert "no route leads there" in ask("8.8.8.8", *LINKS).explanation
    refused = ask("8.8.8.8", Route("8.0.0.0/8", refusal="prohibit")).explanation
    assert "the route there is prohibit" in refused
    aside = ask("192.168.0.50", *LINKS[1:], Route("192.168.0.0/24", "eth", "10.0.0.1"))
    assert "the answers, which leave by eth through 10.0.0.1, find it" in aside.explanation


def test_one_route_is_enough_for_one_origin() -> None:
    """A host that knows the way to one address alone answers for that one."""
    lost, found = Route("8.8.8.8/32", refusal="unreachable"), Route("8.8.8.8/32", "wifi")
    assert entry(ask("8.8.8.8", lost)) == "never"
    assert entry(ask("8.8.8.8", found)) == "sure"
    assert entry(ask("8.8.4.4", found)) == "never"


def test_a_route_to_one_neighbour_is_its_own() -> None:
    """Two neighbours have one answer, unless the routes tell them apart."""
    routes = (*LINKS, Route("192.168.0.66/32", refusal="blackhole"))
    reach = Reach([Binding(Endpoint("0.0.0.0", 80), listening=True)], HOME.replace(routes=routes))
    near, like, other = map(reach.verdict, ("192.168.0.50", "192.168.0.51", "192.168.0.66"))
    assert near.replace(origin=like.origin) == like
    assert other.reason is Reason.NO_WAY_BACK


def test_route_localnet_is_said_as_it_is_known() -> None:
    """Loopback's NO is assumed, or known; a switch that is on, or unknown, says which."""
    assumed = "route_localnet is off, as by default"
    assert assumed in ask("192.168.0.50", *LINKS, bound="127.0.0.1:80").assumptions
    known = HOME.replace(route_localnet=False)
    closed = ask("192.168.0.50", *LINKS, bound="127.0.0.1:80", host=known)
    assert (closed.reason, closed.assumptions) == (Reason.LOOPBACK, ())
    wifi = HOME.interfaces[1].replace(route_localnet=True)
    one = HOME.replace(interfaces=[HOME.interfaces[0], wifi, HOME.interfaces[2]])
    opened = ask("192.168.0.50", *LINKS, bound="127.0.0.1:80", host=one)
    assert opened.answer is Answer.CONDITIONAL
    assert assumed not in opened.assumptions
    assert "whose route_localnet lets them in" in opened.explanation
    unknown = ask(
        "192.168.0.50", *LINKS, bound="127.0.0.1:80", host=HOME.replace(route_localnet=None)
    )
    assert "route_localnet, not known here" in unknown.explanation


def test_a_link_alone() -> None:
    """An interface without routes of its own answers nobody, however many are on its link."""
    alone = Host([*HOME.interfaces, Interface("vpn", 9, None, ["100.64.0.5/10"], True, True)])
    assert entry(ask("100.64.0.9", *LINKS, host=alone)) == "never"
