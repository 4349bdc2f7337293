"""bind() and listen(): what the sockets are, what is refused, and who is kept out."""

import errno
import itertools
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import IPv4Address, IPv4Interface, IPv6Address

import pytest
from attempts import BACKLOGS, IPV6, LATE, LINUX, PYPY, leave_time_wait, port_of, squatter
from namespace import add_interface, become_nobody, in_namespace, ip, setting

from bindlab.errors import (
    AddressInUseError,
    AddressNotAvailableError,
    BindError,
    BindPermissionError,
    DeviceNotFoundError,
    InvalidBindingError,
    OptionNotSupportedError,
)
from bindlab.opening import backlog_of, bind, listen, one_socket
from bindlab.opening.one_socket import lends, options_of


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("127.0.0.1", id="ipv4"),
        pytest.param("0.0.0.0", id="ipv4-wildcard"),
        pytest.param("::1", id="ipv6", marks=IPV6),
        pytest.param("::", id="ipv6-wildcard", marks=IPV6),
        pytest.param("::ffff:127.0.0.1", id="mapped", marks=IPV6),
        pytest.param(IPv4Address("127.0.0.1"), id="object"),
        pytest.param(IPv4Interface("127.0.0.1/8"), id="interface-object"),
        pytest.param(IPv6Address("::1"), id="ipv6-object", marks=IPV6),
    ],
)
@pytest.mark.parametrize("kind", ["tcp", "udp", "listening"])
def test_a_socket_is_plain_and_complete(address: str, kind: str, stack: ExitStack) -> None:
    """Plain class, protocol number set, blocking, not inheritable, whatever the default timeout."""
    socket.setdefaulttimeout(3)
    try:
        if kind == "listening":
            sock = stack.enter_context(listen(0, address))
        else:
            transport = "tcp" if kind == "tcp" else "udp"
            sock = stack.enter_context(bind(0, address, transport=transport))
    finally:
        socket.setdefaulttimeout(None)
    assert type(sock) is socket.socket
    assert sock.proto == (socket.IPPROTO_UDP if kind == "udp" else socket.IPPROTO_TCP)
    assert sock.type == (socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    assert sock.gettimeout() is None
    assert not sock.get_inheritable()
    assert port_of(sock) > 0


@IPV6
@pytest.mark.parametrize(
    ("address", "dual_stack", "v6only"),
    [
        pytest.param("::", False, 1, id="wildcard"),
        pytest.param("::", True, 0, id="dual"),
        pytest.param("::1", False, 1, id="loopback"),
        pytest.param("::ffff:127.0.0.1", False, 0, id="mapped"),
        pytest.param("::ffff:0.0.0.0", False, 0, id="mapped-wildcard"),
    ],
)
def test_v6only_is_always_said(address: str, dual_stack: bool, v6only: int) -> None:
    """IPV6_V6ONLY is on unless dual_stack=True or the address is an IPv4 one in IPv6's clothes."""
    with listen(0, address, dual_stack=dual_stack) as sock:
        assert sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == v6only


@in_namespace
def test_v6only_does_not_depend_on_the_administrator() -> None:
    """Under net.ipv6.bindv6only=1, dual_stack=True still serves IPv4 (hard case 7)."""
    setting("ipv6/bindv6only", 1)
    with listen(0, "::", dual_stack=True) as sock:
        assert sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 0
        socket.create_connection(("127.0.0.1", port_of(sock)), timeout=2).close()
    with listen(0, "::ffff:127.0.0.1") as sock:
        socket.create_connection(("127.0.0.1", port_of(sock)), timeout=2).close()


SPELLINGS = {
    "0.0.0.0": ("0.0.0.0", False),
    "127.0.0.1": ("127.0.0.1", False),
    ":: only": ("::", False),
    ":: dual": ("::", True),
    "::1": ("::1", False),
    "mapped": ("::ffff:127.0.0.1", False),
}
COEXIST = {
    frozenset({":: only", "0.0.0.0"}),
    frozenset({":: only", "127.0.0.1"}),
    frozenset({":: only", "mapped"}),
    frozenset({"::1", "0.0.0.0"}),
    frozenset({"::1", "127.0.0.1"}),
    frozenset({"::1", "mapped"}),
}


@LINUX
@IPV6
@pytest.mark.parametrize(
    ("first", "second"),
    [pytest.param(a, b, id=f"{a}-then-{b}") for a, b in itertools.product(SPELLINGS, repeat=2)],
)
@in_namespace
def test_what_overlaps_excludes_each_other(first: str, second: str) -> None:
    """Two bindings share a port only if no packet could be for both (hard case 7)."""
    address, dual = SPELLINGS[first]
    other, other_dual = SPELLINGS[second]
    with listen(0, address, dual_stack=dual) as held:
        if frozenset({first, second}) in COEXIST:
            listen(port_of(held), other, dual_stack=other_dual).close()
        else:
            with pytest.raises(AddressInUseError):
                listen(port_of(held), other, dual_stack=other_dual)


@LINUX
@pytest.mark.parametrize("opening", [bind, listen])
@pytest.mark.parametrize("fixed", [False, True], ids=["any-port", "fixed-port"])
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize("reuse", [False, True], ids=["plain", "reuse"])
def test_a_squatter_is_refused(opening: object, fixed: bool, host: str, reuse: bool) -> None:
    """From bind() on, nobody binds the port, with SO_REUSEADDR or without (hard case 2)."""
    call = bind if opening is bind else listen
    own = "127.0.0.82"  # which no other test uses, so that nobody else takes the port
    port = 0
    if fixed:
        with bind(0, own) as free:
            port = port_of(free)
    if reuse and host == "0.0.0.0" and opening is listen and not lends():
        pytest.skip("as its docstring says of such network stacks, and as on BSD")
    with call(port, own) as held:
        host = host.replace("127.0.0.1", own)
        assert squatter(port_of(held), host, reuse=reuse, listens=False) == errno.EADDRINUSE


@LINUX
def test_a_bound_socket_can_listen_in_spite_of_squatters() -> None:
    """What bind() holds is not lost to one that binds and listens in between (hard case 2)."""
    with bind() as held:
        assert squatter(port_of(held)) == errno.EADDRINUSE
        held.listen()
        socket.create_connection(held.getsockname(), timeout=2).close()


@LINUX
@in_namespace
def test_a_restart_over_time_wait_works_at_once() -> None:
    """listen() binds over the connections that an earlier listen() left (hard case 2)."""
    port = leave_time_wait(listen())
    for _ in range(3):
        assert squatter(port, reuse=False) == errno.EADDRINUSE
        leave_time_wait(listen(port))


@LINUX
@pytest.mark.parametrize("before", [False, True], ids=["plain-before", "shared-before"])
@pytest.mark.parametrize("after", [False, True], ids=["plain-after", "shared-after"])
@in_namespace
def test_sharing_changes_nothing_in_a_restart(before: bool, after: bool) -> None:
    """Whether the earlier server or the later one shares the port, the restart works."""
    port = leave_time_wait(listen(share_port=before))
    leave_time_wait(listen(port, share_port=after))


@LINUX
@in_namespace
def test_a_bare_bind_works_over_time_wait_and_can_listen() -> None:
    """bind() takes a port with nothing but old connections on it, and its listen() works."""
    port = leave_time_wait(listen())
    with bind(port) as sock:
        sock.listen()
        assert squatter(port) == errno.EADDRINUSE


@LINUX
def test_a_listener_is_never_stolen_while_it_listens() -> None:
    """Once listening, SO_REUSEADDR on the listener opens it to nobody."""
    with listen() as server:
        assert server.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) != 0
        assert squatter(port_of(server)) == errno.EADDRINUSE
        with pytest.raises(AddressInUseError) as caught:
            listen(port_of(server))
        assert caught.value.stage == "bind"


