"""The named topologies, as data: a machine under test, and who tries to reach it."""

from collections.abc import Mapping
from typing import NamedTuple

from bindlab import Route, lab
from bindlab.lab import Machine, Nic

__all__ = ["TOPOLOGIES", "Topology"]


class Topology(NamedTuple):
    """A network, and the host of it whose sockets are tried: *target*, from all of them.

    *also* are addresses that are bound and dialled though no interface lists them, *setup*
    commands for ip(8) on the target, once all is made: see commands.py. *needs* names a type of
    link that not every kernel has.
    """

    name: str
    machines: Mapping[str, Machine]
    target: str = "laptop"
    needs_nft: bool = False
    also: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()
    needs: str = ""

    @property
    def command(self) -> str:
        """What to type to see this topology alone."""
        word, _, seed = self.name.partition(" ")
        made_up = f"--{word} 1 --seed {seed} " if word in ("random", "odd") else ""
        return f"python -m tests.agreement {made_up}--only {self.name!r}"

    def __str__(self) -> str:
        lines = [f"{self.name}: who can reach {self.target}"]
        lines += [f"  {name}: {_told(machine)}" for name, machine in self.machines.items()]
        lines += [f"  then ip {command}" for command in self.setup]
        return "\n".join(lines)


def _told(value: Machine | Nic | Route) -> str:
    """Return *value* in as few words as it takes: what is not said is as always."""
    usual = {Machine: Machine(), Nic: Nic()}.get(type(value))
    told: list[str] = []
    for name in value._fields:
        field: object = getattr(value, name)
        if usual is None or field != getattr(usual, name):
            told.append(_field(name, field))
    return " ".join(told) or "nothing"


def _field(name: str, field: object) -> str:
    if name == "nics":
        assert isinstance(field, tuple)
        return " ".join(f"{nic}({_told(what)})" for nic, what in field)
    if isinstance(field, tuple):
        texts = ",".join(_told(one) if isinstance(one, Route) else str(one) for one in field)
        return texts if name == "addresses" else f"{name}={texts}"
    return name if field is True else f"{name}={field}"


_PHONE = Machine({"wifi": ["192.168.0.50/24", "2001:db8:1::50/64", "fd00:1::50/64"]})
_DESKTOP = Machine({"ethernet": ["10.0.0.20/24", "2001:db8:2::20/64"]})
_WIFI = ["192.168.0.102/24", "2001:db8:1::102/64", "fd00:1::102/64"]
_ETHERNET = ["10.0.0.12/24", "2001:db8:2::12/64"]
_HOME = {"wifi": _WIFI, "ethernet": _ETHERNET}
# A machine on the Wi-Fi that believes the other network to be behind the laptop.
_THROUGH_WIFI = Machine(
    {"wifi": ["192.168.0.60/24", "2001:db8:1::60/64"]},
    gateway=["192.168.0.102", "2001:db8:1::102"],
)


def _routed(*, way_back: bool) -> Mapping[str, Machine]:
    back = ["192.168.0.1", "2001:db8:1::1"] if way_back else []
    return {
        "laptop": Machine({"wifi": _WIFI}, gateway=back),
        "router": Machine(
            {
                "wifi": ["192.168.0.1/24", "2001:db8:1::1/64"],
                "wan": ["203.0.113.1/24", "2001:db8:9::1/64"],
            },
            forwarding=True,
        ),
        "far": Machine(
            {"wan": ["203.0.113.9/24", "2001:db8:9::9/64"]},
            gateway=["203.0.113.1", "2001:db8:9::1"],
        ),
    }


def _strict(rp_filter: int) -> Mapping[str, Machine]:
    return {
        "laptop": Machine(_HOME, rp_filter=rp_filter),
        "both": Machine(
            {
                "wifi": ["192.168.0.70/24", "2001:db8:1::70/64"],
                "ethernet": ["10.0.0.70/24", "2001:db8:2::70/64"],
            },
            routes=[
                Route("10.0.0.12", gateway="192.168.0.102"),
                Route("192.168.0.102", gateway="10.0.0.12"),
            ],
        ),
        "through": _THROUGH_WIFI,
    }


