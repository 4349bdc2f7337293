"""Endpoints: strict to read, faithful to write."""

import copy
import pickle
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bindlab import Binding, Candidate, Endpoint, Host, Interface, Route, reachable_from
from bindlab.endpoint import address_text, unmap
from bindlab.interface import AddressState

zones = st.from_regex(r"[a-zA-Z0-9_.@:\]\[-]{1,15}", fullmatch=True)
addresses = st.one_of(
    st.ip_addresses(v=4),
    st.ip_addresses(v=6),
    st.builds(lambda ip, zone: IPv6Address(f"{ip}%{zone}"), st.ip_addresses(v=6), zones),
)
endpoints = st.builds(Endpoint, addresses, st.integers(0, 65535), st.sampled_from(["tcp", "udp"]))


@given(endpoints)
def test_text_round_trips(endpoint: Endpoint) -> None:
    """parse(str(e)) is e, whatever the address, the zone, the port and the transport."""
    assert Endpoint.parse(str(endpoint)) == endpoint


@given(
    st.text(min_size=1, max_size=300)
    | st.text(st.characters(max_codepoint=0xFF), min_size=1, max_size=4)
    | zones
)
def test_hostile_zones_round_trip_or_are_refused(zone: str) -> None:
    """An object whose zone text could not have is refused as the text is, never half accepted."""
    try:
        ip = IPv6Address(f"fe80::1%{zone}")
        held = IPv6Interface(f"fe80::1%{zone}/64")
    except ValueError:
        return  # of ipaddress's own
    try:
        endpoint = Endpoint(ip, 80)
    except ValueError:
        for again in (ip, str(ip), held):
            with pytest.raises(ValueError, match="no zone"):
                Endpoint(again, 80)
    else:
        assert Endpoint.parse(str(endpoint)) == Endpoint(held, 80) == endpoint
        assert str(endpoint).isprintable()
        assert len(str(endpoint)) < 300


@pytest.mark.parametrize(
    "zone", ["a\x1b[31m", "a\x7f", "a\x85", "a\u202eb", "a b", "\udc80", "x" * 256]
)
@pytest.mark.parametrize("kind", [IPv6Address, type("Mine", (IPv6Address,), {}), str])
def test_zones_are_checked_in_objects_too(kind: type[IPv6Address] | type[str], zone: str) -> None:
    """A zone is printable text of at most 255 characters, whichever way the address comes."""
    with pytest.raises(ValueError, match="no zone: write an interface's name"):
        Endpoint(kind(f"::1%{zone}"), 80)


@given(endpoints)
def test_copies_and_pickles(endpoint: Endpoint) -> None:
    """An endpoint is a value: equal and equally hashed after a copy and a pickle."""
    for twin in (pickle.loads(pickle.dumps(endpoint)), copy.deepcopy(endpoint)):
        assert twin == endpoint
        assert hash(twin) == hash(endpoint)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        pytest.param("127.0.0.1:3000", "127.0.0.1:3000", id="ipv4"),
        pytest.param("[::1]:3000", "[::1]:3000", id="ipv6"),
        pytest.param("[fe80::1%eth0]:53/udp", "[fe80::1%eth0]:53/udp", id="zone-udp"),
        pytest.param("0.0.0.0:0/tcp", "0.0.0.0:0", id="tcp-is-implied"),
        pytest.param("[0:0::1]:80", "[::1]:80", id="ipv6-is-compressed"),
        pytest.param("[::ffff:7f00:1]:80", "[::ffff:127.0.0.1]:80", id="mapped-is-dotted"),
    ],
)
def test_canonical_text(text: str, written: str) -> None:
    """Every accepted form is written in one way."""
    assert str(Endpoint.parse(text)) == written