@LATE
@LINUX
def test_an_address_in_use_may_come_from_listen() -> None:
    """Where a borrower of a lent number listens first, the error says so (hard case 8)."""
    with bind() as lender:
        lender.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with listen(port_of(lender)):
            with pytest.raises(OSError, match="in use"):
                lender.listen()
            with pytest.raises(AddressInUseError):
                bind(port_of(lender))


@LINUX
@in_namespace
def test_udp_never_shares_a_port_that_it_did_not_ask_for() -> None:
    """60 UDP sockets in a range of 20 ports: 20 different ones, then an error (hard case 5)."""
    setting("ipv4/ip_local_port_range", "40000 40019")
    for share_port in (False, True):
        with ExitStack() as stack:
            opened = (bind(transport="udp", share_port=share_port) for _ in range(60))
            ports = [port_of(stack.enter_context(next(opened))) for _ in range(20)]
            with pytest.raises(AddressInUseError, match="40000-40019"):
                next(opened)
            assert sorted(ports) == list(range(40000, 40020))


@LINUX
@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("address", ["127.0.0.1", pytest.param("::1", marks=IPV6)])
def test_a_shared_port_is_shared_with_who_asks_for_it_only(transport: str, address: str) -> None:
    """share_port=True: the same port twice; without it on both sides, refused."""
    kind = "tcp" if transport == "tcp" else "udp"
    with bind(0, address, transport=kind, share_port=True) as one:
        with bind(port_of(one), address, transport=kind, share_port=True) as other:
            assert port_of(one) == port_of(other)
        with pytest.raises(AddressInUseError):
            bind(port_of(one), address, transport=kind)


