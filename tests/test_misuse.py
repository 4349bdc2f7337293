"""Calls that cannot mean what they say, and refusals that know more: what the messages tell."""

import contextlib
import errno
import pickle
import sys
from collections.abc import Iterator

import pytest
from attempts import LINUX, descriptors, port_of
from namespace import add_interface, in_namespace, ip, setting

from bindlab import AddressInUseError, Host, Interface, allocate, answering, bind, explain, listen
from bindlab.reach import Reach
from bindlab.reachable import reachable_from

MEANT = {
    "swapped": (("127.0.0.1", 3000), {}, TypeError, r'swapped: write listen\(3000, "127.0.0.1"\)'),
    "swapped text": (("::1", "3000"), {}, TypeError, r'swapped: write listen\(3000, "::1"\)'),
    "swapped name": (("localhost", 80), {}, TypeError, r'write listen\(80, "127.0.0.1"\)'),
    "an endpoint": (("[::1]:3000",), {}, TypeError, r'write listen\(3000, "::1"\)'),
    "a URL": (("http://127.0.0.1:3000/",), {}, TypeError, r'write listen\(3000, "127.0.0.1"\)'),
    "the address alone": (("0.0.0.0",), {}, TypeError, "the port comes first"),
    "a name alone": (("localhost",), {}, TypeError, 'the port comes first: .*"127.0.0.1"'),
    "a number as text": (("3000",), {}, TypeError, "a port is an int"),
    "host": ((), {"host": "127.0.0.1"}, TypeError, "has no host=: write address="),
    "interface": ((), {"interface": "eth0"}, TypeError, "has no interface=: write device="),
    "a name": ((80, "localhost"), {}, ValueError, r'write listen\(80, "127.0.0.1"\)'),
    "both names": (
        (80, "LocalHost"),
        {},
        ValueError,
        r'allocate\("localhost", port=80\)\.listen\(',
    ),
    "a group": ((80, "224.0.0.1"), {}, ValueError, r"nobody can connect to 224\.0\.0\.1"),
    "an IPv6 group": ((80, "ff02::1%lo"), {}, ValueError, "nobody can connect to ff02::1%lo"),
    "a mapped group": ((80, "::ffff:224.0.0.1"), {}, ValueError, "nobody can connect to ::ffff"),
    "broadcast": ((80, "255.255.255.255"), {}, ValueError, r"nobody can connect to 255\.255"),
}


@pytest.mark.parametrize(("args", "kwargs", "error", "says"), MEANT.values(), ids=MEANT)
def test_a_call_that_cannot_mean_it(
    args: tuple[object, ...], kwargs: dict[str, object], error: type[Exception], says: str
) -> None:
    """listen() says what to write, in its own name."""
    with pytest.raises(error, match=says):
        listen(*args, **kwargs)  # type: ignore[arg-type]


def test_advice_names_the_call_at_hand() -> None:
    """bind() advises to call bind(), and allocate() takes the word localhost."""
    with pytest.raises(ValueError, match=r'bind\(80, "127.0.0.1"\), or .*port=80\)\.take\(\)'):
        bind(80, "localhost")
    with pytest.raises(TypeError, match=r'write bind\(80, "::1"\)'):
        bind("::1", 80)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="nobody can connect"):
        allocate("224.0.0.1")
    if sys.platform == "win32":
        return  # no group can be bound there (Wine)
    with allocate("localhost", "224.0.0.1", transports=("udp",)) as held:
        assert "224.0.0.1" in [str(each.ip) for each in held.endpoints]


@LINUX
@in_namespace
def test_broadcast_addresses_of_networks() -> None:
    """TCP is refused on a network's broadcast address, which bind() takes; UDP is not."""
    add_interface("net0")
    ip("addr", "add", "10.0.0.1/24", "brd", "+", "dev", "net0")
    before = descriptors()
    for address in ("10.0.0.255", "::ffff:10.0.0.255"):
        with pytest.raises(ValueError, match=r"10\.0\.0\.255, the broadcast address of a network"):
            listen(0, address)
    with pytest.raises(ValueError, match="the broadcast address"):
        allocate("10.0.0.1", "10.0.0.255")
    assert descriptors() == before
    bind(0, "10.0.0.255", transport="udp").close()
    listen(0, "10.0.0.1").close()
    # What a route forbids is no broadcast address, though the system says the same of it.
    setting("ipv4/ip_nonlocal_bind", 1)
    ip("route", "add", "prohibit", "10.9.9.9")
    listen(0, "10.9.9.9").close()


