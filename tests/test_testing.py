"""What the assertions hold, and what they say when it does not hold."""

import asyncio
import re
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from attempts import COOKIES, IPV6, LINUX, LISTED, port_of
from lab_home import needs_lab

from bindlab import (
    BEYOND,
    INTERNET,
    THIS_HOST,
    Binding,
    Endpoint,
    Host,
    allocate,
    bind,
    lab,
    listen,
    reachable_from,
)
from bindlab.lab import LabHost
from bindlab.linux import sockets_on
from bindlab.scanning import observing
from bindlab.testing import (
    assert_answers_only_on,
    assert_loopback_only,
    assert_not_reachable,
    assert_reachable,
)

PHONE = "192.168.0.50"


def failure(assertion: Callable[..., None], *args: object, **kwargs: object) -> list[str]:
    """Return the message with which *assertion* fails: its answer on one line, then the others."""
    with pytest.raises(AssertionError) as caught:
        assertion(*args, **kwargs)
    answer, gap, rest = str(caught.value).partition("\n\n")
    return [" ".join(answer.split()), *(["", *rest.splitlines()] if gap else [])]


# Targets for whom nobody but this machine is let in, and targets where others are.
PRIVATE = {
    "IPv4": "127.0.0.1:3000",
    "IPv6": "[::1]:3000",
    "another loopback address": "127.8.0.1:3000",
    "mapped": "[::ffff:127.0.0.1]:3000",
    "UDP": "127.0.0.1:53/udp",
    "both": ["127.0.0.1:3000", "[::1]:3000"],
    "endpoint": Endpoint("127.0.0.1", 3000),
    "not listening": Binding(Endpoint("127.0.0.1", 3000), listening=False),
    "device": Binding(Endpoint("0.0.0.0", 3000), device="lo", listening=True),
}
EXPOSED = {
    "IPv4 wildcard": ("0.0.0.0:3000", "0.0.0.0:3000"),
    "IPv6 wildcard": ("[::]:3000", "[::]:3000"),
    "one address": ("192.168.0.102:3000", "192.168.0.102:3000"),
    "link-local": ("[fe80::2%wifi]:3000", "[fe80::2%wifi]:3000"),
    "one of two": (["127.0.0.1:3000", "10.0.0.12:3000"], "10.0.0.12:3000"),
}


@pytest.mark.parametrize("target", PRIVATE.values(), ids=PRIVATE)
def test_loopback_is_for_this_machine_only(target: object, laptop: Host) -> None:
    """What is bound to loopback passes, whatever its family, transport or form."""
    assert_loopback_only(target, host=laptop)


@pytest.mark.parametrize(("target", "named"), EXPOSED.values(), ids=EXPOSED)
def test_what_is_open_is_named(target: object, named: str, laptop: Host) -> None:
    """The first line names the socket that others reach; the table follows."""
    first, empty, *table = failure(assert_loopback_only, target, host=laptop)
    assert first.startswith(f"{named} is open to other machines, by ")
    assert (empty, "\n".join(table)) == ("", reachable_from(target, host=laptop).text(width=72))


def test_each_interface_that_lets_others_in_is_named(laptop: Host) -> None:
    """The message says by which interface, and at which address."""
    first, *_ = failure(assert_loopback_only, "0.0.0.0:3000", host=laptop)
    assert first == (
        "0.0.0.0:3000 is open to other machines, by wifi (http://192.168.0.102:3000) and "
        "ethernet (http://10.0.0.12:3000). Bind 127.0.0.1 to keep it private."
    )


def test_a_wildcard_is_not_private_for_want_of_a_network() -> None:
    """A container without network does not make a wildcard pass: elsewhere it is open."""
    alone = Host.of(lo=["127.0.0.1/8", "::1/128"])
    first, *_ = failure(assert_loopback_only, "0.0.0.0:3000", host=alone)
    assert first == (
        "0.0.0.0:3000 is not loopback: no interface lets others in now, but one may later. "
        "Bind 127.0.0.1 to keep it private."
    )


def test_loopback_that_is_routed_is_not_private() -> None:
    """A host that accepts packets for 127.0.0.0/8 from the network fails."""
    odd = Host.of(lo="127.0.0.1/8", wifi="192.168.0.102/24", route_localnet=True)
    first, *_ = failure(assert_loopback_only, "127.0.0.1:3000", host=odd)
    assert first.startswith("127.0.0.1:3000 is open to other machines, by wifi")


