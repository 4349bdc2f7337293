"""interfaces() and this_host() against real interfaces in namespaces, and odd adapters."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from ipaddress import IPv4Interface, IPv6Address, IPv6Interface, ip_interface, ip_network
from pathlib import Path

import ifaddr
import pytest
from attempts import PYPY
from namespace import Namespace, namespace, needs_namespaces, ns

from bindlab.host import Host
from bindlab.interface import AddressState, Interface
from bindlab.linux import Netlink, has_sysctl, links, netlink
from bindlab.linux.interfaces import _state
from bindlab.snapshot import interfaces, machine, this_host
from bindlab.snapshot.machine import system

__all__ = ["ns"]

linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux's own tables")


def named(found: Iterable[Interface]) -> dict[str, Interface]:
    return {interface.name: interface for interface in found}


def texts(interface: Interface) -> list[str]:
    return [str(address) for address in interface.addresses]


# Real interfaces


def test_loopback_is_there_and_says_so() -> None:
    """Any machine has a loopback interface, and 127.0.0.1 is on it."""
    loopback = next(i for i in interfaces() if i.holds_loopback)
    assert IPv4Interface("127.0.0.1/8") in loopback.addresses


@needs_namespaces
def test_an_unconfigured_namespace_has_loopback_down() -> None:
    """An interface that is down and has no address is listed, with its flags."""
    with namespace() as bare:
        (lo,) = bare.run(interfaces)
    assert (lo.name, lo.index, lo.addresses, lo.states) == ("lo", 1, (), ())
    assert (lo.is_up, lo.is_running, lo.is_loopback, lo.is_point_to_point) == (
        False,
        False,
        True,
        False,
    )


@needs_namespaces
def test_everything_is_as_ip_lists_it(ns: Namespace) -> None:
    """Names, indices, flags and addresses are those that iproute2 lists, by index."""
    ns.pair("eth0", "wire0")
    ns.pair("down0", "down1", up=False)
    ns.ip("link add bridge0 type bridge")
    ns.ip("tuntap add dev tun0 mode tun")
    ns.ip("link set tun0 up")
    ns.ip("addr add 192.168.0.102/24 dev eth0")
    ns.ip("addr add 10.99.0.1/32 dev lo")
    ns.ip("addr add 10.8.0.1 peer 10.8.0.2/32 dev tun0")
    ns.ip("addr add 2001:db8::102/64 dev eth0 nodad")
    ns.ip("addr add 172.17.0.1/16 dev down0")
    found = ns.run(interfaces)
    expected = {link["ifname"]: link for link in json.loads(ns.output(["ip", "-j", "addr"]))}
    assert [i.index for i in found] == sorted(link["ifindex"] for link in expected.values())
    assert found[0].name == "lo"
    for interface in found:
        link = expected[interface.name]
        assert interface.index == link["ifindex"]
        assert interface.is_up is ("UP" in link["flags"])
        assert interface.is_loopback is ("LOOPBACK" in link["flags"])
        assert interface.is_point_to_point is ("POINTOPOINT" in link["flags"])
        assert {
            (str(a).partition("%")[0].partition("/")[0], a.network.prefixlen)
            for a in interface.addresses
        } == {(info["local"], info["prefixlen"]) for info in link["addr_info"] if "local" in info}
    flags = {i.name: (i.is_up, i.is_running, i.is_point_to_point) for i in found}
    assert flags["eth0"] == (True, True, False)
    assert flags["down0"] == (False, False, False)
    # Up, and nobody holds its other end; Linux 6.1 calls it running all the same.
    assert flags["tun0"] in [(True, False, True), (True, True, True)]


@needs_namespaces
def test_the_zone_of_a_link_local_address_is_its_interface(ns: Namespace) -> None:
    """The same link-local address on two interfaces is two addresses, by their zones."""
    ns.pair("eth0", "eth1")
    for name in ("eth0", "eth1"):
        ns.ip(f"addr add fe80::1/64 dev {name} nodad")
    found = named(ns.run(interfaces))
    for name in ("eth0", "eth1"):
        assert IPv6Interface(f"fe80::1%{name}/64") in found[name].addresses
        assert found[name].state(IPv6Address(f"fe80::1%{name}")) is AddressState.PREFERRED


@needs_namespaces
def test_aliases_are_folded_in_the_order_of_the_system(ns: Namespace) -> None:
    """Addresses labelled eth0:1 belong to eth0, in the order in which the kernel has them."""
    ns.pair("eth0", "wire0")
    ns.ip("addr add 10.0.0.3/24 dev eth0 label eth0:b")
    ns.ip("addr add 10.0.0.2/24 dev eth0")
    ns.ip("addr add 10.0.0.9/24 dev eth0 label eth0:a")
    ns.ip("addr add 10.0.0.1/24 dev eth0 label eth0:b")
    ns.ip("addr add 2001:db8::1/64 dev eth0 nodad")
    found = named(ns.run(interfaces))
    assert sorted(found) == ["eth0", "lo", "wire0"]
    assert texts(found["eth0"])[:5] == [
        "10.0.0.3/24",
        "10.0.0.2/24",
        "10.0.0.9/24",
        "10.0.0.1/24",
        "2001:db8::1/64",
    ]
    assert found["eth0"].display_name == "eth0"


@needs_namespaces
def test_the_settings_of_each_interface_are_those_of_proc(ns: Namespace) -> None:
    """route_localnet and disable_ipv6 are what /proc/sys/net has for that interface."""
    ns.pair("eth0", "eth1")
    ns.pair("eth2", "eth3")
    ns.sysctl("ipv4/conf/eth0/route_localnet", 1)
    ns.sysctl("ipv4/conf/eth3/route_localnet", 1)
    ns.sysctl("ipv6/conf/eth1/disable_ipv6", 1)
    ns.sysctl("ipv6/conf/eth3/disable_ipv6", 1)

    def proc(name: str) -> tuple[bool, bool]:
        conf = (f"ipv4/conf/{name}/route_localnet", f"ipv6/conf/{name}/disable_ipv6")
        local, disabled = (int(Path("/proc/sys/net", path).read_text()) for path in conf)
        return bool(local), bool(disabled)

    found = ns.run(lambda: {i.name: (proc(i.name), i) for i in interfaces()})
    assert {name: told for name, (told, _) in found.items()} == {
        "lo": (False, False),
        "eth0": (True, False),
        "eth1": (False, True),
        "eth2": (False, False),
        "eth3": (True, True),
    }
    for told, interface in found.values():
        assert (interface.route_localnet, interface.disable_ipv6) == told


@needs_namespaces
def test_the_states_of_ipv6_addresses(ns: Namespace) -> None:
    """Each IPv6 address has its state, one of which nothing special is said PREFERRED."""
    ns.pair("eth0", "wire0")
    ns.sysctl("ipv6/conf/eth0/dad_transmits", 20)
    ns.sysctl("ipv6/conf/eth0/use_tempaddr", 2)
    ns.ip("addr add 2001:db8:1::1/64 dev eth0 nodad")
    ns.ip("addr add 2001:db8:2::1/64 dev eth0 nodad preferred_lft 0")
    ns.ip("addr add 2001:db8:3::1/64 dev eth0")
    ns.ip("addr add 2001:db8:4::1/64 dev eth0 mngtmpaddr nodad valid_lft 9999 preferred_lft 9999")
    eth0 = named(ns.run(interfaces))["eth0"]
    assert eth0.states is not None
    told = dict(eth0.states)
    assert told[IPv6Address("2001:db8:1::1")] is AddressState.PREFERRED
    assert told[IPv6Address("2001:db8:2::1")] is AddressState.DEPRECATED
    assert told[IPv6Address("2001:db8:3::1")] is AddressState.TENTATIVE
    (made,) = (
        state
        for ip, state in told.items()
        if ip in ip_network("2001:db8:4::/64") and ip != IPv6Address("2001:db8:4::1")
    )
    assert AddressState.TEMPORARY in made
    assert len(told) == sum(isinstance(a, IPv6Interface) for a in eth0.addresses)


@needs_namespaces
def test_an_address_that_somebody_else_has_is_told(ns: Namespace) -> None:
    """Where duplicate address detection found another owner, the state is DAD_FAILED."""
    with namespace() as neighbour:
        ns.ip("link add eth0 type veth peer name far0")
        ns.ip(f"link set far0 netns {neighbour.path}")
        neighbour.ip("link set far0 up")
        ns.ip("link set eth0 up")
        neighbour.ip("addr add 2001:db8::1/64 dev far0 nodad")
        ns.ip("addr add 2001:db8::1/64 dev eth0")
        until = time.monotonic() + 8
        state = None
        while time.monotonic() < until:
            state = named(ns.run(interfaces))["eth0"].state(IPv6Address("2001:db8::1"))
            if state is not None and AddressState.DAD_FAILED in state:
                break
            time.sleep(0.05)
    assert state is not None
    assert AddressState.DAD_FAILED in state


@pytest.mark.parametrize(
    ("flags", "state"),
    [
        pytest.param(0x80, AddressState.PREFERRED, id="permanent"),
        pytest.param(0x40, AddressState.TENTATIVE, id="tentative"),
        pytest.param(0x40 | 0x04, AddressState.PREFERRED, id="optimistic"),
        pytest.param(0x40 | 0x08, AddressState.TENTATIVE | AddressState.DAD_FAILED, id="failed"),
        pytest.param(0x01 | 0x20, AddressState.TEMPORARY | AddressState.DEPRECATED, id="old"),
        pytest.param(0x300, AddressState.PREFERRED, id="flags of no concern"),
    ],
)
def test_kernel_flags_mean(flags: int, state: AddressState) -> None:
    """IFA_F_... flags become states; an optimistic address is in use, so not tentative."""
    assert _state(flags) == state


# Whose interfaces


@needs_namespaces
def test_a_thread_sees_its_own_namespace(ns: Namespace) -> None:
    """A thread that entered a namespace sees that one, while the main thread sees its own."""
    ns.pair("only-here", "and-here")
    ns.sysctl("ipv4/conf/all/route_localnet", 1)
    ns.sysctl("ipv6/bindv6only", 1)
    before = interfaces()
    inside = ns.run(this_host)
    assert [i.name for i in inside.interfaces] == ["lo", "and-here", "only-here"]
    assert (inside.route_localnet, inside.bindv6only) == (True, True)
    assert "only-here" not in named(interfaces())
    assert [i.name for i in interfaces()] == [i.name for i in before]
    here = this_host()
    for setting, path in (
        (here.route_localnet, "ipv4/conf/all/route_localnet"),
        (here.bindv6only, "ipv6/bindv6only"),
    ):
        assert setting is bool(int(Path("/proc/sys/net", path).read_text()))


@needs_namespaces
def test_a_process_sees_its_own_namespace(ns: Namespace) -> None:
    """A process started in a namespace sees that one."""
    ns.pair("only-here", "and-here")
    ns.ip("addr add 10.77.0.1/24 dev only-here")
    told = Host.from_json(
        ns.python("from bindlab.snapshot import this_host; print(this_host().to_json())")
    )
    assert told == ns.run(this_host)
    assert ip_interface("10.77.0.1/24") in told.interface("only-here").addresses


# Odd interfaces

ODD_NAMES = [
    pytest.param("eth0.5", "eth0.5", id="dots"),
    pytest.param("größe", "größe", id="letters"),
    pytest.param("网络", "网络", id="chinese"),
    pytest.param("42", None, id="digits"),
    pytest.param("a\x1b[31mb", None, id="escape sequence"),
    pytest.param("a\N{EM SPACE}b", None, id="wide space"),
    pytest.param("a@b-c_d+e", "a@b-c_d+e", id="punctuation"),
    pytest.param("w\udcff\udcfe", None, id="no text"),
]


@needs_namespaces
@pytest.mark.parametrize(("name", "zone"), ODD_NAMES)
def test_an_odd_name_harms_nothing(ns: Namespace, name: str, zone: str | None) -> None:
    """Any name that the kernel takes is listed, and zones stay usable: by index, if need be."""
    ns.pair("eth0", "wire0", up=False)
    ns.ip(b"link set eth0 name " + os.fsencode(name))
    ns.ip(b"link set up dev " + os.fsencode(name))
    ns.ip("link set wire0 up")
    ns.ip(b"addr add 10.0.0.1/24 dev " + os.fsencode(name))
    ns.ip(b"addr add fe80::1/64 nodad dev " + os.fsencode(name))
    host = ns.run(this_host)
    odd = named(host.interfaces)[name]
    assert odd.display_name.isprintable()
    assert odd.is_up is True
    zone = zone or str(odd.index)
    assert IPv4Interface("10.0.0.1/24") in odd.addresses
    assert IPv6Interface(f"fe80::1%{zone}/64") in odd.addresses
    assert odd.state(IPv6Address(f"fe80::1%{zone}")) is AddressState.PREFERRED
    assert odd.has_zone(zone)
    if not PYPY or name.isprintable():
        assert ns.run(lambda: socket.if_nametoindex(odd.name)) == odd.index
    assert named(host.interfaces)["lo"].addresses
    assert Host.from_json(host.to_json()) == host


V4, V6 = ("10.1.2.3", "2001:db8::7")
ODD_ADAPTERS = [
    pytest.param([], [], id="none at all"),
    pytest.param([("wifi", [], 7)], [("wifi", 7, [])], id="no address"),
    pytest.param([("wifi", [(V4, 24)], None)], [("wifi", None, [f"{V4}/24"])], id="no index"),
    pytest.param([("", [(V4, 24)], 7)], [("7", 7, [f"{V4}/24"])], id="no name"),
    pytest.param([("", [], None)], [("?", None, [])], id="nothing"),
    pytest.param([("wifi", [(V4, 33)], 7)], [("wifi", 7, [f"{V4}/32"])], id="prefix too long"),
    pytest.param([("wifi", [(V4, -1)], 7)], [("wifi", 7, [f"{V4}/32"])], id="prefix negative"),
    pytest.param([("wifi", [(V4, None)], 7)], [("wifi", 7, [f"{V4}/32"])], id="prefix missing"),
    pytest.param([("wifi", [(V4, 0)], 7)], [("wifi", 7, [f"{V4}/0"])], id="prefix of nothing"),
    pytest.param(
        [("wifi", [((V6, 0, 0), 129)], 7)], [("wifi", 7, [f"{V6}/128"])], id="ipv6 prefix"
    ),
    pytest.param(
        [("wifi", [("nonsense", 24), (V4, 24), (("x", 0, 0), 64), (None, 1)], 7)],
        [("wifi", 7, [f"{V4}/24"])],
        id="no address at all",
    ),
    pytest.param(
        [("wifi", [((V6, 9, 3), 64)], 7)], [("wifi", 7, [f"{V6}/64"])], id="scope of a global"
    ),
    pytest.param(
        [("a%b", [(("fe80::1", 0, 7), 64)], 7)], [("a%b", 7, ["fe80::1%7/64"])], id="percent sign"
    ),
    pytest.param(
        [("wifi", [(("fe80::1", 0, 0), 64)], 7)],
        [("wifi", 7, ["fe80::1%wifi/64"])],
        id="link-local without scope",
    ),
    pytest.param(
        [("wifi", [(("fe80::1", 0, 9), 64)], 7)],
        [("wifi", 7, ["fe80::1%9/64"])],
        id="scope of its own",
    ),
    pytest.param(
        [("a b", [(("fe80::1", 0, 0), 64)], None)],
        [("a b", None, ["fe80::1/64"])],
        id="neither an index nor a name to write behind an address",
    ),
    pytest.param([("wifi:1", [(V4, 24)], 7)], [("wifi", 7, [f"{V4}/24"])], id="alias of nothing"),
    pytest.param(
        [("wifi", [((V6, 0, 0), 64)], 7), ("wifi:1", [(V4, 24)], None)],
        [("wifi", 7, [f"{V6}/64", f"{V4}/24"])],
        id="alias of an unlabelled",
    ),
    pytest.param(
        [("b", [], None), ("z", [], 9), ("a", [], 3), ("c", [], None), ("zero", [], 0)],
        [("a", 3, []), ("z", 9, []), ("b", None, []), ("c", None, []), ("zero", None, [])],
        id="by index, then as they come",
    ),
    pytest.param(
        [("wifi", [(V4, 24)], 7), ("wifi", [("10.0.0.9", 8)], 7)],
        [("wifi", 7, [f"{V4}/24", "10.0.0.9/8"])],
        id="twice",
    ),
]


@pytest.mark.skipif(sys.platform == "win32", reason="labels are of Unix: test_windows.py")
@pytest.mark.parametrize(("adapters", "expected"), ODD_ADAPTERS)
def test_an_odd_adapter_raises_nothing(
    adapters: list[tuple[str, list[tuple[object, int]], int | None]],
    expected: list[tuple[str, int | None, list[str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever ifaddr lists is listed, as far as it makes sense, and makes a host."""
    monkeypatch.setattr(netlink, "_AF_NETLINK", None)  # which would know better on Linux
    made = [
        ifaddr.Adapter(name, name, [ifaddr.IP(ip, prefix, name) for ip, prefix in ips], index)
        for name, ips, index in adapters
    ]
    monkeypatch.setattr(ifaddr, "get_adapters", lambda include_unconfigured: made)
    found = interfaces()
    assert [(i.name, i.index, texts(i)) for i in found] == expected
    assert Host.from_json(Host(found).to_json()) == Host(found)


