"""What to dial first, and why: each candidate has a reason, and a name is but a hint."""

import pytest

from bindlab import Binding, Condition, Endpoint, Host, Interface, Reach, Route
from bindlab.reach.interface_rank import HINTS


def reach(host: Host, bound: str = "0.0.0.0:80") -> Reach:
    """Return who reaches a listening socket."""
    return Reach([Binding(Endpoint.parse(bound), v6only=False, listening=True)], host)


def order(found: Reach) -> list[str | None]:
    """Return the interfaces of all that is offered, each once, in order."""
    return list(dict.fromkeys(endpoint.interface for endpoint in found.endpoints))


CROWD = Host.of(
    lo="127.0.0.1/8",
    docker0="172.17.0.1/16",
    wg0="10.8.0.1/24",
    eth1="10.0.0.12/24",
    wifi="192.168.0.102/24",
)
DEFAULT = Route("0.0.0.0/0", "wifi", "192.168.0.1")


def test_the_default_route_goes_first() -> None:
    """Without an origin: default route, other links, tunnels, bridges, and loopback last."""
    found = reach(CROWD.replace(routes=[DEFAULT]))
    assert order(found) == ["wifi", "eth1", "wg0", "docker0", "lo"]
    assert found.urls()[0] == "http://192.168.0.102:80"
    reasons = {e.interface: e.reason for e in found.endpoints}
    on = "this machine's address on"
    assert reasons["wifi"] == f"{on} wifi, which has the default route"
    assert reasons["docker0"].startswith(f"{on} docker0, whose name suggests a container bridge")
    assert reasons["lo"] == "loopback, from this machine only"


def test_the_lower_metric_goes_first() -> None:
    """Of two default routes, the one that the system takes."""
    slower = Route("0.0.0.0/0", "eth1", "10.0.0.1", metric=600)
    assert order(reach(CROWD.replace(routes=[slower, DEFAULT])))[:2] == ["wifi", "eth1"]
    assert order(reach(CROWD.replace(routes=[DEFAULT.replace(metric=700), slower])))[0] == "eth1"


def test_what_is_known_outranks_names() -> None:
    """A bridge that has the default route is no container's, a flag tells a tunnel from a link."""
    assert (
        order(reach(CROWD.replace(routes=[DEFAULT.replace(interface="docker0")])))[0] == "docker0"
    )
    tunnel = Interface("lan", 9, None, ["10.9.0.1/24"], True, True, False, True)
    host = CROWD.replace(interfaces=[tunnel, *CROWD.interfaces])
    assert order(reach(host)) == ["eth1", "wifi", "lan", "wg0", "docker0", "lo"]
    reasons = {e.interface: e.reason for e in reach(host).endpoints}
    assert "lan, which is a tunnel, as a VPN has" in reasons["lan"]


def test_the_lan_goes_before_a_vpn_with_the_default_route() -> None:
    """Somebody else, of whom nothing is known, is more likely beside us than in the VPN."""
    whole = reach(CROWD.replace(routes=[DEFAULT.replace(interface="wg0")]))
    assert order(whole) == ["eth1", "wifi", "wg0", "docker0", "lo"]
    reason = {e.interface: e.reason for e in whole.endpoints}["wg0"]
    assert reason.endswith("a VPN (a hint only), and has the default route")
    flagged = CROWD.interface("wg0").replace(
        name="vpn", display_name="vpn", is_point_to_point=True, kind="wireguard"
    )
    two = [each for each in CROWD.interfaces if each.name != "wg0"]
    routes = [DEFAULT.replace(interface="vpn"), DEFAULT.replace(metric=600)]
    host = CROWD.replace(interfaces=[flagged, *two], routes=routes)
    assert order(reach(host)) == ["wifi", "eth1", "vpn", "docker0", "lo"]


def test_the_vpn_that_has_the_default_route_is_the_first_of_vpns() -> None:
    """A flag goes before a name, and the default route before both."""
    vpns = {f"wg{n}": f"10.{n}.0.1/24" for n in (5, 6, 7)}
    host = Host.of(lo="127.0.0.1/8", routes=[DEFAULT.replace(interface="wg7")], **vpns)
    flagged = [i.replace(is_point_to_point=True) if i.name == "wg6" else i for i in host.interfaces]
    assert order(reach(host.replace(interfaces=flagged))) == ["wg7", "wg6", "wg5", "lo"]


def test_what_is_down_goes_last() -> None:
    """Nobody comes by an interface without carrier, were it the LAN's."""
    host = Host.of(
        lo="127.0.0.1/8",
        eth0=Interface("eth0", 9, None, ["10.0.0.9/24"], True, False),
        docker0="172.17.0.1/16",
        wifi="192.168.0.102/24",
    )
    assert order(reach(host)) == ["wifi", "docker0", "lo", "eth0"]


TAILNET = Host.of(
    lo="127.0.0.1/8",
    tailscale0=["100.101.7.3/32", "fd7a:115c:a1e0::3/128"],
    wifi="192.168.0.102/24",
    routes=[
        Route("100.101.7.4/32", "tailscale0"),
        Route("fd7a:115c:a1e0::/48", "tailscale0"),
        DEFAULT.replace(lookup=1),
        Route("192.168.0.0/24", "wifi", lookup=1),
    ],
)