def _with_routers(rp_filter: int) -> Mapping[str, Machine]:
    """Return a laptop on two networks, a router on each, and a machine behind each router."""
    return {
        "laptop": Machine(_HOME, rp_filter=rp_filter),
        "phone": _PHONE,
        "first": Machine(
            {
                "wifi": ["192.168.0.1/24", "2001:db8:1::1/64"],
                "wan": ["203.0.113.1/24", "2001:db8:9::1/64"],
            },
            forwarding=True,
            routes=[
                Route("10.0.0.0/24", gateway="203.0.113.2"),
                Route("2001:db8:2::/64", gateway="2001:db8:9::2"),
            ],
        ),
        # Each router brings to one network what the laptop sends there by the other.
        "second": Machine(
            {
                "ethernet": ["10.0.0.1/24", "2001:db8:2::1/64"],
                "wan": ["203.0.113.2/24", "2001:db8:9::2/64"],
            },
            forwarding=True,
            routes=[
                Route("192.168.0.0/24", gateway="203.0.113.1"),
                Route("2001:db8:1::/64", gateway="2001:db8:9::1"),
            ],
        ),
        "far": Machine(
            {"wan": ["203.0.113.9/24", "2001:db8:9::9/64"]},
            routes=[
                Route("192.168.0.0/24", gateway="203.0.113.1"),
                Route("10.0.0.0/24", gateway="203.0.113.2"),
                Route("2001:db8:1::/64", gateway="2001:db8:9::1"),
                Route("2001:db8:2::/64", gateway="2001:db8:9::2"),
            ],
        ),
        "near": Machine(
            {"wan": ["203.0.113.200/24", "2001:db8:9::200/64"]},
            gateway=["203.0.113.1", "2001:db8:9::1"],
        ),
    }