@LINUX
@in_namespace
def test_loopback_by_a_device_that_it_does_not_come_by() -> None:
    """127.0.0.1 on a device is refused, unless packets for it may come by that device."""
    add_interface("net0")
    for address in ("127.0.0.1", "127.1.2.3", "::ffff:127.0.0.1"):
        with pytest.raises(ValueError, match=r"nobody could connect to 127\.\S+ by net0"):
            listen(0, address, device="net0")
    listen(0, "127.0.0.1", device="lo").close()
    listen(0, "0.0.0.0", device="net0").close()
    setting("ipv4/conf/net0/route_localnet", 1)
    listen(0, "127.0.0.1", device="net0").close()
    setting("ipv4/conf/net0/route_localnet", 0)
    ip("addr", "add", "127.0.0.1/8", "dev", "net0")  # as a VRF device may have it
    listen(0, "127.0.0.1", device="net0").close()


def test_a_reservation_of_this_process_is_named() -> None:
    """What holds the port is named where it is a Reservation made here."""
    ours = r"this process holds it: a Reservation made by allocate\(\)"
    with allocate() as held:
        for address in ("127.0.0.1", "0.0.0.0"):
            with pytest.raises(AddressInUseError, match=ours) as caught:
                listen(held.port, address)
            assert caught.value.endpoint is not None
            assert caught.value.endpoint.port == held.port
        (sock,) = held.take()
    with sock, pytest.raises(AddressInUseError) as caught:
        listen(held.port)
    assert "Reservation" not in str(caught.value)


@pytest.fixture
def taken() -> Iterator[range]:
    """A range of ports that are all taken."""
    with contextlib.ExitStack() as stack:
        for first in range(30000, 32000, 2):
            with contextlib.suppress(AddressInUseError):
                stack.enter_context(listen(first))
                stack.enter_context(listen(first + 1))
                break
        yield range(first, first + 2)


def test_a_range_that_is_used_up_is_named(taken: range) -> None:
    """The message names the range that was tried, and no port 0; so does the error."""
    with pytest.raises(AddressInUseError) as caught:
        allocate(within=taken)
    assert str(caught.value).startswith(f"127.0.0.1:{taken[0]}-{taken[1]}: ")
    assert ":0:" not in str(caught.value)
    assert (caught.value.errno, caught.value.ports) == (errno.EADDRINUSE, taken)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.ports) == (str(caught.value), taken)
    with pytest.raises(AddressInUseError, match=rf"^127\.0\.0\.1:{taken[0]}: "):
        allocate(within=taken[:1])


def test_an_empty_range_is_called_empty() -> None:
    """A range without ports is a ValueError that says so."""
    with pytest.raises(ValueError, match=r"range\(8000, 8000\) is empty"):
        allocate(within=range(8000, 8000))


def test_an_address_of_an_interface_has_a_prefix() -> None:
    """Without its prefix length an address says nothing of the network that it is on."""
    with pytest.raises(ValueError, match=r"192\.168\.0\.102' has no prefix length: write"):
        Host.of(wifi="192.168.0.102")
    with pytest.raises(ValueError, match="no prefix length"):
        Interface("wifi", addresses=["fe80::1"])
    assert Host.of(lo="127.0.0.1/32").interfaces[0].addresses[0].network.prefixlen == 32


def test_reprs_are_one_short_line(laptop: Host) -> None:
    """What is found and what is answered shows as one line, whatever is in it."""
    with listen(0, "0.0.0.0") as server:
        port = port_of(server)
        found = [answering(port), explain(port), reachable_from(port), explain(port, "10.9.9.7")]
    found += [reachable_from("0.0.0.0:3000", host=laptop), laptop, answering(port)]
    found += [row for each in found if isinstance(each, Reach) for row in each.rows]
    for each in found:
        assert len(repr(each).splitlines()) == 1
        assert len(repr(each)) < 400
    assert repr(found[0]).startswith(f"<Answering: port {port} is bound to 0.0.0.0:{port}")
    assert repr(laptop) == "<Host (linux): lo, wifi, ethernet>"