@pytest.mark.parametrize(
    ("port", "says"),
    [
        pytest.param("+80", "decimal digits", id="plus"),
        pytest.param(" 80", "decimal digits", id="space"),
        pytest.param("80 ", "decimal digits", id="trailing-space"),
        pytest.param("8_0", "decimal digits", id="underscore"),
        pytest.param("٣", "decimal digits", id="arabic-digit"),
        pytest.param("080", "decimal digits", id="leading-zero"),
        pytest.param("-1", "decimal digits", id="negative"),
        pytest.param("", "decimal digits", id="empty"),
        pytest.param("65536", "0 to 65535", id="too-large"),
        pytest.param("9" * 5000, "0 to 65535", id="huge"),
    ],
)
def test_ports_in_text_are_plain_digits(port: str, says: str) -> None:
    """A port is decimal ASCII digits from 0 to 65535, and the error says so."""
    with pytest.raises(ValueError, match=says):
        Endpoint.parse(f"127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("port", "error"),
    [
        ("80", TypeError),
        (True, TypeError),
        (80.0, TypeError),
        (None, TypeError),
        (b"80", TypeError),
        (-1, ValueError),
        (65536, ValueError),
        (10**100, ValueError),
    ],
)
def test_ports_are_ints_in_range(port: object, error: type[Exception]) -> None:
    """A port is an int, no bool and no float, from 0 to 65535."""
    with pytest.raises(error, match="0 to 65535"):
        Endpoint("127.0.0.1", port)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("address", "error", "says"),
    [
        pytest.param("", ValueError, "0.0.0.0", id="empty"),
        pytest.param(None, TypeError, "127.0.0.1", id="none"),
        pytest.param("localhost", ValueError, "127.0.0.1, ::1 or both", id="localhost"),
        pytest.param("example", ValueError, "not a name", id="name"),
        pytest.param("256.1.1.1", ValueError, "no IP address", id="octet"),
        pytest.param("1.2.3", ValueError, "no IP address", id="short"),
        pytest.param("01.2.3.4", ValueError, "no IP address", id="octal"),
        pytest.param("[::1", ValueError, "brackets", id="bracket"),
        pytest.param("[::1]", ValueError, "brackets", id="brackets"),
        pytest.param("::1%", ValueError, "empty zone", id="empty-zone"),
        pytest.param("fe80::1%a b", ValueError, "no zone", id="zone-with-space"),
        pytest.param("10.0.0.1/8", ValueError, "prefix length", id="prefix"),
        pytest.param(" 127.0.0.1", ValueError, "no IP address", id="space"),
        pytest.param(b"\x7f\0\0\1", TypeError, "text or an ipaddress", id="bytes"),
        pytest.param(2130706433, TypeError, "text or an ipaddress", id="int"),
    ],
)
def test_addresses_are_literals(address: object, error: type[Exception], says: str) -> None:
    """An address is an IP address, and the error says what to write instead of a name."""
    with pytest.raises(error, match=says):
        Endpoint(address, 80)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("3000", "no port", id="number"),
        pytest.param(":3000", "no address", id="no-address"),
        pytest.param("localhost:3000", "localhost", id="name"),
        pytest.param("::1:3000", "brackets", id="bare-ipv6"),
        pytest.param("127.0.0.1", "no port", id="no-port"),
        pytest.param("[::1]", "no port", id="ipv6-no-port"),
        pytest.param("[127.0.0.1]:80", "only IPv6", id="bracketed-ipv4"),
        pytest.param("[::1:80", "brackets", id="open-bracket"),
        pytest.param("127.0.0.1:80/sctp", "transport", id="transport"),
        pytest.param("127.0.0.1:80/", "transport", id="empty-transport"),
        pytest.param("127.0.0.1:80/TCP", "transport", id="upper-case"),
        pytest.param("", "no port", id="empty"),
        pytest.param("gopher://127.0.0.1/", "has no port: write it", id="url"),
    ],
)
def test_endpoints_are_complete(text: str, says: str) -> None:
    """An endpoint has an address and a port, with brackets around IPv6 alone."""
    with pytest.raises(ValueError, match=says):
        Endpoint.parse(text)


