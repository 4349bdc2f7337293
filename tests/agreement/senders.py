"""Topologies of senders that a textbook forgets, and of links that are more than a cable."""

from bindlab import Route
from bindlab.lab import Machine, Nic

from .topologies import Topology

__all__ = ["LINKS", "SENDERS"]

_WIFI = ["192.168.0.102/24", "2001:db8:1::102/64", "fd00:1::102/64"]
_ETHERNET = ["10.0.0.12/24", "2001:db8:2::12/64"]
_HOME = {"wifi": _WIFI, "ethernet": _ETHERNET}
_PHONE = Machine({"wifi": ["192.168.0.50/24", "2001:db8:1::50/64", "fd00:1::50/64"]})
# On the Wi-Fi, with more addresses that are of no network of the laptop, or of its other one.
_FOREIGN = Machine(
    {
        "wifi": [
            *("192.168.0.80/24", "172.30.0.80/16", "10.0.0.80/32"),
            *("2001:db8:1::80/64", "2001:db8:77::80/64", "2001:db8:2::80/128"),
        ]
    }
)
# A machine on both networks, that has the one's addresses tried by the other's cable too.
_TWO_HOMED = Machine(
    {
        "wifi": ["192.168.0.70/24", "2001:db8:1::70/64"],
        "ethernet": ["10.0.0.70/24", "2001:db8:2::70/64"],
    }
)
_BACK_TO_ALL = (
    "route add 172.30.0.0/16 dev wifi",
    "-6 route add 2001:db8:77::/64 dev wifi",
)


def _routers(rp_filter: int) -> dict[str, Machine]:
    """Return a laptop on two networks, a router between them, and a machine behind it on each."""
    return {
        "laptop": Machine(_HOME, rp_filter=rp_filter),
        "router": Machine(
            {
                "wifi": ["192.168.0.1/24", "2001:db8:1::1/64"],
                "ethernet": ["10.0.0.1/24", "2001:db8:2::1/64"],
            },
            forwarding=True,
        ),
        # It sends to the laptop's other address by the router, which brings it by the other link.
        "phone": _PHONE.replace(gateway=["192.168.0.1", "2001:db8:1::1"]),
        "desktop": Machine(
            {"ethernet": ["10.0.0.20/24", "2001:db8:2::20/64"]},
            gateway=["10.0.0.1", "2001:db8:2::1"],
        ),
    }


SENDERS: tuple[Topology, ...] = (
    *(
        Topology(
            f"foreign sources, rp_filter {rp_filter}",
            {"laptop": Machine(_HOME, rp_filter=rp_filter), "foreign": _FOREIGN},
            setup=_BACK_TO_ALL,
        )
        for rp_filter in (0, 1, 2)
    ),
    Topology("foreign sources, no way back", {"laptop": Machine(_HOME), "foreign": _FOREIGN}),
    Topology("a sender on two networks", {"laptop": Machine(_HOME), "both": _TWO_HOMED}),
    Topology(
        "a sender on two networks, rp_filter 1",
        {"laptop": Machine(_HOME, rp_filter=1), "both": _TWO_HOMED},
    ),
    *(
        Topology(f"a router between two networks, rp_filter {rp_filter}", _routers(rp_filter))
        for rp_filter in (0, 1)
    ),
    Topology(
        "link-local addresses alone",
        {"laptop": Machine({"wifi": "fe80::102/64"}), "phone": _PHONE},
        setup=("-6 route add default dev wifi",),
    ),
    Topology(
        "link-local addresses alone, no way back",
        {"laptop": Machine({"wifi": "fe80::102/64"}), "phone": _PHONE},
    ),
)

_VRF = (
    "link add red type vrf table 10",
    "link set red up",
    "link set ethernet master red",
    "-6 address replace 2001:db8:2::12/64 dev ethernet nodad",
)
_ON_RED = ("address add 10.77.0.1/32 dev red", "address add 127.0.0.1/8 dev red")
_IN_BOTH = {"laptop": Machine(_HOME), "phone": _PHONE, "both": _TWO_HOMED}

LINKS: tuple[Topology, ...] = (
    Topology(
        "a port of a bridge has addresses",
        {
            "laptop": Machine(_HOME),
            "phone": _PHONE,
            "through": Machine(
                {"wifi": ["192.168.9.50/24", "2001:db8:99::50/64"]},
                routes=[
                    Route("192.168.0.0/24", gateway="192.168.9.1"),
                    Route("2001:db8:1::/64", gateway="2001:db8:99::1"),
                ],
            ),
            "desktop": Machine({"ethernet": ["10.0.0.20/24", "2001:db8:2::20/64"]}),
        },
        setup=(
            "link add br0 type bridge",
            "link set br0 addrgenmode none",
            "link set br0 up",
            "-6 address add fe80::9/64 dev br0 nodad",
            "address add 192.168.9.1/24 dev br0",
            "-6 address add 2001:db8:99::1/64 dev br0 nodad",
            "link set wifi master br0",
        ),
    ),
    Topology(
        "a VLAN",
        {"laptop": Machine(_HOME), "phone": _PHONE},
        setup=(
            "link add link wifi name wifi.7 type vlan id 7",
            "address add 192.168.7.1/24 dev wifi.7",
            "link set wifi.7 addrgenmode none",
            "link set wifi.7 up",
        ),
        needs="vlan",
    ),
    Topology(
        "macvlan",
        {"laptop": Machine(_HOME), "phone": _PHONE},
        setup=(
            "link add link wifi name mv0 type macvlan mode bridge",
            "address add 192.168.0.103/24 dev mv0",
            "link set mv0 addrgenmode none",
            "link set mv0 up",
        ),
        needs="macvlan",
    ),
    Topology(
        "a bond",
        {
            "laptop": Machine({"wifi": Nic(), "ethernet": _ETHERNET}),
            "phone": _PHONE,
        },
        setup=(
            "link add bond0 type bond mode active-backup",
            "link set wifi down",
            "link set wifi master bond0",
            "link set bond0 addrgenmode none",
            "link set bond0 up",
            "address add 192.168.0.102/24 dev bond0",
            "-6 address add 2001:db8:1::102/64 dev bond0 nodad",
        ),
        needs="bond",
    ),
    Topology(
        "a tunnel",
        {
            "laptop": Machine(_HOME),
            "phone": _PHONE,
        },
        setup=(
            "link add tun0 type ipip local 192.168.0.102 remote 192.168.0.50",
            "address add 10.8.0.1 peer 10.8.0.2 dev tun0",
            "link set tun0 up",
        ),
        needs="ipip",
    ),
    Topology("a VRF", _IN_BOTH, setup=_VRF, needs="vrf"),
    Topology("a VRF with addresses of its own", _IN_BOTH, setup=(*_VRF, *_ON_RED), needs="vrf"),
    Topology(
        "a VRF, l3mdev_accept",
        _IN_BOTH,
        setup=(
            *_VRF,
            "sysctl net/ipv4/tcp_l3mdev_accept=1",
            "sysctl net/ipv4/udp_l3mdev_accept=1",
        ),
        needs="vrf",
    ),
)