def test_an_adapter_of_the_same_name_is_not_another_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system says of an index is not said of an adapter with another one."""
    made = [ifaddr.Adapter("lo", "Loopback", [ifaddr.IP("10.0.0.1", 8, "lo")], 123456)]
    monkeypatch.setattr(ifaddr, "get_adapters", lambda include_unconfigured: made)
    (odd,) = interfaces()
    assert (odd.is_up, odd.is_loopback, odd.states) == (None, None, None)
    assert odd.display_name == "Loopback"


@linux
@pytest.mark.parametrize(
    "error",
    [
        pytest.param(AssertionError("sockaddr_to_ip(None) returned None"), id="no netmask"),
        pytest.param(TypeError('can only concatenate str (not "NoneType")'), id="no netmask, -O"),
        pytest.param(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"), id="odd name"),
        pytest.param(OSError(12, "Cannot allocate memory"), id="getifaddrs fails"),
    ],
)
def test_where_ifaddr_fails_linux_is_asked_itself(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same interfaces are listed when ifaddr gives up on one of them."""
    usual = interfaces()

    def fail(include_unconfigured: bool) -> list[ifaddr.Adapter]:
        raise error

    monkeypatch.setattr(ifaddr, "get_adapters", fail)
    # gVisor lists addresses in another order each time.
    assert sorted_by_name(interfaces()) == sorted_by_name(usual)