@pytest.mark.parametrize("value", [None, 80, b"127.0.0.1:80", ("127.0.0.1", 80)])
def test_parse_takes_text(value: object) -> None:
    """parse() takes text only, and says so."""
    with pytest.raises(TypeError, match="an endpoint is text"):
        Endpoint.parse(value)  # type: ignore[arg-type]


def test_interfaces_give_their_address() -> None:
    """An interface object is taken for its address, and keeps the zone that ``.ip`` loses."""
    assert Endpoint(IPv4Interface("10.0.0.1/8"), 1).ip == IPv4Address("10.0.0.1")
    assert type(Endpoint(IPv4Interface("10.0.0.1/8"), 1).ip) is IPv4Address
    assert Endpoint(IPv6Interface("fe80::1%eth0/64"), 1).ip == IPv6Address("fe80::1%eth0")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("[::1]:80", "http://[::1]:80"),
        ("[fe80::1%eth0]:80", "http://[fe80::1%25eth0]:80"),
        ("[fe80::1%wlan é]:80".replace(" ", "-"), "http://[fe80::1%25wlan-%C3%A9]:80"),
    ],
)
def test_urls_bracket_and_encode(text: str, url: str) -> None:
    """A URL has IPv6 in brackets and its zone percent-encoded."""
    assert Endpoint.parse(text).url() == url


@pytest.mark.parametrize("text", ["0.0.0.0:80", "[::]:80", "[::ffff:0.0.0.0]:80", "127.0.0.1:0"])
def test_wildcards_have_no_url(text: str) -> None:
    """Nobody can dial a wildcard or port 0, so neither has a URL."""
    with pytest.raises(ValueError, match=r"wildcard|no port yet"):
        Endpoint.parse(text).url()


def test_frozen() -> None:
    """A value is changed by making another one."""
    endpoint = Endpoint("127.0.0.1", 80)
    with pytest.raises(AttributeError, match="frozen"):
        endpoint.port = 81  # type: ignore[misc]
    with pytest.raises(AttributeError, match="frozen"):
        del endpoint.port
    assert endpoint.replace(port=81) == Endpoint("127.0.0.1", 81)
    with pytest.raises(TypeError, match="'host': Endpoint has ip, port, transport"):
        endpoint.replace(host="x")
    with pytest.raises(ValueError, match="0 to 65535"):
        endpoint.replace(port=70000)


def test_unmap() -> None:
    """Only IPv4-mapped addresses are un-mapped, and their text is the same everywhere."""
    mapped = IPv6Address("::ffff:10.0.0.1")
    assert unmap(mapped) == IPv4Address("10.0.0.1")
    assert unmap(IPv6Address("::1")) == IPv6Address("::1")
    assert address_text(mapped) == "::ffff:10.0.0.1"


def test_pickles_keep_the_zone_where_those_of_ipaddress_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Until Python 3.11.7 a copied or pickled IPv6Address has no zone; values keep theirs."""
    monkeypatch.setattr(IPv6Address, "__reduce__", lambda self: (IPv6Address, (int(self),)))
    assert copy.copy(IPv6Address("fe80::1%eth0")) == IPv6Address("fe80::1")
    best = Candidate("fe80::1%eth0", 53, "udp", interface="eth0", reason="the only one")
    address = IPv6Address("fe80::1%eth0")
    interface = Interface(
        "eth0", 2, addresses=["fe80::1%eth0/64"], states=[(address, AddressState.PREFERRED)]
    )
    host = Host(interfaces=[interface], system="linux")
    for value in (
        best,
        best.endpoint,
        Route("::/0", "eth0", "fe80::1%eth0"),
        host,
        Binding(best.endpoint, groups=[("ff02::fb%eth0", "eth0")]),
        reachable_from(best.endpoint, host=host).verdict("fe80::5%eth0"),
    ):
        for twin in (
            copy.copy(value),
            copy.deepcopy([value])[0],
            *(pickle.loads(pickle.dumps(value, n)) for n in range(2, 6)),
        ):
            assert twin == value
            assert repr(twin) == repr(value)
