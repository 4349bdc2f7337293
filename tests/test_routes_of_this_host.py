"""The routes of the machine itself: as ip(8) lists them, or unknown where they are not all."""

import errno
import json
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from ipaddress import ip_address
from typing import TypeVar

import pytest
from namespace import Namespace, namespace, needs_namespaces

from bindlab import Interface, Route, interfaces, this_host
from bindlab.endpoint import IPAddress, parse_address
from bindlab.linux import Netlink, routes, routing, rules
from bindlab.reach.return_path import Routing
from bindlab.reach.topology import Topology
from bindlab.snapshot import machine, route_to

pytestmark = needs_namespaces

T = TypeVar("T")


@pytest.fixture
def ns() -> Iterator[Namespace]:
    """Yield a namespace with two networks and their addresses."""
    with namespace() as made:
        made.ip("link set lo up")
        made.pair("wifi", "wire0")
        made.pair("eth", "wire1")
        made.ip("addr add 192.168.0.102/24 dev wifi")
        made.ip("addr add 10.0.0.12/24 dev eth")
        made.ip("addr add 2001:db8:1::102/64 dev wifi nodad")
        made.ip("addr add 2001:db8:2::12/64 dev eth nodad")
        yield made


def told(ns: Namespace) -> tuple[Route, ...] | None:
    """Return the routes that a snapshot taken there has."""
    return ns.run(this_host).routes


def listed(ns: Namespace) -> set[str]:
    """Return them as text, IPv6's own link-local prefixes left out."""
    routes = told(ns)
    assert routes is not None
    return {str(route) for route in routes if not route.network.is_link_local}


LINKS = {
    "192.168.0.0/24 dev wifi src 192.168.0.102",
    "10.0.0.0/24 dev eth src 10.0.0.12",
    "2001:db8:1::/64 dev wifi metric 256",
    "2001:db8:2::/64 dev eth metric 256",
}


def test_a_namespace_without_addresses_has_no_routes() -> None:
    """Nothing configured is nothing, which is known."""
    with namespace() as bare:
        assert told(bare) == ()


@pytest.mark.parametrize(
    ("commands", "more"),
    [
        pytest.param([], set(), id="links"),
        pytest.param(
            ["route add default via 192.168.0.1 metric 600"],
            {"0.0.0.0/0 via 192.168.0.1 dev wifi metric 600"},
            id="default",
        ),
        pytest.param(
            ["-6 route add default via fe80::1 dev wifi src 2001:db8:1::102"],
            {"::/0 via fe80::1 dev wifi src 2001:db8:1::102 metric 1024"},
            id="ipv6-default",
        ),
        pytest.param(
            [
                "route add unreachable 10.1.0.0/16",
                "route add blackhole 10.2.0.0/16 metric 7",
                "-6 route add prohibit fd00::/8",
            ],
            {
                "unreachable 10.1.0.0/16",
                "blackhole 10.2.0.0/16 metric 7",
                "prohibit fd00::/8 metric 1024",
            },
            id="refusals",
        ),
        pytest.param(
            ["route add 10.3.0.0/16 nexthop via 192.168.0.1 weight 2 nexthop via 10.0.0.1"],
            {"10.3.0.0/16 via 192.168.0.1 dev wifi", "10.3.0.0/16 via 10.0.0.1 dev eth"},
            id="next-hops",
        ),
        pytest.param(
            ["nexthop add id 7 via 10.0.0.1 dev eth", "route add 10.3.0.0/16 nhid 7"],
            {"10.3.0.0/16 via 10.0.0.1 dev eth"},
            id="next-hop-object",
        ),
        pytest.param(
            ["route add 10.4.0.0/16 via inet6 fe80::9 dev wifi"],
            {"10.4.0.0/16 via fe80::9 dev wifi"},
            id="ipv4-by-an-ipv6-router",
        ),
        pytest.param(["route add 10.6.0.0/16 dev wifi table 77"], set(), id="table-not-looked-up"),
        pytest.param(["-6 rule add lookup 100"], set(), id="rule-for-an-empty-table"),
        pytest.param(["rule add fwmark 7 lookup main"], set(), id="rule-for-a-mark"),
        pytest.param(
            ["rule add iif eth lookup 100", "route add default dev eth table 100"],
            set(),
            id="rule-for-what-is-forwarded",
        ),
        pytest.param(["route add throw 10.7.0.0/16"], {"throw 10.7.0.0/16"}, id="throw"),
        pytest.param(
            ["route add 10.5.0.0/16 dev wifi table default"],
            {"10.5.0.0/16 dev wifi lookup 1"},
            id="table-default",
        ),
        pytest.param(
            ["rule add lookup 5000", "route add 10.5.0.0/16 dev wifi table 5000"],
            {"10.5.0.0/16 dev wifi"},
            id="rule-that-is-first",
        ),
    ],
)
def test_routes_are_those_that_were_made(
    ns: Namespace, commands: list[str], more: set[str]
) -> None:
    """Every route of the table main is told, of both families, and no other."""
    for command in commands:
        ns.ip(command)
    assert {text.removesuffix(" lookup 1") for text in listed(ns) - more} == LINKS
    assert listed(ns) >= more


