"""What to dial first, and why: each candidate has a reason, and a name is but a hint."""

import pytest

from bindlab import Binding, Endpoint, Host, Interface, Reach, Route
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
    """A default route through wg0 counts, and so does a point-to-point flag without a name."""
    assert order(reach(CROWD.replace(routes=[DEFAULT.replace(interface="wg0")])))[0] == "wg0"
    tunnel = Interface("lan", 9, None, ["10.9.0.1/24"], True, True, False, True)
    host = CROWD.replace(interfaces=[tunnel, *CROWD.interfaces])
    assert order(reach(host)) == ["eth1", "wifi", "lan", "wg0", "docker0", "lo"]
    reasons = {e.interface: e.reason for e in reach(host).endpoints}
    assert "lan, which is point-to-point, as tunnels are" in reasons["lan"]


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
        assert "from which this machine sends to the origin" in best.reason
        assert all("sends to the origin" not in other.reason for other in others)


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
