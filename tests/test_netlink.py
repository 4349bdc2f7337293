"""The netlink client against the real kernel, and against answers that none should give."""

import errno
import random
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest
from namespace import Namespace, needs_namespaces, ns

from bindlab import Host, Interface, listen, this_host
from bindlab.endpoint import parse_address
from bindlab.linux import (
    IFF_UP,
    NLM_F_CREATE,
    NLM_F_EXCL,
    RTM_NEWLINK,
    Netlink,
    addresses,
    attributes,
    has_answered,
    ifinfomsg,
    link_attributes,
    links,
    netlink,
    packed,
    routing,
    sockets_on,
    tells_programs_apart,
)
from bindlab.linux.interfaces import LinkAddress

__all__ = ["ns"]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="netlink is Linux's")

GETLINK, NEWLINK, DONE_TYPE, ERROR_TYPE, INTERRUPTED = 18, 16, 3, 2, 0x10


def message(kind: int, body: bytes, *, flags: int = 0, sequence: int = 1) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, flags, sequence, 0) + body


class Scripted(Netlink):
    """A client whose kernel answers every question with the same parts, unasked."""

    def __init__(self, *parts: bytes) -> None:
        super().__init__()
        self.parts = parts
        self.received = 0

    def _receive(self) -> bytes:
        self._sequence = 1
        part = self.parts[self.received % len(self.parts)]
        self.received += 1
        return part

    def links(self) -> list[bytes]:
        self._sequence = 0
        return self.dump(GETLINK, ifinfomsg(), bytes)


DONE = message(DONE_TYPE, struct.pack("=i", 0))


def test_a_dump_lists_what_socket_lists() -> None:
    """RTM_GETLINK answers with every interface that if_nameindex(3) has."""
    with Netlink() as client:
        found = {(link.ifindex, link.name) for link in links(client)}
    assert found == set(socket.if_nameindex())


def test_a_refusal_is_an_oserror_with_its_errno() -> None:
    """NLMSG_ERROR is raised, and the same socket can be asked again."""
    with Netlink() as client:
        with pytest.raises(OSError, match="not supported") as caught:
            client.dump(14 + 4 * 100 + 2, bytes(16), bytes)
        assert caught.value.errno == errno.EOPNOTSUPP
        assert links(client)


@needs_namespaces
def test_what_is_ordered_is_made(ns: Namespace) -> None:
    """A link is made, changed and asked for; the kernel's own words say why one is refused."""

    def order() -> None:
        with Netlink() as client:
            head, made = ifinfomsg(), NLM_F_CREATE | NLM_F_EXCL
            fields = packed([(3, "new0"), (18, [(1, b"bridge")])])
            client.order(RTM_NEWLINK, head + fields, made)
            client.order(RTM_NEWLINK, ifinfomsg(IFF_UP, IFF_UP) + packed([(3, "new0")]))
            (link,) = (link for link in links(client) if link.name == "new0")
            assert link.said["is_up"]
            assert link_attributes(client, "new0")[3] == b"new0\0"
            with pytest.raises(FileExistsError):
                client.order(RTM_NEWLINK, head + fields, made)
            with pytest.raises(OSError, match=r": .*[Aa]ttribute") as caught:
                client.order(RTM_NEWLINK, head + packed([(3, "a-name-of-more-than-15")]), made)
            assert caught.value.errno == errno.ERANGE
            with pytest.raises(OSError, match="No such device"):
                link_attributes(client, "nothing")

    ns.run(order)


def test_an_error_at_the_end_of_a_dump_is_raised() -> None:
    """NLMSG_DONE carries an errno when a dump broke off: what was sent so far is not all."""
    broken = message(16, bytes(16)) + message(DONE_TYPE, struct.pack("=i", -errno.ENOMEM))
    with Scripted(broken) as client, pytest.raises(OSError, match="memory") as caught:
        client.links()
    assert caught.value.errno == errno.ENOMEM