@LINUX
@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_shared_port_is_balanced(transport: str, stack: ExitStack) -> None:
    """Each of four sockets on one shared port gets its part of 200 clients, whoever came first."""
    kind = "tcp" if transport == "tcp" else "udp"
    port = 0
    servers: list[socket.socket] = []
    for _ in range(4):
        if kind == "tcp":
            server = stack.enter_context(listen(port, share_port=True))
        else:
            server = stack.enter_context(bind(port, transport="udp", share_port=True))
        server.setblocking(False)
        port = port_of(server)
        servers.append(server)
    for _ in range(200):
        client = stack.enter_context(
            socket.socket(type=socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
        )
        client.connect(("127.0.0.1", port))
        if kind == "udp":
            client.send(b"x")
    got = [0] * 4
    for i, server in enumerate(servers):
        while True:
            try:
                if kind == "tcp":
                    server.accept()[0].close()
                else:
                    server.recv(1)
            except BlockingIOError:
                break
            got[i] += 1
    assert sum(got) == 200
    assert min(got) > 20


@BACKLOGS
@LINUX
@pytest.mark.parametrize(
    ("backlog", "effective"),
    [
        pytest.param(None, 10, id="maximum"),
        pytest.param(3, 3, id="below"),
        pytest.param(2**31 - 1, 10, id="above"),
        pytest.param(0, 0, id="zero"),
    ],
)
@in_namespace
def test_the_effective_backlog_can_be_read(backlog: int | None, effective: int) -> None:
    """The kernel cuts a backlog down to somaxconn, and backlog_of() shows it (hard case 10)."""
    setting("core/somaxconn", 10)
    with listen(backlog=backlog) as sock:
        assert backlog_of(sock) == (1 if PYPY and backlog == 0 else effective)


@LINUX
def test_the_backlog_of_a_socket_that_does_not_listen_is_an_error() -> None:
    """backlog_of() never passes off another number as a backlog."""
    with bind() as sock, pytest.raises(ValueError, match="does not listen"):
        backlog_of(sock)


@LINUX
@pytest.mark.parametrize("kind", ["udp", "unix", "closed"])
def test_the_backlog_of_what_is_no_tcp_socket_is_an_error(kind: str) -> None:
    """The error is the documented one, and not the system's."""
    family = socket.AF_UNIX if kind == "unix" else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM) as sock:
        if kind == "closed":
            sock.close()
        with pytest.raises(ValueError, match="no open TCP socket"):
            backlog_of(sock)


@LINUX
@in_namespace
def test_a_zone_is_a_name_or_an_index() -> None:
    """A link-local address binds through its text, by the zone's name or index (hard case 10)."""
    add_interface("net0")
    ip("addr", "add", "fe80::5/64", "dev", "net0", "nodad")
    index = socket.if_nametoindex("net0")
    for zone in ("net0", str(index)):
        with listen(0, f"fe80::5%{zone}") as sock:
            assert sock.getsockname()[3] == index
    with pytest.raises(InvalidBindingError, match="write fe80::5%net0"):
        bind(0, "fe80::5")
    with pytest.raises(AddressNotAvailableError, match="belongs to net0"):
        bind(0, "fe80::5%lo")
    with pytest.raises(DeviceNotFoundError, match="no interface is called 'net1'") as caught:
        bind(0, "fe80::5%net1")
    assert caught.value.stage == "zone"
    assert caught.value.errno == errno.ENODEV