@pytest.mark.parametrize(
    "commands",
    [
        pytest.param(["rule add from 192.168.0.102 lookup 100"], id="rule-for-a-source"),
        pytest.param(["rule add from 10.0.0.0/8 iif lo lookup 100"], id="rule-for-its-own-packets"),
        pytest.param(["rule add to 10.7.0.0/16 lookup 100"], id="rule-for-a-destination"),
        pytest.param(["rule add oif wifi lookup 100"], id="rule-for-a-device"),
        pytest.param(["rule add uidrange 0-9 lookup 100"], id="rule-for-users"),
        pytest.param(
            ["rule add fwmark 7 lookup 100", "route add default dev eth table 100"],
            id="rule-for-a-mark-with-ways-of-its-own",
        ),
        pytest.param(
            ["rule add priority 1 lookup local", "rule del priority 0", "rule add prio 0 lookup 7"],
            id="local-is-not-first",
        ),
        pytest.param(["rule add iif lo blackhole"], id="rule-that-refuses"),
        pytest.param(["route add 10.7.0.0/16 dev wifi tos 0x10"], id="type-of-service"),
        pytest.param(["-6 route add fd00::/8 from 2001:db8:1::/64 dev wifi"], id="for-a-source"),
        pytest.param(["link add red type vrf table 10", "link set red up"], id="vrf"),
        pytest.param(["route add 10.7.0.0/16 dev wifi table local"], id="table-local"),
        pytest.param(["-6 route add fd00::/8 dev wifi table local"], id="ipv6-table-local"),
    ],
)
def test_what_routes_cannot_tell_makes_them_unknown(ns: Namespace, commands: list[str]) -> None:
    """Where something else has a say, the table is not told at all, rather than half."""
    for command in commands:
        try:
            ns.ip(command)
        except subprocess.CalledProcessError as error:
            pytest.skip(f"this kernel refuses {command}: {error.stderr.decode().strip()}")
    assert told(ns) is None


def test_the_default_rules_in_other_words_are_still_known(ns: Namespace) -> None:
    """What counts is the order of the tables, and not the rules' numbers."""
    ns.ip("rule add priority 100 lookup local")
    ns.ip("rule del priority 0")
    ns.ip("rule del priority 32767")
    assert listed(ns) == LINKS