def test_reachable_means_not_shut_out(laptop: Host) -> None:
    """A conditional answer passes; a no fails with its reason."""
    for origin in (PHONE, "192.168.0.0/24", laptop.interface("wifi"), BEYOND, INTERNET, THIS_HOST):
        assert_reachable("0.0.0.0:3000", origin, host=laptop)
    first, empty, *table = failure(assert_reachable, "127.0.0.1:3000", PHONE, host=laptop)
    assert first == (
        "192.168.0.50 cannot reach 127.0.0.1:3000: it is bound to 127.0.0.1, which is this "
        "machine only. To let it in, bind 192.168.0.102 or 0.0.0.0."
    )
    assert (empty, table[0][:8]) == ("", "Private:")


def test_not_reachable_means_shut_out_for_certain(laptop: Host) -> None:
    """Only a no passes; any way in fails, with the interface and the table."""
    for origin in (PHONE, "192.168.0.0/24", laptop.interface("wifi"), BEYOND, INTERNET):
        assert_not_reachable("127.0.0.1:3000", origin, host=laptop)
    first, empty, *table = failure(assert_not_reachable, "0.0.0.0:3000", PHONE, host=laptop)
    assert first == (
        "192.168.0.50 can reach 0.0.0.0:3000 at http://192.168.0.102:3000, if no firewall stops "
        "it. Bind 127.0.0.1 to keep it out."
    )
    assert (empty, table[0][:5]) == ("", "Open:")


def test_origins_read_as_words(laptop: Host) -> None:
    """Interfaces and vantage points stand in the message as a person would say them."""
    wifi = laptop.interface("wifi")
    assert failure(assert_not_reachable, "0.0.0.0:3000", wifi, host=laptop)[0].startswith(
        "anyone on wifi can reach 0.0.0.0:3000 at "
    )
    assert failure(assert_reachable, "127.0.0.1:3000", INTERNET, host=laptop)[0].startswith(
        "the internet cannot reach 127.0.0.1:3000: "
    )


def test_live_sockets_and_servers() -> None:
    """Sockets, socketserver and asyncio servers are asked themselves."""

    async def serve() -> None:
        server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0)
        async with server:
            assert_loopback_only(server)

    with (
        listen() as tcp,
        bind(transport="udp") as udp,
        socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as server,
    ):
        assert_loopback_only([tcp, udp, server])
        assert_reachable(tcp, THIS_HOST)
        assert_not_reachable(server, INTERNET)
    asyncio.run(serve())
    with listen(0, "0.0.0.0") as wide:
        first, *_ = failure(assert_loopback_only, wide)
        assert f"0.0.0.0:{port_of(wide)}" in first


def closed() -> object:
    sock = listen()
    sock.close()
    return sock


BAD = {
    "closed socket": (lambda: assert_loopback_only(closed()), ValueError),
    "name": (lambda: assert_loopback_only("localhost:3000"), ValueError),
    "no socket": (lambda: assert_loopback_only(3.5), TypeError),
    "nothing": (lambda: assert_loopback_only([]), ValueError),
    "port and host": (lambda: assert_loopback_only(3000, host=Host.of()), ValueError),
    "port out of range": (lambda: assert_loopback_only(70000), ValueError),
    "a bool": (lambda: assert_loopback_only(True), TypeError),
    "no host": (lambda: assert_loopback_only("127.0.0.1:1", host="me"), TypeError),  # type: ignore[arg-type]
    "port and another host": (lambda: assert_reachable(3000, PHONE, host=Host.of()), ValueError),
    "origin": (lambda: assert_reachable("127.0.0.1:1", "phone"), ValueError),
    "no address": (lambda: assert_answers_only_on(3000), ValueError),
    "port 0": (lambda: assert_answers_only_on(0, "127.0.0.1"), ValueError),
    "UDP": (lambda: assert_answers_only_on("127.0.0.1:53/udp", "127.0.0.1"), ValueError),
    "another port": (lambda: assert_answers_only_on(3000, "127.0.0.1:3001"), ValueError),
    "several ports": (
        lambda: assert_answers_only_on(["127.0.0.1:1", "[::1]:2"], "127.0.0.1"),
        ValueError,
    ),
    "somebody else's": (lambda: assert_answers_only_on(3000, "203.0.113.77"), ValueError),
    "name to answer on": (lambda: assert_answers_only_on(3000, "localhost"), ValueError),
    "no text": (lambda: assert_answers_only_on(3000, 1), TypeError),  # type: ignore[arg-type]
    "timeout": (lambda: assert_answers_only_on(3000, "127.0.0.1", timeout=-1), ValueError),
}


@pytest.mark.parametrize(("call", "error"), BAD.values(), ids=BAD)
def test_bad_input_is_no_failure(call: Callable[[], None], error: type[Exception]) -> None:
    """A question that makes no sense is the test's error, never an AssertionError."""
    with pytest.raises(error):
        call()