_BY_WIFI = ("route add default via 192.168.0.1", "-6 route add default via 2001:db8:1::1")
_NO_PREFIXES = (
    "route del 192.168.0.0/24 dev wifi",
    "route del 10.0.0.0/24 dev ethernet",
    "-6 route del 2001:db8:1::/64 dev wifi",
    "-6 route del 2001:db8:2::/64 dev ethernet",
)
# By name: the laptop's rp_filter, and what ip(8) is told there.
ROUTES: Mapping[str, tuple[int, *tuple[str, ...]]] = {
    "none beyond": (0,),
    "none beyond, rp_filter 2": (2,),
    "default": (0, *_BY_WIFI),
    "default, rp_filter 1": (1, *_BY_WIFI),
    "default, rp_filter 2": (2, *_BY_WIFI),
    "some refused": (
        0,
        *_BY_WIFI,
        "route add unreachable 203.0.113.128/25",
        "-6 route add unreachable 2001:db8:9::200/121",
        "route add prohibit 192.168.0.50/32",
        "-6 route add blackhole 2001:db8:1::50/128",
    ),
    "others refused": (
        0,
        *_BY_WIFI,
        "route add unreachable 192.168.0.49/32",
        "route add blackhole 203.0.113.8/32",
        "-6 route add unreachable 2001:db8:1::4f/128",
        "-6 route add prohibit 2001:db8:9::8/128",
    ),
    "all refused": (
        0,
        "route add blackhole default",
        "-6 route add prohibit default",
        "route add unreachable 10.0.0.1/32",
        "-6 route add unreachable 2001:db8:2::1/128",
    ),
    "refusal of a higher metric": (
        0,
        "route add default via 192.168.0.1 metric 50",
        "route add unreachable default metric 100",
        "-6 route add default via 2001:db8:1::1 metric 50",
        "-6 route add unreachable default metric 100",
    ),
    "refusal of a lower metric": (
        0,
        "route add default via 192.168.0.1 metric 100",
        "route add unreachable default metric 50",
        "-6 route add default via 2001:db8:1::1 metric 100",
        "-6 route add unreachable default metric 50",
    ),
    "ties": (
        0,
        "route add default via 192.168.0.1 metric 50",
        "route append default via 10.0.0.1 metric 50",
        "route add unreachable 203.0.113.128/25 metric 50",
        "route append 203.0.113.128/25 via 192.168.0.1 metric 50",
        "route append unreachable default metric 50",
        "-6 route add default via 2001:db8:1::1 metric 50",
        "-6 route append default via 2001:db8:2::1 metric 50",
    ),
    "several next hops": (
        0,
        "route add default nexthop via 192.168.0.1 nexthop via 10.0.0.1",
        "-6 route add default nexthop via 2001:db8:1::1 nexthop via 2001:db8:2::1",
    ),
    "next hop objects": (
        0,
        "nexthop add id 1 via 192.168.0.1 dev wifi",
        "nexthop add id 2 via 2001:db8:1::1 dev wifi",
        "nexthop add id 3 blackhole",
        "route add default nhid 1",
        "route add 203.0.113.128/25 nhid 3",
        "-6 route add default nhid 2",
    ),
    "halves instead of a default": (
        0,
        "route add 0.0.0.0/1 via 192.168.0.1",
        "route add 128.0.0.0/1 via 192.168.0.1",
        "-6 route add ::/1 via 2001:db8:1::1",
        "-6 route add 8000::/1 via 2001:db8:1::1",
    ),
    "no prefixes": (0, *_NO_PREFIXES),
    "no prefixes, rp_filter 1": (1, *_NO_PREFIXES),
    "no prefixes, all by a router": (
        0,
        *_NO_PREFIXES,
        "route add 192.168.0.1/32 dev wifi",
        "route add default via 192.168.0.1",
        "-6 route add 2001:db8:1::1/128 dev wifi",
        "-6 route add default via 2001:db8:1::1",
    ),
    "one address alone": (
        0,
        *_NO_PREFIXES,
        "route add 192.168.0.50/32 dev wifi",
        "-6 route add 2001:db8:1::50/128 dev wifi",
    ),
    "by the other interface": (
        0,
        "route add default via 10.0.0.1",
        "-6 route add default via 2001:db8:2::1",
        "route add 192.168.0.50/32 via 10.0.0.1",
        "-6 route add 2001:db8:1::50/128 via 2001:db8:2::1",
    ),
    "by the other interface, rp_filter 1": (
        1,
        "route add default via 10.0.0.1",
        "route add 192.168.0.50/32 via 10.0.0.1",
    ),
    "by loopback": (0, "route add default dev lo", "-6 route add default dev lo"),
    "link-local refused": (0, "-6 route add unreachable fe80::/64 metric 1"),
    "no link-local prefix": (0, "-6 route del fe80::/64 dev wifi"),
    "a preferred source": (
        0,
        "address add 192.168.0.103/24 dev wifi",
        "route add default via 192.168.0.1 src 192.168.0.103",
        "-6 route add default via 2001:db8:1::1 src fd00:1::102",
    ),
    "an IPv6 router for IPv4": (0, "route add default via inet6 2001:db8:1::1 dev wifi"),
    "table default": (
        0,
        "route add default via 192.168.0.1 table default",
        "route add unreachable 203.0.113.128/25 table default",
    ),
    "table default, in the shadow": (
        0,
        *_BY_WIFI,
        "route add unreachable 203.0.113.0/24 table default",
    ),
    "rules for sources": (
        0,
        "route add default via 192.168.0.1 table 100",
        "rule add from 192.168.0.102 lookup 100",
        "-6 route add default via 2001:db8:1::1 table 100",
        "-6 rule add from 2001:db8:1::102 lookup 100",
    ),
    "a rule for all": (
        0,
        "route add default via 192.168.0.1 table 100",
        "rule add priority 32800 lookup 100",
        "-6 route add default via 2001:db8:1::1 table 100",
        "-6 rule add priority 32800 lookup 100",
    ),
    "a VPN for everything": (
        0,
        *_BY_WIFI,
        "route add default via 10.0.0.1 table 51820",
        "rule add not fwmark 51820 lookup 51820",
        "rule add lookup main suppress_prefixlength 0",
        "-6 route add default via 2001:db8:2::1 table 51820",
        "-6 rule add not fwmark 51820 lookup 51820",
        "-6 rule add lookup main suppress_prefixlength 0",
    ),
    "a VPN for some": (
        0,
        *_BY_WIFI,
        "rule add prio 5250 fwmark 0x80000/0xff0000 unreachable",
        "rule add prio 5270 lookup 52",
        "route add default via 10.0.0.1 table 52",
        "route add throw 192.168.0.0/24 table 52",
        "route add unreachable 203.0.113.0/24 table 52",
    ),
    "throw": (0, *_BY_WIFI, "route add throw 203.0.113.128/25"),
    "dead next hops": (
        0,
        "route add default via 192.168.0.1 metric 10",
        "route add default via 10.0.0.1 metric 20",
        "-6 route add default via 2001:db8:1::1 metric 10",
        "link set ethernet down",
    ),
}