@LINUX
@in_namespace
def test_a_device_narrows_a_binding() -> None:
    """device= is an interface: two share a port, others' packets stay out (hard case 10)."""
    add_interface("net0")
    ip("addr", "add", "10.0.0.1/24", "dev", "net0")
    with listen(0, "0.0.0.0", device="net0") as server:
        port = port_of(server)
        option = server.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16)
        assert option.rstrip(b"\0") == b"net0"
        socket.create_connection(("10.0.0.1", port), timeout=2).close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=2)
        listen(port, "0.0.0.0", device="lo").close()
        with pytest.raises(AddressInUseError):
            listen(port, "0.0.0.0")
    with pytest.raises(DeviceNotFoundError, match=r"'net7'.*lo, .*net0"):
        listen(device="net7")


@LINUX
@in_namespace
def test_dual_stack_survives_disabled_ipv6() -> None:
    """With disable_ipv6=1, dual_stack=True serves IPv4, ::1 is refused by name (hard case 6)."""
    setting("ipv6/conf/all/disable_ipv6", 1)
    with listen(0, "::", dual_stack=True) as sock:
        assert sock.family == socket.AF_INET6  # AF_INET is for a kernel that has no IPv6 at all
        socket.create_connection(("127.0.0.1", port_of(sock)), timeout=2).close()
    with pytest.raises(AddressNotAvailableError, match="IPv6 is switched off"):
        listen(0, "::1")


@LINUX
@in_namespace
def test_ports_below_the_system_s_own_limit_need_a_privilege() -> None:
    """The hint names the limit that this system has, and a port that would do (hard case 8)."""
    setting("ipv4/ip_unprivileged_port_start", 500)
    become_nobody()
    bind(500).close()
    with pytest.raises(PermissionError) as caught:
        bind(80)
    assert isinstance(caught.value, BindPermissionError)
    assert str(caught.value) == (
        "127.0.0.1:80: Permission denied (ports below 500 need privileges; try 8080)"
    )


@LINUX
@in_namespace
def test_an_address_still_being_checked_is_refused_with_its_reason() -> None:
    """During duplicate address detection the hint says to wait (hard case 8)."""
    add_interface("net0")
    ip("addr", "add", "fd00::7/64", "dev", "net0")
    with pytest.raises(AddressNotAvailableError, match="try again in two seconds"):
        bind(0, "fd00::7")
    with pytest.raises(AddressNotAvailableError, match=r"does not have it; it has 127\.0\.0\.1"):
        bind(0, "192.0.2.77")


@LINUX
@in_namespace
def test_a_full_range_is_named() -> None:
    """When every ephemeral port is held, the error names the range, at once (hard case 4)."""
    setting("ipv4/ip_local_port_range", "40000 40019")
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(bind())
        started = time.monotonic()
        with pytest.raises(AddressInUseError, match="range 40000-40019"):
            bind()
        assert time.monotonic() - started < 1