def test_a_table_that_changed_is_read_again() -> None:
    """NLM_F_DUMP_INTR on any message means that the dump is inconsistent: ask anew."""
    changed = message(16, b"old!", flags=INTERRUPTED) + DONE
    settled = message(16, b"new!") + DONE
    with Scripted(changed, settled) as client:
        assert client.links() == [b"new!"]
        assert client.received == 2


def test_a_table_that_never_settles_is_an_error() -> None:
    """The retries are bounded: EAGAIN, not a reader that never returns."""
    changed = message(16, bytes(16), flags=INTERRUPTED) + DONE
    with Scripted(changed) as client, pytest.raises(OSError, match="kept changing") as caught:
        client.links()
    assert caught.value.errno == errno.EAGAIN
    assert 1 < client.received < 20


def test_an_endless_dump_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a dump may hold is bounded: EMSGSIZE, not all of the memory."""
    monkeypatch.setattr(netlink, "_MOST_BYTES", 10_000)
    endless = message(16, bytes(100))
    with Scripted(endless) as client, pytest.raises(OSError, match="larger than") as caught:
        client.links()
    assert caught.value.errno == errno.EMSGSIZE


def test_a_message_that_is_cut_off_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """No kernel sends that much at once, and half a message is no answer."""
    monkeypatch.setattr(netlink, "_MOST_BYTES_AT_ONCE", 64)
    with Netlink() as client, pytest.raises(OSError, match="over 64 bytes") as caught:
        links(client)
    assert caught.value.errno == errno.EMSGSIZE


def test_what_was_not_asked_for_is_skipped() -> None:
    """Messages of another type, and answers to another question, are not in the answer."""
    with Scripted(
        message(16, b"mine") + message(20, b"type") + message(16, b"late", sequence=9) + DONE
    ) as client:
        assert client.links() == [b"mine"]


def test_only_the_kernel_is_heard() -> None:
    """Another process can write to a netlink socket (as root); what it says is not believed."""
    with Netlink() as client, socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as liar:
        usual = links(client)
        lie = message(16, bytes(16), sequence=client._sequence + 1) + DONE
        try:
            liar.sendto(lie, client._socket.getsockname())
        except PermissionError:
            pytest.skip("only root may write to other sockets")
        assert links(client) == usual


def test_a_client_closes_its_socket() -> None:
    """Leaving the with statement closes the descriptor; closing twice does no harm."""
    with Netlink() as client:
        assert client._socket.fileno() >= 0
    assert client._socket.fileno() == -1
    client.close()


def test_a_default_timeout_changes_nothing() -> None:
    """socket.setdefaulttimeout() harms no question."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(0.0001)
    try:
        test_a_dump_lists_what_socket_lists()
    finally:
        socket.setdefaulttimeout(before)