def test_a_tailnet_has_a_row_and_a_name() -> None:
    """Its members have addresses of their own, without a common prefix on the interface."""
    found = reach(TAILNET, "[::]:80")
    rows = {(row.who, str(row.origin)): row for row in found.rows}
    four, six = (
        rows["tailnet (tailscale0)", network]
        for network in ("100.64.0.0/10", "fd7a:115c:a1e0::/48")
    )
    assert four.opens == "http://100.101.7.3:80"
    assert six.opens == "http://[fd7a:115c:a1e0::3]:80"
    assert four.conditions == six.conditions == (Condition.FIREWALL, Condition.TAILNET)
    assert found.verdict("100.101.7.4").conditions == four.conditions
    assert order(found) == ["wifi", "tailscale0", "lo"]
    reason = {e.interface: e.reason for e in found.endpoints}["tailscale0"]
    assert reason.endswith("which is on a tailnet (by its address)")
    assert "<-?-- tailnet" in found.diagram()


@pytest.mark.parametrize(
    "interface",
    [
        Interface("tailscale0", 2, None, ["100.101.7.3/24"]),
        Interface("eth0", 2, None, ["100.101.7.3/32"], is_point_to_point=False),
        Interface("ppp0", 2, None, ["100.101.7.3/32"], is_point_to_point=True, kind="ppp"),
    ],
    ids=lambda each: each.name,
)
def test_shared_addresses_are_no_tailnet(interface: Interface) -> None:
    """A provider gives such addresses too, by a link or by PPP."""
    host = Host([*Host.of(lo="127.0.0.1/8").interfaces, interface])
    assert not any("tailnet" in row.who for row in reach(host).rows)


def test_ties_are_said() -> None:
    """What nothing tells apart is in the system's order, and each of them says so."""
    tied = [e for e in reach(CROWD).endpoints if e.interface in ("eth1", "wifi")]
    assert [e.interface for e in tied] == ["eth1", "wifi"]
    assert all(e.reason.endswith("alike, in the system's order") for e in tied)


@pytest.mark.parametrize("beginning", [beginning for beginning, _, _ in HINTS])
def test_a_name_changes_no_answer(beginning: str) -> None:
    """Whatever an interface is called, the same origins get in under the same conditions."""
    name = f"{beginning}7"
    plain = Host.of(lo="127.0.0.1/8", wifi="192.168.0.102/24", x7="10.0.0.12/24")
    named = Host.of(lo="127.0.0.1/8", wifi="192.168.0.102/24", **{name: "10.0.0.12/24"})
    for origin in ("10.0.0.50", "192.168.0.50", "8.8.8.8", "10.0.0.0/8"):
        one, other = (reach(host).verdict(origin) for host in (plain, named))
        assert (one.answer, set(one.conditions)) == (other.answer, set(other.conditions))
        assert set(one.endpoints) == set(other.endpoints)
    (hinted,) = [e for e in reach(named).endpoints if e.interface == name]
    assert "name suggests" in hinted.reason
    assert "(a hint only)" in hinted.reason


def test_an_origin_is_offered_what_answers_it() -> None:
    """For an origin goes first the address that this machine would send to it from."""
    host = Host.of(
        lo="127.0.0.1/8",
        wifi=["192.168.0.102/24", "192.168.0.103/24", "10.5.0.1/16"],
        routes=[
            Route("192.168.0.0/24", "wifi"),
            Route("10.5.0.0/16", "wifi"),
            Route("0.0.0.0/0", "wifi", "10.5.0.9"),
            Route("8.8.8.8/32", "wifi", "192.168.0.1", source="192.168.0.103"),
        ],
    )
    found = reach(host)
    for origin, first in {
        "192.168.0.50": "192.168.0.102",  # the first address in the route's network
        "9.9.9.9": "10.5.0.1",  # the one that the router is a neighbour of
        "8.8.8.8": "192.168.0.103",  # the route's own
    }.items():
        best, *others = found.verdict(origin).endpoints
        assert str(best.ip) == first
        assert "from which this machine answers" in best.reason
        assert all("this machine answers" not in other.reason for other in others)


def test_ipv6_keeps_its_preferences() -> None:
    """Of an interface's addresses, those of the origin's scope and network, as RFC 6724 has it."""
    host = Host.of(
        lo=["127.0.0.1/8", "::1/128"],
        wifi=["fe80::2/64", "2a00:2::2/64", "2a00:1::2/64"],
        routes=[Route("2a00:1::/64", "wifi"), Route("fe80::/64", "wifi")],
    )
    found = reach(host, "[::]:80")
    assert str(found.verdict("2a00:1::50").endpoints[0].ip) == "2a00:1::2"
    assert str(found.verdict("fe80::50%wifi").endpoints[0].ip) == "fe80::2%wifi"


def test_all_are_listed() -> None:
    """Ranking leaves nothing out: every address is there once, with a reason."""
    found = reach(CROWD.replace(routes=[DEFAULT])).endpoints
    assert len(set(found)) == len(found) == 5
    assert all(endpoint.reason for endpoint in found)


def test_an_address_of_the_internet_goes_before_a_private_one() -> None:
    """Of addresses that are alike in all else, the one that more people can open."""
    host = Host.of(lo="127.0.0.1/8", eth0=["10.0.0.12/24", "203.0.113.7/24"])
    assert reach(host).urls()[0] == "http://203.0.113.7:80"