@LISTED
@IPV6
def test_it_answers_where_it_should() -> None:
    """A port passes by number, socket, server or text; addresses may be given in any form."""
    with ExitStack() as opened:
        ipv4, ipv6 = map(opened.enter_context, allocate("127.0.0.1", "::1").take())
        port = port_of(ipv4)
        ipv4.listen()
        for target in (port, ipv4, f"127.0.0.1:{port}", Endpoint("127.0.0.1", port)):
            assert_answers_only_on(target, "127.0.0.1")
        assert_answers_only_on(port, f"127.0.0.1:{port}", "::ffff:127.0.0.1")
        assert_loopback_only(port)
        first, *_ = failure(assert_answers_only_on, port, "127.0.0.1", "::1")
        assert first == (
            f"port {port} does not answer on 127.0.0.1 and ::1 only: "
            "it does not answer on ::1 (lo)."
        )
        ipv6.listen()
        assert_answers_only_on([ipv4, ipv6], "127.0.0.1", Endpoint("::1", port))
        assert_loopback_only(port)
        first, *rest = failure(assert_answers_only_on, [ipv4, ipv6], f"127.0.0.1:{port}")
        assert first.endswith("only: it answers on ::1 (lo).")
        assert re.search(rf"> lo +\[::1\]:{port} accepted", "\n".join(rest))
        assert f"Bound to 127.0.0.1:{port}." in "\n".join(rest)


@IPV6
def test_a_port_where_nothing_answers_is_not_private() -> None:
    """Nothing that answers proves nothing: a bare port number fails, whatever is asserted."""
    with allocate("127.0.0.1", "::1") as held:
        for assertion, origin in (
            (assert_loopback_only, ()),
            (assert_reachable, (THIS_HOST,)),
            (assert_not_reachable, (PHONE,)),
        ):
            first, *_ = failure(assertion, held.port, *origin)
            assert first == f"nothing answers on port {held.port}"


def test_assertions_take_a_port() -> None:
    """A port number is judged by what serves it, and so is its text."""
    with listen() as server:
        port = port_of(server)
        for target in (port, str(port), f"http://127.0.0.1:{port}/x"):
            assert_loopback_only(target)
            assert_reachable(target, "this host")
            assert_not_reachable(target, "internet")
        assert_answers_only_on(str(port), "127.0.0.1")
    with listen(0, "0.0.0.0") as wide:
        first, *_ = failure(assert_loopback_only, port_of(wide))
        assert f"0.0.0.0:{port_of(wide)}" in first


@LISTED
@LINUX
@pytest.mark.parametrize("address", ["0.0.0.0", "127.0.0.1"])
@pytest.mark.parametrize("where", [(), ("127.0.0.1",)])
def test_a_port_whose_server_stops_is_not_private(
    address: str, where: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that its first client ends was on other addresses too, for all that is known."""
    with listen(0, address) as server:
        port = port_of(server)

        def accept_once() -> None:
            peer, _ = server.accept()
            server.close()
            peer.close()

        thread = threading.Thread(target=accept_once)
        thread.start()
        lists = iter([lambda: None, thread.join])

        def listed(*arguments: object) -> object:
            next(lists)()
            return sockets_on(*arguments)

        monkeypatch.setattr(observing, "sockets_on", listed)
        first, *_ = failure(assert_answers_only_on if where else assert_loopback_only, port, *where)
    changed = f"{address}:{port} was there before the attempts, and not after them"
    assert changed in first or "it answers on" in first


@LINUX
def test_another_loopback_address_is_tried_when_named() -> None:
    """All of 127.0.0.0/8 are this machine's, and those that are asked about are tried."""
    with listen(0, "127.9.8.7") as server:
        assert_answers_only_on(server, "127.9.8.7")


@LINUX
def test_silence_is_no_refusal() -> None:
    """An address where the backlog is full does not count as closed."""
    with listen(0, "0.0.0.0", backlog=0) as server, ExitStack() as clients:
        for _ in range(3):
            client = clients.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port_of(server)))
        first, *_ = failure(assert_answers_only_on, server, "127.0.0.1", timeout=0.1)
    assert "it keeps silent, which is no refusal, on " in first


@pytest.fixture(scope="module")
def real_laptop() -> Iterator[LabHost]:
    """A machine with Wi-Fi and Ethernet, on which nothing else is served."""
    with lab.network(
        laptop={
            "wifi": ["192.168.0.102/24", "fe80::2/64"],
            "ethernet": ["10.0.0.12/24", "fd00::12/64"],
        },
        phone={"wifi": f"{PHONE}/24"},
    ) as net:
        yield net.laptop