def test_where_there_is_no_netlink_it_is_an_oserror(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another system refuses at once, as a kernel without the family would."""
    monkeypatch.setattr(netlink, "_AF_NETLINK", None)
    with pytest.raises(OSError, match="no netlink") as caught:
        Netlink()
    assert caught.value.errno == errno.EAFNOSUPPORT


ELSEWHERE = """
import socket, sys
sys.modules.update(fcntl=None, resource=None)
for name in dir(socket):
    if name.startswith(("AF_", "SO_", "MSG_", "NETLINK_", "IPPROTO_", "TCP_")) and name not in (
        "AF_INET", "AF_INET6", "AF_UNSPEC", "SO_TYPE", "IPPROTO_TCP", "IPPROTO_UDP", "IPPROTO_IPV6"
    ):
        delattr(socket, name)
from bindlab.linux import has_answered, sockets_on, tells_programs_apart
from bindlab.endpoint import parse_address
from bindlab.interface import Interface
print(sockets_on(80), tells_programs_apart(4), has_answered(parse_address("::1"), Interface("lo")))
"""


def test_the_room_can_be_imported_on_every_system() -> None:
    """Where socket names none of what Linux has, the room is imported, and knows nothing."""
    told = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], capture_output=True, text=True, check=False
    )
    assert (told.stdout, told.stderr) == ("None None None\n", "")


@needs_namespaces
def test_a_table_is_read_whole_while_it_changes(ns: Namespace) -> None:
    """Addresses that are there all the time are in every answer, whatever comes and goes."""
    ns.pair("eth0", "wire0")
    ns.batch(*(f"addr add 10.0.{i // 250}.{i % 250 + 1}/32 dev eth0" for i in range(500)))
    stop = threading.Event()

    def churn() -> None:
        while not stop.is_set():
            ns.batch("addr add 10.9.9.9/32 dev wire0", "addr del 10.9.9.9/32 dev wire0")

    def read() -> None:
        with Netlink() as client:
            for _ in range(50):
                found = {each.packed for each in addresses(client, 4)}
                assert sum(ip.startswith(b"\x0a\x00") for ip in found) == 500

    churning = threading.Thread(target=churn)
    churning.start()
    try:
        ns.run(read)
    finally:
        stop.set()
        churning.join()


@needs_namespaces
def test_an_address_is_never_the_peers(ns: Namespace) -> None:
    """An address is the own one (IFA_LOCAL), whose prefix is its peer's."""
    ns.pair("eth0", "wire0")
    ns.ip("addr add 10.8.0.1 peer 10.8.0.2/31 dev eth0")

    def read() -> list[LinkAddress]:
        with Netlink() as client:
            return addresses(client, 4)

    found = {(str(address.ip), address.prefix_length) for address in ns.run(read)}
    assert found == {("127.0.0.1", 8), ("10.8.0.1", 31)}


# Malformed answers


def is_malformed(error: OSError) -> bool:
    return error.errno == errno.EBADMSG


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(struct.pack("=IHHII", 8, 16, 0, 1, 0), id="shorter than its header"),
        pytest.param(struct.pack("=IHHII", 0, 16, 0, 1, 0), id="no length"),
        pytest.param(struct.pack("=IHHII", 4096, 16, 0, 1, 0), id="longer than what came"),
        pytest.param(message(ERROR_TYPE, b""), id="a refusal without a number"),
        pytest.param(message(ERROR_TYPE, struct.pack("=i", -(1 << 31))), id="no errno"),
    ],
)
def test_a_malformed_message_is_an_error(part: bytes) -> None:
    """A length that cannot be is EBADMSG, neither an endless loop nor half an answer."""
    with Scripted(part) as client, pytest.raises(OSError, match="makes no sense") as caught:
        client.links()
    assert is_malformed(caught.value)


def ask_everything(host: Host, port: int) -> Iterator[Callable[[], object]]:
    """Yield each question that this package asks over netlink."""
    loopback = next(each for each in host.interfaces if each.holds_loopback)
    gone = Interface("lo", 1)
    yield lambda: sockets_on(port, connections=True)
    yield lambda: sockets_on(port, "udp")
    yield lambda: has_answered(parse_address("192.0.2.1"), gone)
    yield lambda: has_answered(parse_address("fe80::1"), loopback)
    yield lambda: tells_programs_apart(4)
    yield lambda: tells_programs_apart(6)
    yield this_host


def with_client(ask: Callable[[Netlink], object]) -> Callable[[], object]:
    def run() -> object:
        with Netlink() as client:
            return ask(client)

    return run


def mutated(part: bytes, chance: random.Random) -> bytes:
    """Return *part* with a few bytes changed, cut out, or put in."""
    data = bytearray(part)
    for _ in range(chance.choice((1, 1, 2, 8))):
        at = chance.randrange(len(data)) if data else 0
        match chance.randrange(5):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:  # a length, a type, a number
                value = chance.choice((0, 1, 3, 4, 5, 0x7F, 0xFF, 0xFFFF, 1 << 31, 0xFFFFFFFF))
                data[at & ~3 : (at & ~3) + 4] = value.to_bytes(4, sys.byteorder)
            case 2:
                del data[at : at + chance.choice((1, 2, 4, 16))]
            case 3:
                data[at:at] = chance.randbytes(chance.choice((1, 2, 4, 16)))
            case _:
                del data[at:]
    return bytes(data)


