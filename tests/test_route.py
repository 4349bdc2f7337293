"""Route as a value, and the routes of a Host: what can be said of them, and what cannot."""

import json
from ipaddress import ip_network

import pytest

from bindlab import Host, Route

HOME = Host.of(
    lo="127.0.0.1/8",
    wifi=["192.168.0.102/24", "fe80::2/64"],
    routes=[
        Route("192.168.0.0/24", "wifi", source="192.168.0.102"),
        Route("0.0.0.0/0", "wifi", "192.168.0.1", metric=600),
        Route("fe80::/64", "wifi", metric=256),
        Route("10.0.0.0/8", refusal="blackhole"),
        Route("0.0.0.0/0", "wifi", "fe80::1", metric=700),
    ],
)


@pytest.mark.parametrize(
    ("route", "text"),
    [
        (Route("192.168.0.0/24", "wifi"), "192.168.0.0/24 dev wifi"),
        (
            Route("::/0", "wifi", "fe80::1", "2001:db8::2", 1024),
            "::/0 via fe80::1 dev wifi src 2001:db8::2 metric 1024",
        ),
        (Route("10.0.0.0/8", refusal="prohibit"), "prohibit 10.0.0.0/8"),
        (Route("203.0.113.9/32"), "203.0.113.9/32"),
    ],
)
def test_a_route_is_written_as_ip_route_lists_it(route: Route, text: str) -> None:
    """The text names the network, the router, the interface, the source and the metric."""
    assert str(route) == text


@pytest.mark.parametrize(
    ("fields", "error", "says"),
    [
        ({"network": "default"}, ValueError, "the default routes are '0.0.0.0/0' and '::/0'"),
        ({"network": "192.168.0.102/24"}, ValueError, "host bits"),
        ({"network": 24}, TypeError, "write '192.168.0.0/24'"),
        ({"network": "::/0", "interface": ""}, ValueError, "write an interface's name"),
        ({"network": "::/0", "interface": 2}, TypeError, "interface is an interface's name"),
        ({"network": "::/0", "metric": -1}, ValueError, "metric is out of range"),
        ({"network": "::/0", "metric": True}, TypeError, "metric is an int"),
        ({"network": "::/0", "gateway": "10.0.0.1"}, ValueError, "give its IPv6 address"),
        ({"network": "::/0", "gateway": "router"}, ValueError, "router"),
        ({"network": "::/0", "source": "10.0.0.1"}, ValueError, "families differ"),
        (
            {"network": "::/0", "refusal": "nowhere"},
            ValueError,
            "unreachable, blackhole, prohibit, throw",
        ),
        (
            {"network": "::/0", "refusal": "blackhole", "interface": "lo"},
            ValueError,
            "leads nowhere: leave out the rest",
        ),
    ],
)
def test_what_is_no_route(fields: dict[str, str | int], error: type[Exception], says: str) -> None:
    """What a routing table cannot hold is refused, with what to write instead."""
    with pytest.raises(error, match=says):
        Route(**fields)  # type: ignore[arg-type]


def test_routes_are_unknown_unless_given() -> None:
    """A host made by hand knows no routes, which is something else than having none."""
    assert Host.of(lo="127.0.0.1/8").routes is None
    assert Host.of(lo="127.0.0.1/8", routes=[]).routes == ()
    assert HOME.replace(routes=None).routes is None


def test_routes_travel_as_json() -> None:
    """A host with routes comes back from its JSON as it was, and so does one without."""
    for host in (HOME, HOME.replace(routes=()), HOME.replace(routes=None)):
        assert Host.from_json(host.to_json()) == host


def test_older_documents_are_read() -> None:
    """A document from before there were routes is a host whose routes are unknown."""
    document = json.loads(HOME.to_json())
    del document["routes"]
    assert Host.from_json(json.dumps(document)) == HOME.replace(routes=None)


@pytest.mark.parametrize(
    ("routes", "error", "says"),
    [
        ([Route("::/0", "eth7")], ValueError, "no interface 'eth7' .*it has lo, wifi"),
        (["0.0.0.0/0"], TypeError, r"write Route\('0.0.0.0/0'"),
        ("0.0.0.0/0", TypeError, "routes is a list of Route"),
        (7, TypeError, "routes is a list of Route"),
        (ip_network("::/0"), TypeError, r"IPv6Address\('::'\) is no Route"),  # and endless
    ],
)
def test_what_no_host_has_for_routes(routes: object, error: type[Exception], says: str) -> None:
    """A host's routes are Routes, by interfaces that it has."""
    with pytest.raises(error, match=says):
        HOME.replace(routes=routes)


def test_a_document_with_a_broken_route_is_refused() -> None:
    """What is no route in a document is a ValueError, as all that is no host."""
    document = json.loads(HOME.to_json())
    for broken in (7, {"network": "10.0.0.0/8", "colour": "red"}, {}):
        document["routes"] = [broken]
        with pytest.raises(ValueError, match="no host"):
            Host.from_json(json.dumps(document))