def sorted_by_name(found: Iterable[Interface]) -> list[Interface]:
    return [each.replace(addresses=sorted(each.addresses, key=str)) for each in found]


def test_where_nothing_lists_the_interfaces_it_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A list without addresses would be a lie, so there is none; the cause is told."""
    trouble = OSError(12, "Cannot allocate memory")

    def fail(include_unconfigured: bool) -> list[ifaddr.Adapter]:
        raise trouble

    monkeypatch.setattr(ifaddr, "get_adapters", fail)
    monkeypatch.setattr(netlink, "_AF_NETLINK", None)
    with pytest.raises(OSError, match="ifaddr cannot list the interfaces") as caught:
        interfaces()
    assert caught.value.errno == 12
    assert caught.value.__cause__ is trouble


@linux
def test_without_netlink_the_rest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sandbox that refuses netlink leaves flags, settings and states unknown: None."""
    usual = interfaces()
    monkeypatch.setattr(netlink, "_AF_NETLINK", None)
    for interface, known in zip(interfaces(), usual, strict=True):
        assert (interface.name, {*interface.addresses}) == (known.name, {*known.addresses})
        assert interface.is_up is interface.is_loopback is interface.states is None
        assert interface.route_localnet is interface.disable_ipv6 is None
    assert this_host().local_routes is None