WIFI = "route add default via 192.168.0.1"
POLICIES = {
    "tailscale": [
        WIFI,
        "rule add prio 5210 fwmark 0x80000/0xff0000 lookup main",
        "rule add prio 5230 fwmark 0x80000/0xff0000 lookup default",
        "rule add prio 5250 fwmark 0x80000/0xff0000 unreachable",
        "rule add prio 5270 lookup 52",
        "-6 rule add prio 5210 fwmark 0x80000/0xff0000 lookup main",
        "-6 rule add prio 5230 fwmark 0x80000/0xff0000 lookup default",
        "-6 rule add prio 5250 fwmark 0x80000/0xff0000 unreachable",
        "-6 rule add prio 5270 lookup 52",
        "route add 100.101.7.4 dev vpn table 52",
        "route add 100.100.100.100 dev vpn table 52",
        "-6 route add fd7a:115c:a1e0::/48 dev vpn table 52",
    ],
    "tailscale, an exit node": [
        WIFI,
        "rule add prio 5210 fwmark 0x80000/0xff0000 lookup main",
        "rule add prio 5270 lookup 52",
        "route add default dev vpn table 52",
        "route add throw 192.168.0.0/16 table 52",
        "route add 192.168.7.0/24 dev vpn table 52",
        "route add throw 127.0.0.0/8 table 52",
        "route add 8.0.0.0/7 via 10.0.0.1",
    ],
    "wg-quick": [
        WIFI,
        "route add default dev vpn table 51820",
        "rule add not fwmark 51820 table 51820",
        "rule add table main suppress_prefixlength 0",
        "-6 route add default dev vpn table 51820",
        "-6 rule add not fwmark 51820 table 51820",
        "-6 rule add table main suppress_prefixlength 0",
        "-6 route add default via fe80::1 dev wifi",
    ],
    "a switch that kills": [
        WIFI,
        "route add unreachable default table 7",
        "route add 100.101.0.0/16 dev vpn table 7",
        "route add throw 10.0.0.0/24 table 7",
        "rule add prio 9 lookup 7",
    ],
    "several": [
        WIFI,
        "rule add prio 7 lookup 7",
        "rule add prio 8 lookup 8",
        "route add 100.64.0.0/10 dev vpn table 8",
        "route add throw 100.101.0.0/16 table 7",
        "route add 100.101.7.0/24 dev eth table 7",
        "route add 8.8.0.0/16 dev vpn table default",
        "route add blackhole 203.0.113.0/24 table 8",
        "rule add prio 7 iif eth blackhole",
    ],
}
ADDRESSES = (
    *("8.8.8.8", "9.9.9.9", "10.0.0.50", "10.0.1.1", "100.101.7.4", "100.101.8.1", "100.64.0.9"),
    *("192.168.0.50", "192.168.1.50", "192.168.7.7", "203.0.113.5", "100.100.100.100"),
    *("2001:db8:1::5", "2001:db8:9::9", "2a00::1", "fd7a:115c:a1e0::7"),
)


@pytest.mark.parametrize("policy", POLICIES)
def test_the_ways_are_those_of_the_kernel(ns: Namespace, policy: str) -> None:
    """With rules of one's own, a VPN's say, an address is looked up as ``ip route get`` does.

    For any socket, and for one that is bound to a device.
    """
    ns.ip("link add vpn type veth peer name peer")
    ns.ip("link set vpn up")
    ns.ip("link set peer up")
    ns.ip("addr add 100.101.7.3/32 dev vpn")
    ns.ip("addr add fd7a:115c:a1e0::3/128 dev vpn nodad")
    for command in POLICIES[policy]:
        ns.ip(command)
    host = ns.run(this_host)
    assert host.routes is not None
    ways = Routing(Topology(host))
    for address in map(ip_address, ADDRESSES):
        for device in (None, "vpn", "wifi", "eth"):
            if device and address.version == 4:
                continue  # such a socket finds everybody: see way_back()
            won = ways._table(address.version, device).at(int(address))
            leaves_by = {None if route.refusal else route.interface for route in won} or {None}
            assert leaves_by == {kernels_way(ns, address, device)}, (address, device, won)


def kernels_way(ns: Namespace, address: IPAddress, device: str | None) -> str | None:
    """Return the interface by which the kernel would send to *address*."""
    by = ["oif", device] if device else []
    try:
        said = ns.output(["ip", "-j", "route", "get", str(address), *by])
    except subprocess.CalledProcessError:
        return None
    (way,) = json.loads(said)
    return None if way.get("type") in ("unreachable", "blackhole", "prohibit") else way["dev"]


def test_dead_next_hops_are_none(ns: Namespace) -> None:
    """With ignore_routes_with_linkdown a link without carrier leads nowhere; without it counts."""
    ns.ip("route add 10.3.0.0/16 nexthop via 192.168.0.1 nexthop via 10.0.0.1")
    ns.ip("link set wire1 down")
    assert "10.3.0.0/16 via 10.0.0.1 dev eth" in listed(ns)
    ns.sysctl("ipv4/conf/eth/ignore_routes_with_linkdown", 1)
    assert "10.3.0.0/16 via 10.0.0.1 dev eth" not in listed(ns)
    assert "10.3.0.0/16 via 192.168.0.1 dev wifi" in listed(ns)
    ns.ip("link set eth down")
    assert not any("dev eth" in route for route in listed(ns))