@needs_namespaces
@pytest.mark.parametrize("seed", range(4))
def test_nothing_but_an_oserror_comes_of_a_malformed_answer(
    ns: Namespace, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the bytes of a dump become, there is a value, or an OSError: no other exception.

    The parts are real ones, of links, addresses, routes, rules, neighbours and sockets, each
    altered in every way that matters to a reader: lengths, types, numbers, the end.
    """
    ns.pair("eth0", "wire0")
    ns.ip("link set lo up")
    ns.ip("addr add 192.0.2.2/24 dev eth0 label eth0:1")
    ns.ip("addr add 2001:db8::2/64 dev eth0 nodad")
    ns.ip("route add default via 192.0.2.1 metric 7")
    ns.ip("route add 10.3.0.0/16 nexthop via 192.0.2.7 dev eth0 nexthop via 192.0.2.8 dev eth0")
    ns.ip("route add unreachable 10.1.0.0/16")
    ns.ip("neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev eth0")
    chance = random.Random(seed)

    def attack() -> int:
        with listen(0, "127.0.0.1") as server:
            port = server.getsockname()[1]
            host = this_host()
            questions = [
                *ask_everything(host, port),
                with_client(links),
                with_client(lambda client: addresses(client, 4)),
                with_client(lambda client: addresses(client, 6)),
                lambda: routing(host.interfaces),
                with_client(lambda client: link_attributes(client, "eth0")),
            ]
            malformed = 0
            original = Netlink._receive

            def receive(self: Netlink) -> bytes:
                part = original(self)
                return mutated(part, chance) if chance.random() < 0.5 else part

            monkeypatch.setattr(Netlink, "_receive", receive)
            for _ in range(150):
                for ask in questions:
                    try:
                        ask()
                    except OSError as error:
                        malformed += is_malformed(error)
            return malformed

    try:
        assert ns.run(attack) > 50
    finally:
        monkeypatch.undo()


# Attributes


def attr(kind: int, content: bytes) -> bytes:
    return (struct.pack("=HH", 4 + len(content), kind) + content).ljust(
        4 + (len(content) + 3) // 4 * 4, b"\0"
    )


@pytest.mark.parametrize(
    ("data", "found"),
    [
        pytest.param(b"", {}, id="none"),
        pytest.param(b"\x04", {}, id="half a header"),
        pytest.param(attr(1, b""), {1: b""}, id="empty"),
        pytest.param(attr(1, b"abc") + attr(2, b"d"), {1: b"abc", 2: b"d"}, id="padded"),
        pytest.param(attr(1, b"abc") + attr(2, b"d")[:5], {1: b"abc", 2: b"d"}, id="no padding"),
        pytest.param(attr(0x8000 | 26, b"nest"), {26: b"nest"}, id="nested flag"),
        pytest.param(attr(3, b"a") + attr(3, b"b"), {3: b"b"}, id="twice"),
    ],
)
def test_attributes(data: bytes, found: dict[int, bytes]) -> None:
    """Attributes are read in steps of 4 bytes to the end."""
    assert attributes(b"head" + data, 4) == found


@pytest.mark.parametrize("length", [0, 3, 99])
def test_an_attribute_that_does_not_fit_is_an_error(length: int) -> None:
    """What follows could not be found, and half of a message is not told."""
    with pytest.raises(ValueError, match=f"claims {length} bytes"):
        attributes(attr(1, b"a") + struct.pack("=HH", length, 2))


def test_what_is_packed_is_read_again() -> None:
    """A text has a final NUL, a number 32 bits, and pairs are nested."""
    data = packed([(1, "eth0"), (2, 7), (3, b"raw"), (4, [(5, "inner")])])
    found = attributes(data)
    assert found[1] == b"eth0\0"
    assert found[2] == struct.pack("=I", 7)
    assert found[3] == b"raw"
    assert attributes(found[4]) == {5: b"inner\0"}