WRONG = [
    pytest.param({"port": "80"}, TypeError, "write 8000", id="port-text"),
    pytest.param({"port": "+80"}, TypeError, "write 8000", id="port-sign"),
    pytest.param({"port": " 80"}, TypeError, "write 8000", id="port-space"),
    pytest.param({"port": True}, TypeError, "write 8000", id="port-bool"),
    pytest.param({"port": 80.0}, TypeError, "write 8000", id="port-float"),
    pytest.param({"port": None}, TypeError, "write 8000", id="port-none"),
    pytest.param({"port": [80]}, TypeError, "write 8000", id="port-list"),
    pytest.param({"port": -1}, ValueError, "from 0 to 65535", id="port-negative"),
    pytest.param({"port": 65536}, ValueError, "from 0 to 65535", id="port-huge"),
    pytest.param({"address": ""}, ValueError, "write", id="address-empty"),
    pytest.param({"address": None}, TypeError, "write", id="address-none"),
    pytest.param({"address": b"127.0.0.1"}, TypeError, "write", id="address-bytes"),
    pytest.param({"address": ["::1"]}, TypeError, "write", id="address-list"),
    pytest.param({"address": 2130706433}, TypeError, "write", id="address-int"),
    pytest.param({"address": "localhost"}, ValueError, "allocate", id="address-localhost"),
    pytest.param({"address": "example"}, ValueError, "getaddrinfo", id="address-name"),
    pytest.param({"address": "[::1]"}, ValueError, "write ::1", id="address-brackets"),
    pytest.param({"address": "1.2.3"}, ValueError, "write", id="address-short"),
    pytest.param({"address": "127.0.0.1:80"}, ValueError, "write", id="address-with-port"),
    pytest.param({"address": "*"}, ValueError, "write", id="address-star"),
    pytest.param({"address": "::1%"}, ValueError, "zone", id="zone-empty"),
    pytest.param({"address": "fe80::1%4294967296"}, ValueError, "zone", id="zone-huge"),
    pytest.param({"dual_stack": True}, ValueError, '"::"', id="dual-ipv4"),
    pytest.param({"dual_stack": True, "address": "::1"}, ValueError, '"::"', id="dual-specific"),
    pytest.param(
        {"dual_stack": True, "address": "::ffff:0.0.0.0"}, ValueError, '"::"', id="dual-mapped"
    ),
    pytest.param({"dual_stack": 1, "address": "::"}, TypeError, "True or False", id="dual-int"),
    pytest.param({"share_port": None}, TypeError, "True or False", id="share-none"),
    pytest.param({"share_port": "yes"}, TypeError, "True or False", id="share-text"),
    pytest.param({"device": 1}, TypeError, '"eth0"', id="device-int"),
    pytest.param({"device": b"eth0"}, TypeError, '"eth0"', id="device-bytes"),
    pytest.param({"device": ["eth0"]}, TypeError, '"eth0"', id="device-list"),
    pytest.param({"device": ""}, ValueError, '"eth0"', id="device-empty"),
    pytest.param({"device": "x" * 16}, ValueError, '"eth0"', id="device-long"),
    pytest.param({"device": "a/b"}, ValueError, '"eth0"', id="device-slash"),
    pytest.param({"device": "a\0b"}, ValueError, '"eth0"', id="device-nul"),
]


@pytest.mark.parametrize(("arguments", "error", "advice"), WRONG)
@pytest.mark.parametrize("opening", [bind, listen])
def test_wrong_arguments_are_refused_with_advice(
    opening: object, arguments: dict[str, object], error: type[Exception], advice: str
) -> None:
    """What is wrong is a ValueError or TypeError that says what to write, and never a BindError."""
    with pytest.raises(error, match=advice) as caught:
        getattr(sys.modules["bindlab.opening"], opening.__name__)(**arguments)  # type: ignore[attr-defined]
    assert not isinstance(caught.value, OSError)


@pytest.mark.parametrize(
    ("call", "error", "advice"),
    [
        pytest.param(lambda: bind(transport="TCP"), ValueError, '"tcp" or "udp"', id="case"),
        pytest.param(lambda: bind(transport=None), TypeError, '"tcp" or "udp"', id="none"),
        pytest.param(lambda: bind(transport=["tcp"]), TypeError, '"tcp" or "udp"', id="list"),
        pytest.param(lambda: listen(backlog=-1), ValueError, "None", id="backlog-negative"),
        pytest.param(lambda: listen(backlog=2**31), ValueError, "None", id="backlog-huge"),
        pytest.param(lambda: listen(backlog=True), TypeError, "None", id="backlog-bool"),
        pytest.param(lambda: listen(backlog="5"), TypeError, "None", id="backlog-text"),
        pytest.param(lambda: listen(backlog=5.0), TypeError, "None", id="backlog-float"),
    ],
)
def test_wrong_options_are_refused_with_advice(
    call: object, error: type[Exception], advice: str
) -> None:
    """The options that only one of the two has are checked as well."""
    assert callable(call)
    with pytest.raises(error, match=advice):
        call()


def test_an_argument_that_was_right_once_does_not_make_an_equal_one_right() -> None:
    """0 == False and 1 == True: remembering checked requests must not let a bool pass for them."""
    bind(0).close()
    with pytest.raises(TypeError):
        bind(False)
    with listen(0, "::", dual_stack=False):
        pass
    with pytest.raises(TypeError):
        listen(0, "::", dual_stack=0)  # type: ignore[arg-type]


