"""Whatever is passed to bind(), listen(), allocate(): a socket, or an error of the right kind."""

import socket
from ipaddress import IPv4Address, IPv6Address

import pytest
from attempts import LINUX, descriptors
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bindlab.errors import BindError
from bindlab.opening import bind, listen
from bindlab.opening.allocation import allocate

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(), st.integers(), max_size=1),
    st.sampled_from(["localhost", "LOCALHOST", "::1%", "0", "٣", "1.2.3", "::ffff:1.2.3.4%lo"]),
)
TEXT_ADDRESSES = st.one_of(
    st.ip_addresses().map(str),
    st.ip_addresses(v=6).map(lambda ip: f"{ip}%lo"),
    st.sampled_from(["127.0.0.1", "0.0.0.0", "::", "::1", "::ffff:127.0.0.1", "fe80::1%1"]),
)
ADDRESSES = st.one_of(TEXT_ADDRESSES, st.ip_addresses(), JUNK)
PORTS = st.one_of(st.just(0), st.integers(20000, 32767), JUNK)
FLAGS = st.one_of(st.booleans(), JUNK)
DEVICES = st.one_of(st.none(), st.sampled_from(["lo", "no-such"]), JUNK)
REFUSED = (ValueError, TypeError, BindError)

unhurried = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def check(sock: socket.socket) -> None:
    with sock:
        assert type(sock) is socket.socket
        assert sock.proto in (socket.IPPROTO_TCP, socket.IPPROTO_UDP)
        assert sock.getsockname()[1] > 0
        assert not sock.get_inheritable()


@LINUX
@unhurried
@given(
    port=PORTS,
    address=ADDRESSES,
    transport=st.one_of(st.sampled_from(["tcp", "udp"]), JUNK),
    dual_stack=FLAGS,
    device=DEVICES,
    share_port=FLAGS,
)
@example(
    port=0,
    address="::ffff:1.2.3.4%lo",
    transport="tcp",
    dual_stack=False,
    device=None,
    share_port=False,
)
@example(
    port=0,
    address="fe80::1%\udcff",
    transport="tcp",
    dual_stack=False,
    device=None,
    share_port=False,
)
@example(
    port=0, address="::1", transport="tcp", dual_stack=False, device="\ud800", share_port=False
)
def test_bind_takes_or_refuses(**arguments: object) -> None:
    """bind() returns a complete socket, or raises one of three kinds and leaves nothing open."""
    before = descriptors()
    try:
        sock = bind(**arguments)  # type: ignore[arg-type]
    except REFUSED:
        pass
    else:
        check(sock)
    assert descriptors() == before


@LINUX
@unhurried
@given(port=PORTS, address=ADDRESSES, backlog=st.one_of(st.integers(-9, 2**32), JUNK))
def test_listen_takes_or_refuses(**arguments: object) -> None:
    """listen() returns a listening socket, or raises one of three kinds and leaves nothing open."""
    before = descriptors()
    try:
        sock = listen(**arguments)  # type: ignore[arg-type]
    except REFUSED:
        pass
    else:
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
        check(sock)
    assert descriptors() == before


@LINUX
@unhurried
@given(
    addresses=st.lists(st.one_of(TEXT_ADDRESSES, st.just("localhost"), JUNK), max_size=4),
    port=PORTS,
    transports=st.one_of(st.lists(st.sampled_from(["tcp", "udp"]), max_size=3).map(tuple), JUNK),
    within=st.one_of(
        st.none(), st.builds(range, st.integers(0, 70000), st.integers(0, 70000)), JUNK
    ),
    lendable=FLAGS,
)
def test_allocate_takes_all_or_nothing(addresses: list[object], **options: object) -> None:
    """allocate() holds one port everywhere, or raises one of three kinds and leaves nothing."""
    before = descriptors()
    try:
        held = allocate(*addresses, **options)  # type: ignore[arg-type]
    except REFUSED:
        pass
    else:
        with held:
            assert {sock.getsockname()[1] for sock in held.sockets} == {held.port}
            assert len(held.sockets) == len(held.endpoints)
    assert descriptors() == before


@LINUX
@unhurried
@given(ip=st.ip_addresses(), port=st.integers(0, 65535))
def test_an_address_and_its_text_are_one(ip: IPv4Address | IPv6Address, port: int) -> None:
    """An ipaddress object and its text bind alike, or fail alike."""
    outcomes: list[object] = []
    for address in (ip, str(ip)):
        try:
            with bind(port, address, transport="udp") as sock:
                outcomes.append(sock.getsockname()[0])
        except BindError as error:
            outcomes.append((type(error), error.errno, error.stage, str(error.endpoint)))
    assert outcomes[0] == outcomes[1]


@LINUX
@pytest.mark.parametrize("text", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_a_socket_is_bound_to_what_was_asked_for(text: str) -> None:
    """getsockname() names the very address, as ipaddress understands it."""
    with bind(0, text) as sock:
        assert IPv6Address(sock.getsockname()[0]) == IPv6Address(text) if ":" in text else True