@needs_namespaces
def test_a_reverse_path_filter_of_3_is_loose(ns: Namespace) -> None:
    """Linux takes any number for rp_filter; what is neither 0 nor 1 is loose."""
    ns.pair("eth0", "wire0")
    ns.sysctl("ipv4/conf/eth0/rp_filter", 3)
    assert named(ns.run(interfaces))["eth0"].rp_filter == 2


# The host


@needs_namespaces
def test_local_routes_are_what_no_address_explains(ns: Namespace) -> None:
    """Networks that are delivered here are listed; own addresses and other tables are not."""
    ns.pair("eth0", "wire0")
    ns.ip("addr add 192.168.0.102/24 dev eth0")
    ns.ip("addr add 2001:db8::1/64 dev eth0 nodad")
    ns.ip("addr add 10.98.0.1/24 dev lo")
    ns.ip("route add local 203.0.113.0/25 dev lo")
    ns.ip("route add local 198.51.100.7/32 dev eth0")
    ns.ip("-6 route add local 2001:db8:ffff::/48 dev lo")
    ns.ip("route add local 10.66.0.0/16 dev lo table 100")
    ns.ip("route add 10.55.0.0/16 dev eth0")
    ns.ip("route add blackhole 10.44.0.0/16")
    routes = ns.run(this_host).local_routes
    assert routes is not None
    assert sorted(map(str, routes)) == [
        "10.98.0.0/24",
        "127.0.0.0/8",
        "198.51.100.7/32",
        "2001:db8:ffff::/48",
        "203.0.113.0/25",
    ]