def test_windows_sockets_are_exclusive_and_never_reuse() -> None:
    """The options for Windows (from documentation): SO_EXCLUSIVEADDRUSE, no SO_REUSEADDR ever."""
    assert options_of("win32") == (getattr(socket, "SO_EXCLUSIVEADDRUSE", -1), None)


@pytest.mark.parametrize("platform", ["linux", "darwin", "freebsd14"])
def test_posix_sockets_reuse_addresses_only_after_listening(platform: str) -> None:
    """Everywhere else there is nothing before bind(), and SO_REUSEADDR after listen()."""
    assert options_of(platform) == (None, socket.SO_REUSEADDR)


@LINUX
def test_an_option_that_the_system_lacks_is_a_bind_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without SO_REUSEPORT refuses share_port=True, as one without a device= does."""
    with socket.socket() as sock:
        try:
            sock.setsockopt(socket.SOL_SOCKET, one_socket._UNKNOWN, b"lo")
        except OSError:
            pass
        else:
            pytest.skip("this network stack takes any option")
    for name in ("_SHARE", "_DEVICE"):
        assert getattr(one_socket, name) > 0
        monkeypatch.setattr(one_socket, name, one_socket._UNKNOWN)
    for options in ({"share_port": True}, {"device": "lo"}):
        with pytest.raises(OptionNotSupportedError):
            bind(0, **options)  # type: ignore[arg-type]


@LINUX
def test_importing_costs_little() -> None:
    """Opening loads none of the heavy modules, until an error needs them."""
    heavy = "ifaddr ctypes asyncio subprocess dataclasses inspect typing_extensions random"
    code = (
        "import sys, bindlab.opening\n"
        f"print(sorted(set({heavy.split()!r}) & set(sys.modules)), "
        "[m for m in sys.modules if m == 'bindlab.linux'])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[] []"


@LINUX
def test_nothing_needs_a_codec_that_is_loaded_late() -> None:
    """Files are read as UTF-8: after a loss of privileges the import of another codec can fail."""
    code = (
        "import sys\n"
        "from bindlab.opening import allocate, bind, listen\n"
        "from bindlab.opening.port_range import ephemeral_ports, privileged_below\n"
        "ephemeral_ports(), privileged_below()\n"
        "with listen() as busy:\n"
        "    try:\n"
        "        bind(busy.getsockname()[1])\n"
        "    except OSError as error:\n"
        "        print(error.hint != '')\n"
        "print([name for name in sys.modules if name.startswith('encodings.')])"
    )
    command = [sys.executable, "-I", "-X", "utf8", "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    hinted, loaded = run.stdout.splitlines()
    assert hinted == "True"
    assert "encodings.ascii" not in loaded


@LATE
@LINUX
def test_the_system_calls_are_those_of_the_plain_sequence() -> None:
    """listen() makes the calls that a program would, in the order that keeps others out.

    Once in a process, amid them, it tries whether options count that are set after bind().
    """
    if not os.path.exists("/usr/bin/strace"):
        pytest.skip("strace is not installed")
    code = "from bindlab.opening import listen; listen().close(); listen(0, '::1').close()"
    run = subprocess.run(
        ["strace", "-f", "-e", "trace=network", sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=30,
    )
    calls = [line.partition("(")[0] for line in run.stderr.splitlines() if "(" in line]
    assert calls == [
        "socket",
        *("socket", "socket", "bind", "setsockopt", "setsockopt", "getsockname", "bind"),
        *("bind", "listen", "setsockopt"),
        *("socket", "setsockopt", "bind", "listen", "setsockopt"),
    ]


def test_a_refusal_keeps_the_truth() -> None:
    """A BindError has the system's errno, stage, endpoint and cause."""
    with pytest.raises(BindError) as caught:
        bind(53, "192.0.2.77")
    error = caught.value
    assert error.errno == errno.EADDRNOTAVAIL
    assert error.stage == "bind"
    assert str(error.endpoint) == "192.0.2.77:53"
    assert isinstance(error.__cause__, OSError)
    assert error.__cause__.errno == errno.EADDRNOTAVAIL