def test_many_routes_are_told(ns: Namespace) -> None:
    """Thousands of routes come in the kernel's order, and none is lost."""
    ns.batch(*(f"route add 10.{1 + n // 250}.{n % 250}.0/24 dev wifi" for n in range(3000)))
    assert len(listed(ns)) == 3000 + len(LINKS)


def test_an_interface_that_just_came_makes_routes_unknown(ns: Namespace) -> None:
    """A route by an interface that the snapshot does not have is no half truth either."""

    def read() -> tuple[Route, ...] | None:
        return routing([Interface("lo", 1), Interface("wifi", 2)]).away

    assert ns.run(read) is None


GETRULE = 34


@pytest.mark.parametrize("code", [errno.EAFNOSUPPORT, errno.EOPNOTSUPP, errno.EPERM])
def test_a_kernel_without_rules_has_no_policy(
    ns: Namespace, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """Without CONFIG_IP_MULTIPLE_TABLES there is the table main, and nothing else to ask."""

    def refuse(*_: object) -> list[bytes]:
        raise OSError(code, "scripted")

    monkeypatch.setattr(rules, "_rules", refuse)
    if code == errno.EPERM:  # which says nothing of what rules there are
        assert told(ns) is None
    else:
        assert listed(ns) == LINKS


def test_a_rule_of_an_unknown_kind_is_a_policy(
    ns: Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a newer kernel may do by a rule is not known here."""
    unknown_action = struct.pack("=BBBBBBBBI", 2, 0, 0, 0, 254, 0, 0, 7, 0)
    original = Netlink.dump

    def dump(self: Netlink, kind: int, body: bytes, parse: Callable[[bytes], T | None]) -> list[T]:
        if kind != GETRULE:
            return original(self, kind, body, parse)
        return [rule for rule in [parse(unknown_action)] if rule is not None]

    monkeypatch.setattr(Netlink, "dump", dump)
    assert told(ns) is None


def test_no_netlink_is_no_knowledge(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the kernel is not to be asked, routes are unknown, and there is no error."""

    def refuse(*_: object) -> Netlink:
        raise PermissionError(errno.EPERM, "no netlink here")

    monkeypatch.setattr(routes, "Netlink", refuse)
    assert this_host().routes is this_host().local_routes is None
    monkeypatch.setattr(machine, "system", lambda: "macos")
    with suppress(OSError):
        assert this_host().routes is None


@pytest.mark.parametrize(
    ("origin", "way"),
    [
        ("192.168.0.50", "192.168.0.50/32 dev wifi src 192.168.0.102"),
        ("2001:db8:2::50", "2001:db8:2::50/128 dev eth src 2001:db8:2::12"),
        ("8.8.8.8", "unreachable 8.8.8.8/32"),
        ("2a00::1", "unreachable 2a00::1/128"),
        ("10.1.0.1", "unreachable 10.1.0.1/32"),
        ("10.2.0.1", "blackhole 10.2.0.1/32"),
        ("10.3.0.1", "prohibit 10.3.0.1/32"),
        ("fd00:2::1", "blackhole fd00:2::1/128"),
        ("fd00:3::1", "prohibit fd00:3::1/128"),
        ("10.8.0.1", "10.8.0.1/32 dev eth src 10.0.0.12"),
        ("10.9.0.1", "10.9.0.1/32 src 10.99.0.1"),
    ],
)
def test_the_system_is_asked_for_one_way(ns: Namespace, origin: str, way: str) -> None:
    """A UDP connect tells the source and its interface, or that nothing leads there."""
    ns.ip("addr add 192.168.0.103/24 dev wifi")
    ns.ip("addr add 10.99.0.1/32 dev lo")
    ns.ip("route add local 198.18.0.0/15 dev lo")
    ns.ip("route add unreachable 10.1.0.0/16")
    ns.ip("route add blackhole 10.2.0.0/16")
    ns.ip("route add prohibit 10.3.0.0/16")
    ns.ip("-6 route add blackhole fd00:2::/32")
    ns.ip("-6 route add prohibit fd00:3::/32")
    ns.ip("route add 10.9.0.0/16 dev eth src 10.99.0.1")
    # From one address alone: nobody is refused for certain.
    ns.ip("route add 10.8.0.0/16 dev eth table 100")
    ns.ip("rule add from 10.0.0.12 lookup 100")
    assert str(ns.run(lambda: route_to(parse_address(origin), interfaces()))) == way