@needs_namespaces
def test_a_namespace_that_never_had_an_address_has_no_local_routes() -> None:
    """Where the kernel has no table yet there are no such routes, which is known."""
    with namespace() as bare:
        host = bare.run(this_host)
    assert host.local_routes == ()
    assert host.strong_host is False
    assert host.assumed == frozenset()


@linux
def test_on_linux_nothing_is_assumed() -> None:
    """Every setting of this host was read, and the host survives a bug report."""
    host = this_host()
    missing = set() if has_sysctl("ipv4/conf/all/route_localnet") else {"route_localnet"}
    assert (host.system, host.assumed, host.strong_host) == ("linux", missing, False)
    assert sorted_by_name(host.interfaces) == sorted_by_name(interfaces())
    assert Host.from_json(host.to_json()) == host


def test_elsewhere_what_can_be_configured_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Off Linux the host model and local routes are unknown; bindv6only is asked of a socket."""
    monkeypatch.setattr(machine, "system", lambda: "macos")
    host = this_host()
    assert (host.system, host.strong_host, host.local_routes) == ("macos", None, None)
    assert host.assumed == {"route_localnet", "tcp_l3mdev_accept", "udp_l3mdev_accept"}
    assert host.bindv6only is not None
    assert {i.is_up for i in host.interfaces} == {None}  # 0xC0206911 means nothing to Linux


@pytest.mark.parametrize(
    ("platform", "name"),
    [
        ("linux", "linux"),
        ("android", "linux"),
        ("darwin", "macos"),
        ("ios", "macos"),
        ("win32", "windows"),
        ("cygwin", "windows"),
        ("freebsd14", "freebsd"),
        ("openbsd7", "openbsd"),
        ("netbsd10", "freebsd"),
        ("dragonfly6", "freebsd"),
        ("sunos5", "freebsd"),
        ("aix", "freebsd"),
    ],
)
def test_every_platform_is_some_system(platform: str, name: str) -> None:
    """sys.platform names a system that Host knows; an unknown one counts as FreeBSD."""
    assert system(platform) == name


@linux
def test_the_flags_by_ioctl_are_those_of_netlink(monkeypatch: pytest.MonkeyPatch) -> None:
    """struct ifreq is read as macOS and the BSDs have it: flags behind 16 bytes of name."""
    monkeypatch.setattr(machine, "_SIOCGIFFLAGS", 0x8913)  # Linux's number, netdevice(7)
    with Netlink() as client:
        for link in links(client):
            said = machine.said_by_ioctl(link.name)
            assert len(said) == 4
            assert said.items() <= link.said.items()
    assert machine.said_by_ioctl("no-such-thing") == {}
    assert machine.said_by_ioctl("a-name-that-is-far-too-long-for-any-system" * 2) == {}


# What it costs


def test_importing_it_loads_neither_ifaddr_nor_ctypes() -> None:
    """The heavy modules are imported when interfaces are asked for, not before."""
    program = (
        "import sys; import bindlab.snapshot, bindlab.inspect_socket, bindlab.target; "
        "heavy = {'ifaddr', 'ctypes', 'asyncio', 'dataclasses', 'inspect', 'subprocess'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    told = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment
    )
    assert told.stdout.strip() == "[]"


@needs_namespaces
@pytest.mark.parametrize("version", [4, 6])
def test_many_addresses_are_all_listed(ns: Namespace, version: int) -> None:
    """A thousand addresses of one interface are a thousand addresses."""
    ns.pair("eth0", "wire0")
    ns.batch(
        *(
            f"addr add 10.0.{i // 250}.{i % 250 + 1}/16 dev eth0"
            if version == 4
            else f"addr add 2001:db8::{i + 1:x}/64 dev eth0 nodad"
            for i in range(1000)
        )
    )
    listed = named(ns.run(interfaces))["eth0"].addresses
    assert len([a for a in listed if a.version == version and not a.is_link_local]) == 1000