# Where a server of the laptop is bound, and the addresses on which it answers.
ANSWERS = {
    "loopback": ("127.0.0.1", ["127.0.0.1"]),
    "IPv6 loopback": ("::1", ["::1"]),
    "Wi-Fi": ("192.168.0.102", ["192.168.0.102"]),
    "link-local": ("fe80::2%wifi", ["fe80::2%wifi"]),
    "link-local, no zone": ("fe80::2%wifi", ["fe80::2"]),
    "IPv4 wildcard": ("0.0.0.0", ["0.0.0.0"]),
    "IPv6 wildcard": ("::", ["::"]),
    "dual-stack": ("dual-stack", ["0.0.0.0", "::"]),
}


def served(machine: LabHost, address: str) -> socket.socket:
    """Return a listening socket of *machine*."""
    both = address == "dual-stack"
    return machine.listen(3000, "::" if both else address, dual_stack=both)


@needs_lab
@pytest.mark.parametrize(("bound", "where"), ANSWERS.values(), ids=ANSWERS)
def test_the_kernel_agrees(bound: str, where: list[str], real_laptop: LabHost) -> None:
    """On a machine with several interfaces each binding answers where it says, and only there."""
    with served(real_laptop, bound):
        real_laptop.call(assert_answers_only_on, 3000, *where)
        for other, elsewhere in ANSWERS.values():
            if other.partition("%")[0] != bound.partition("%")[0]:
                with pytest.raises(AssertionError):
                    real_laptop.call(assert_answers_only_on, 3000, *elsewhere)


@needs_lab
@pytest.mark.parametrize("bound", dict.fromkeys(bound for bound, _ in ANSWERS.values()))
def test_a_port_number_alone(bound: str, real_laptop: LabHost) -> None:
    """Tried by its number, only what answers on loopback alone is private."""
    with served(real_laptop, bound):
        if bound in ("127.0.0.1", "::1"):
            real_laptop.call(assert_loopback_only, 3000)
        else:
            with pytest.raises(AssertionError, match=r":3000.* is open to other machines"):
                real_laptop.call(assert_loopback_only, 3000)


@needs_lab
def test_a_wildcard_is_found_without_any_network() -> None:
    """On a machine that has only loopback, a wildcard answers where nobody serves."""
    with (
        lab.network(lonely={}) as net,
        net.lonely.listen(3000, "0.0.0.0"),
        pytest.raises(AssertionError) as caught,
    ):
        net.lonely.call(assert_loopback_only, 3000)
    answer, _, *rest = str(caught.value).splitlines()[1:]
    assert answer == "in now, but one may later. Bind 127.0.0.1 to keep it private."
    assert "  Bound to 0.0.0.0:3000: every IPv4 address of this machine." in rest


@needs_lab
def test_a_device_is_seen(real_laptop: LabHost) -> None:
    """A wildcard that is bound to a device answers on the addresses of that device."""
    with real_laptop.listen(3000, "0.0.0.0", device="wifi") as server:
        real_laptop.call(assert_answers_only_on, 3000, "192.168.0.102")
        first, *_ = failure(assert_loopback_only, server, host=real_laptop.host())
        assert first.startswith("0.0.0.0:3000 is open to other machines, by wifi")
    with real_laptop.listen(3000, "0.0.0.0", device="lo") as server:
        assert_loopback_only(server, host=real_laptop.host())


@COOKIES
@needs_lab
def test_sockets_of_another_machine(real_laptop: LabHost) -> None:
    """A socket of another network namespace is judged on its own host, and not tried from here."""
    with real_laptop.listen(3000, "192.168.0.102") as server:
        assert_reachable(server, PHONE, host=real_laptop.host())
        with pytest.raises(ValueError, match="network namespace"):
            assert_answers_only_on(server, "192.168.0.102")


def test_unittest_shows_the_line_of_the_test(tmp_path: Path) -> None:
    """unittest's traceback ends in the test, and the table is below it."""
    (tmp_path / "test_mine.py").write_text(
        "import unittest\n"
        "from bindlab import Host\n"
        "from bindlab.testing import assert_loopback_only\n"
        "class Mine(unittest.TestCase):\n"
        "    def test(self):\n"
        "        laptop = Host.of(lo='127.0.0.1/8', wifi='192.168.0.102/24')\n"
        "        assert_loopback_only('0.0.0.0:3000', host=laptop)\n"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, unittest; sys.path[:0] = ['']; unittest.main('test_mine')",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "assert_loopback_only('0.0.0.0:3000', host=laptop)" in done.stderr
    assert "predicting.py" not in done.stderr
    assert "AssertionError: 0.0.0.0:3000 is open to other machines, by wifi" in done.stderr
