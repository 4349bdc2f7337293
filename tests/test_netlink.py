"""The netlink reader against the real kernel, and against answers that none should give."""

import errno
import socket
import struct
import sys
import threading

import pytest
from network_namespaces import Namespace, needs_namespaces, ns

from bindlab.snapshot import netlink, rtnetlink
from bindlab.snapshot.netlink import Dumper, attribute, attributes

__all__ = ["ns"]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="netlink is Linux's")

GETLINK = rtnetlink.RTM_GETLINK
LINK_REQUEST = bytes(16)


def message(kind: int, body: bytes, *, flags: int = 0, sequence: int = 1) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, flags, sequence, 0) + body


class Scripted(Dumper):
    """A dumper whose kernel answers every request with the same parts, unasked."""

    def __init__(self, *parts: bytes) -> None:
        super().__init__()
        self.parts = parts
        self.received = 0
        self.requests = 0

    def _dump_once(self, request: int, body: bytes, answer: int) -> list[bytes] | None:
        self.requests += 1
        self._sequence = 0
        return super()._dump_once(request, body, answer)

    def _receive(self) -> int:
        part = self.parts[self.received % len(self.parts)]
        self.received += 1
        self._buffer[: len(part)] = part
        return len(part)


DONE = message(netlink.NLMSG_DONE, struct.pack("=i", 0))


def test_a_dump_lists_what_socket_lists() -> None:
    """RTM_GETLINK answers with every interface that if_nameindex(3) has."""
    with Dumper() as dumper:
        found = {(link.ifindex, link.name) for link in rtnetlink.links(dumper)}
    assert found == set(socket.if_nameindex())


def test_a_refusal_is_an_oserror_with_its_errno() -> None:
    """NLMSG_ERROR is raised, and the same socket can be asked again."""
    with Dumper() as dumper:
        with pytest.raises(OSError, match="not supported") as caught:
            dumper.dump(14 + 4 * 100 + 2, bytes(16))
        assert caught.value.errno == errno.EOPNOTSUPP
        assert dumper.dump(GETLINK, LINK_REQUEST)


def test_an_error_at_the_end_of_a_dump_is_raised() -> None:
    """NLMSG_DONE carries an errno when a dump broke off: what was sent so far is not all."""
    broken = message(16, bytes(16)) + message(netlink.NLMSG_DONE, struct.pack("=i", -errno.ENOMEM))
    with Scripted(broken) as dumper, pytest.raises(OSError, match="memory") as caught:
        dumper.dump(GETLINK, LINK_REQUEST)
    assert caught.value.errno == errno.ENOMEM


def test_a_table_that_changed_is_read_again() -> None:
    """NLM_F_DUMP_INTR on any message means that the dump is inconsistent: ask anew."""
    changed = message(16, b"old!", flags=netlink.NLM_F_DUMP_INTR) + DONE
    settled = message(16, b"new!") + DONE
    with Scripted(changed, settled) as dumper:
        assert dumper.dump(GETLINK, LINK_REQUEST) == [b"new!"]
        assert dumper.requests == 2


def test_a_table_that_never_settles_is_an_error() -> None:
    """The retries are bounded: EAGAIN, not a reader that never returns."""
    changed = message(16, bytes(16), flags=netlink.NLM_F_DUMP_INTR) + DONE
    with Scripted(changed) as dumper, pytest.raises(OSError, match="kept changing") as caught:
        dumper.dump(GETLINK, LINK_REQUEST)
    assert caught.value.errno == errno.EAGAIN
    assert 1 < dumper.requests < 20


