"""The five machines on paper of the stored texts, and who sits beside each of them."""

from bindlab import Guest, Host, Interface, Route

__all__ = ["HOSTS", "NEIGHBOURS"]


def _interface(
    name: str,
    index: int,
    *addresses: str,
    kind: str = "",
    master: str = "",
    running: bool = True,
    point_to_point: bool = False,
) -> Interface:
    return Interface(
        name,
        index,
        addresses=addresses,
        is_up=True,
        is_running=running,
        is_loopback=name == "lo",
        is_point_to_point=point_to_point,
        kind=kind,
        master=master,
    )


def _host(*interfaces: Interface, gateway: str, by: str, guest: Guest | None = None) -> Host:
    """Return a host whose routes are those of its addresses, and a default route."""
    loopback = _interface("lo", 1, "127.0.0.1/8", "::1/128")
    routes = [
        Route(str(address.network).partition("%")[0], each.name)
        for each in interfaces
        for address in each.addresses
        if each.is_running
    ]
    everything = "::/0" if ":" in gateway else "0.0.0.0/0"
    return Host(
        [loopback, *interfaces],
        route_localnet=False,
        bindv6only=False,
        strong_host=False,
        tcp_l3mdev_accept=False,
        udp_l3mdev_accept=False,
        routes=[Route(everything, by, gateway), *dict.fromkeys(routes)],
        guest=guest,
    )


_CABLES = [
    _interface(f"veth{n}c0ffee", 10 + n, f"fe80::c:{n}/64", kind="veth", master="docker0")
    for n in range(6)
]
HOSTS = {
    "laptop": _host(
        _interface("wlan0", 2, "192.168.0.102/24", "fe80::2/64"),
        _interface("eth0", 3, running=False),
        gateway="192.168.0.1",
        by="wlan0",
    ),
    "docker-vpn": _host(
        _interface("eth0", 2, running=False),
        _interface(
            "wlp4s0",
            3,
            "192.168.0.102/24",
            "2003:e1:bf2a:4c00:1c2d:3e4f:5a6b:7c8d/64",
            "fe80::3/64",
        ),
        _interface("docker0", 4, "172.17.0.1/16", "fe80::4/64", kind="bridge"),
        _interface("br-4f2a9c01d3e7", 5, "172.18.0.1/16", "fe80::5/64", kind="bridge"),
        _interface("virbr0", 6, "192.168.122.1/24", kind="bridge", running=False),
        _interface("tailscale0", 7, "100.101.7.3/32", kind="tun", point_to_point=True),
        *_CABLES,
        gateway="192.168.0.1",
        by="wlp4s0",
    ),
    "server": _host(
        _interface("ens3", 2, "203.0.113.20/24", "2001:db8:51::20/64", "fe80::20/64"),
        _interface("ens4", 3, "10.20.0.5/16", "fe80::21/64"),
        gateway="203.0.113.1",
        by="ens3",
    ),
    "container": _host(
        _interface("eth0", 7, "172.17.0.2/16", kind="veth"),
        gateway="172.17.0.1",
        by="eth0",
        guest=Guest(
            "container", ["/.dockerenv exists, which Docker makes"], host_address="172.17.0.1"
        ),
    ),
    "ipv6-only": _host(
        _interface("enp1s0", 2, "2a02:8109:b6bf:d2ec:1c2d:3e4f:5a6b:7c8d/64", "fe80::6/64"),
        gateway="fe80::1",
        by="enp1s0",
    ),
}
NEIGHBOURS = {
    "laptop": "192.168.0.50",
    "docker-vpn": "192.168.0.50",
    "server": "10.20.0.9",
    "container": "192.168.1.50",
    "ipv6-only": "2a02:8109:b6bf:d2ec::50",
}