TOPOLOGIES: tuple[Topology, ...] = (
    Topology("home", {"laptop": Machine(_HOME), "phone": _PHONE, "desktop": _DESKTOP}),
    Topology("routed", _routed(way_back=True)),
    Topology("routed, no way back", _routed(way_back=False)),
    Topology(
        "weak host",
        {"laptop": Machine(_HOME), "through": _THROUGH_WIFI, "desktop": _DESKTOP},
    ),
    Topology("multihomed peer", _strict(0)),
    Topology("multihomed peer, rp_filter 1", _strict(1)),
    Topology("multihomed peer, rp_filter 2", _strict(2)),
    Topology(
        "container bridge",
        {
            "laptop": Machine(
                {"wifi": _WIFI, "docker0": Nic("172.17.0.1/16", bridge=True)}, forwarding=True
            ),
            "web": Machine({"eth0": Nic("172.17.0.2/16", network="docker0")}, gateway="172.17.0.1"),
            "phone": Machine({"wifi": "192.168.0.50/24"}, gateway="192.168.0.102"),
        },
    ),
    Topology(
        "point to point",
        {
            "laptop": Machine(
                {
                    "wifi": "192.168.0.102/24",
                    "p31": ["10.1.0.0/31", "fd02::/127"],
                    "vpn": Nic("100.64.0.1/32", peer="100.64.0.2"),
                },
            ),
            "left": Machine({"p31": ["10.1.0.1/31", "fd02::1/127"]}, gateway="10.1.0.0"),
            "right": Machine(
                {"vpn": Nic("100.64.0.2/32", peer="100.64.0.1")},
                routes=[
                    Route("192.168.0.0/24", gateway="100.64.0.1"),
                    Route("100.64.0.0/10", interface="vpn"),
                ],
            ),
            "phone": _PHONE,
        },
    ),
    Topology(
        "shared address space",
        {
            "laptop": Machine({"wifi": _WIFI, "tailnet": "100.64.7.1/10"}),
            "friend": Machine({"tailnet": "100.100.1.2/10"}, gateway="100.64.7.1"),
            "phone": _PHONE,
        },
    ),
    Topology(
        "down and unplugged",
        {
            "laptop": Machine(
                {
                    "wifi": _WIFI,
                    "down": Nic(["10.1.0.1/24", "fd03::1/64"], up=False),
                    "unplugged": Nic(["10.2.0.1/24", "fd04::1/64"], carrier=False),
                }
            ),
            "phone": Machine({"wifi": _PHONE.nics[0][1]}, gateway=["192.168.0.102"]),
            "peer": Machine({"down": "10.1.0.2/24", "unplugged": "10.2.0.2/24"}),
        },
    ),
    Topology(
        "one interface down",
        {
            "laptop": Machine({"wifi": _WIFI, "off": Nic(["10.1.0.1/24", "fd03::1/64"], up=False)}),
            "phone": Machine({"wifi": _PHONE.nics[0][1]}, gateway=["192.168.0.102"]),
        },
    ),
    Topology(
        "loopback down",
        {"laptop": Machine({"lo": Nic(up=False), **_HOME}), "phone": _PHONE},
    ),
    Topology(
        "IPv6 off",
        {
            "laptop": Machine(
                {"wifi": "192.168.0.102/24", "ethernet": "10.0.0.12/24"}, disable_ipv6=True
            ),
            "phone": _PHONE,
        },
    ),
    Topology(
        "IPv6 off on one interface",
        {
            "laptop": Machine(
                {"wifi": Nic("192.168.0.102/24", disable_ipv6=True), "ethernet": _ETHERNET}
            ),
            "phone": _PHONE,
            "desktop": _DESKTOP,
        },
    ),
    Topology(
        "IPv6 off on loopback",
        {
            "laptop": Machine({"lo": Nic(disable_ipv6=True), "wifi": _WIFI}),
            "phone": _PHONE,
        },
    ),
    Topology(
        "IPv4 only",
        {
            "laptop": Machine({"wifi": Nic("192.168.0.102/24", link_local=False)}),
            "phone": Machine({"wifi": Nic("192.168.0.50/24", link_local=False)}),
        },
    ),
    Topology(
        "IPv6 only",
        {
            "laptop": Machine({"wifi": ["2001:db8:1::102/64", "fd00:1::102/64"]}),
            "phone": _PHONE,
        },
    ),
    Topology(
        "one link-local address on two links",
        {
            "laptop": Machine(
                {"wifi": ["fe80::1/64", "192.168.0.102/24"], "ethernet": ["fe80::1/64"]}
            ),
            "phone": Machine({"wifi": ["fe80::50/64", "192.168.0.50/24"]}),
            "desktop": Machine({"ethernet": "fe80::50/64"}),
            "both": Machine({"wifi": "fe80::77/64", "ethernet": "fe80::77/64"}),
        },
    ),
    Topology(
        "overlapping networks",
        {
            "laptop": Machine(
                {
                    "wifi": ["192.168.0.102/24", "fd00::102/64"],
                    "ethernet": ["192.168.0.12/24", "fd00::12/64"],
                }
            ),
            "phone": Machine({"wifi": ["192.168.0.50/24", "fd00::50/64"]}),
            "desktop": Machine({"ethernet": ["192.168.0.20/24", "fd00::20/64"]}),
            "double": Machine({"ethernet": ["192.168.0.50/24", "fd00::50/64"]}),
        },
    ),
    Topology(
        "route_localnet",
        {
            "laptop": Machine({"wifi": _WIFI, "ethernet": _ETHERNET}, route_localnet=True),
            "attacker": Machine(
                {
                    "lo": Nic(up=False),
                    "wifi": Nic("192.168.0.66/24", route_localnet=True),
                },
                routes=[Route("127.0.0.0/8", gateway="192.168.0.102")],
            ),
            "desktop": _DESKTOP,
        },
    ),
    Topology(
        "loopback dialled from the network",
        {
            "laptop": Machine({"wifi": _WIFI}),
            "attacker": Machine(
                {
                    "lo": Nic(up=False),
                    "wifi": Nic(["192.168.0.66/24", "2001:db8:1::66/64"], route_localnet=True),
                },
                routes=[
                    Route("127.0.0.0/8", gateway="192.168.0.102"),
                    Route("::1/128", gateway="2001:db8:1::102"),
                ],
            ),
        },
    ),
    Topology(
        "route_localnet on one interface",
        {
            "laptop": Machine({"wifi": Nic(_WIFI, route_localnet=True), "ethernet": _ETHERNET}),
            "attacker": Machine(
                {
                    "lo": Nic(up=False),
                    "wifi": Nic("192.168.0.66/24", route_localnet=True),
                },
                routes=[Route("127.0.0.0/8", gateway="192.168.0.102")],
            ),
            "other": Machine(
                {
                    "lo": Nic(up=False),
                    "ethernet": Nic("10.0.0.66/24", route_localnet=True),
                },
                routes=[Route("127.0.0.0/8", gateway="10.0.0.12")],
            ),
        },
    ),
    Topology(
        "addresses on loopback",
        {
            "laptop": Machine(
                {"lo": ["10.99.0.1/32", "10.98.0.1/24", "2001:db8:99::1/128"], "wifi": _WIFI}
            ),
            "phone": _PHONE,
            "through": Machine(
                {"wifi": ["192.168.0.60/24", "2001:db8:1::60/64"]},
                gateway=["192.168.0.102", "2001:db8:1::102"],
            ),
        },
        also=("10.98.0.7",),  # a prefix on lo is the machine's own as a whole
    ),
    Topology(
        "local routes",
        {
            "laptop": Machine({"wifi": _WIFI}),
            "through": _THROUGH_WIFI,
        },
        setup=("route add local 10.77.0.0/24 dev lo",),
        also=("10.77.0.5",),
    ),
    Topology(
        "several addresses",
        {
            "laptop": Machine(
                {
                    "wifi": [
                        "192.168.0.102/24",
                        "192.168.0.103/24",
                        "192.168.0.104/32",
                        "169.254.7.7/16",
                        "2001:db8:1::102/64",
                        "2001:db8:1::103/64",
                    ]
                }
            ),
            "phone": Machine({"wifi": ["192.168.0.50/24", "169.254.9.9/16", "2001:db8:1::50/64"]}),
        },
    ),
    Topology(
        "arp_ignore",
        {
            "laptop": Machine(_HOME, arp_ignore=1),
            "phone": _PHONE,
            "flux": Machine({"wifi": ["192.168.0.61/24", "10.0.0.61/24"]}),
        },
    ),
    Topology(
        "ARP flux",
        {
            "laptop": Machine(_HOME),
            "flux": Machine({"wifi": ["192.168.0.61/24", "10.0.0.61/24"]}),
        },
    ),
    Topology(
        "bindv6only",
        {"laptop": Machine(_HOME, bindv6only=True), "phone": _PHONE},
    ),
    *(
        Topology(
            f"firewall: {refusal}",
            {"laptop": Machine(_HOME, firewall=lab.firewall(refusal)), "phone": _PHONE},
            needs_nft=True,
        )
        for refusal in ("drop", "reject", "reset")
    ),
    *(
        Topology(f"routes: {name}", _with_routers(rp_filter), setup=tuple(told))
        for name, (rp_filter, *told) in ROUTES.items()
    ),
)