def test_an_endless_dump_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a dump may hold is bounded: EMSGSIZE, not all of the memory."""
    monkeypatch.setattr(netlink, "_MOST_BYTES", 10_000)
    endless = message(16, bytes(100))
    with Scripted(endless) as dumper, pytest.raises(OSError, match="larger than") as caught:
        dumper.dump(GETLINK, LINK_REQUEST)
    assert caught.value.errno == errno.EMSGSIZE


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(struct.pack("=IHHII", 8, 16, 0, 1, 0), id="shorter than its header"),
        pytest.param(struct.pack("=IHHII", 0, 16, 0, 1, 0), id="no length"),
        pytest.param(struct.pack("=IHHII", 4096, 16, 0, 1, 0), id="longer than what came"),
    ],
)
def test_a_malformed_message_is_an_error(part: bytes) -> None:
    """A length that cannot be is EBADMSG, neither an endless loop nor half an answer."""
    with Scripted(part) as dumper, pytest.raises(OSError, match="claims") as caught:
        dumper.dump(GETLINK, LINK_REQUEST)
    assert caught.value.errno == errno.EBADMSG


def test_what_was_not_asked_for_is_skipped() -> None:
    """Messages of another type, and answers to another request, are not in the answer."""
    with Scripted(
        message(16, b"mine") + message(20, b"type") + message(16, b"late", sequence=9) + DONE
    ) as dumper:
        assert dumper.dump(GETLINK, LINK_REQUEST) == [b"mine"]


def test_only_the_kernel_is_heard() -> None:
    """Another process can write to a netlink socket (as root); what it says is not believed."""
    with Dumper() as dumper, socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as liar:
        usual = list(rtnetlink.links(dumper))
        lie = message(16, bytes(16), sequence=dumper._sequence + 1) + DONE
        try:
            liar.sendto(lie, dumper._socket.getsockname())
        except PermissionError:
            pytest.skip("only root may write to other sockets")
        except ConnectionRefusedError:
            dumper._socket.bind((0, 0))
            liar.sendto(lie, dumper._socket.getsockname())
        assert list(rtnetlink.links(dumper)) == usual


def test_a_message_larger_than_the_buffer_gets_a_larger_one() -> None:
    """A part that does not fit is not cut off: the dump is read again with more room."""
    with Dumper() as dumper:
        usual = dumper.dump(GETLINK, LINK_REQUEST)
    with Dumper(buffer_size=64) as dumper:
        assert [len(m) for m in dumper.dump(GETLINK, LINK_REQUEST)] == [len(m) for m in usual]


def test_a_dumper_closes_its_socket() -> None:
    """Leaving the with statement closes the descriptor; closing twice does no harm."""
    with Dumper() as dumper:
        assert dumper._socket.fileno() >= 0
    assert dumper._socket.fileno() == -1
    dumper.close()


def test_a_default_timeout_changes_nothing() -> None:
    """socket.setdefaulttimeout(), which makes new sockets non-blocking, harms no dump."""
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
        Dumper()
    assert caught.value.errno == errno.EAFNOSUPPORT


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
        with Dumper() as dumper:
            for _ in range(50):
                packed = {a.packed for a in rtnetlink.addresses(dumper, 4)}
                assert sum(ip.startswith(b"\x0a\x00") for ip in packed) == 500

    churning = threading.Thread(target=churn)
    churning.start()
    try:
        ns.run(read)
    finally:
        stop.set()
        churning.join()


@needs_namespaces
def test_addresses_have_their_label_and_never_the_peers(ns: Namespace) -> None:
    """An address is the own one (IFA_LOCAL), whose prefix is its peer's, with its label."""
    ns.pair("eth0", "wire0")
    ns.ip("addr add 10.8.0.1 peer 10.8.0.2/31 dev eth0 label eth0:x")

    def read() -> list[rtnetlink.LinkAddress]:
        with Dumper() as dumper:
            return [a for a in rtnetlink.addresses(dumper, 4) if a.label.startswith("eth0")]

    (address,) = ns.run(read)
    assert (address.packed, address.prefix_length) == (bytes([10, 8, 0, 1]), 31)
    assert address.label == "eth0:x"


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
        pytest.param(attr(1, b"a") + struct.pack("=HH", 0, 2) + attr(4, b""), {1: b"a"}, id="0"),
        pytest.param(attr(1, b"a") + struct.pack("=HH", 99, 2), {1: b"a"}, id="too long"),
    ],
)
def test_attributes(data: bytes, found: dict[int, bytes]) -> None:
    """Attributes are read in steps of 4 bytes up to the first that cannot be one."""
    assert attributes(b"head" + data, 4) == found
    for wanted in range(30):
        start, end = attribute(b"head" + data, wanted, (4, 4 + len(data)))
        if wanted in found and wanted != 3:  # of two alike, attribute() finds the first
            assert (b"head" + data)[start:end] == found[wanted]
        elif wanted not in found:
            assert (start, end) == (0, 0)
