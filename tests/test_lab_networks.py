"""The networks of the lab, and what its hosts can be."""

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import lab_scripts
import pytest
from lab_home import PATIENCE, SILENCE, home, make, meets, meets_silence, needs_lab, serve

from bindlab import Route, lab
from bindlab.lab import LabError, Machine, Network, Nic
from bindlab.lab.firewall import FirewallAnswer

__all__ = ["home"]

pytestmark = needs_lab


class TestNetworks:
    def test_hosts_of_one_network_see_each_other(self, home: Network) -> None:
        """A connection from a host is one from its address, over a network that they share."""
        with serve(home.laptop, "0.0.0.0") as server:
            with home.phone.connect("192.168.0.102", 3000) as client:
                peer, address = server.accept()
                with peer:
                    client.sendall(b"token")
                    assert peer.recv(5) == b"token"
                    assert address == client.getsockname()
                    assert address[0] == "192.168.0.50"
            assert meets(home.desktop, "10.0.0.12") == "accepted"

    def test_hosts_of_different_networks_do_not(self, home: Network) -> None:
        """Without a route there is no way from one network to another."""
        with serve(home.laptop, "0.0.0.0"):
            assert meets(home.phone, "10.0.0.12") == "ENETUNREACH"
            assert meets(home.phone, "10.0.0.20") == "ENETUNREACH"

    def test_nothing_leads_outside(self, home: Network) -> None:
        """A host has no route to the surrounding system or the internet, nor it to the host."""
        assert meets(home.laptop, "192.0.2.1") == "ENETUNREACH"
        assert "laptop" not in [name for _, name in socket.if_nameindex()]
        with socket.create_server(("127.0.0.1", 0)) as outside:
            assert meets(home.laptop, "127.0.0.1", outside.getsockname()[1]) == "ECONNREFUSED"

    def test_loopback_is_private(self, home: Network) -> None:
        """What is bound to 127.0.0.1 answers its own host alone."""
        with serve(home.laptop, "127.0.0.1"):
            assert meets(home.laptop, "127.0.0.1") == "accepted"
            assert meets(home.laptop, "192.168.0.102") == "ECONNREFUSED"
            assert meets(home.phone, "192.168.0.102") == "ECONNREFUSED"
            assert meets(home.phone, "127.0.0.1") == "ECONNREFUSED"

    @pytest.mark.parametrize(
        "address", ["192.168.0.102", "192.168.0.103", "2001:db8:1::2", "fd00:1::2"]
    )
    def test_an_interface_may_have_several_addresses(self, home: Network, address: str) -> None:
        """Each address of an interface can be bound and dialled, IPv4 and IPv6."""
        with serve(home.laptop, address):
            assert meets(home.phone, address) == "accepted"

    def test_link_local_addresses_come_by_themselves(self, home: Network) -> None:
        """An interface has a link-local address, reachable at once, with the peer's own zone."""
        linked = [
            address
            for address in home.laptop.host().interface("wifi").addresses
            if address.version == 6 and address.ip.is_link_local
        ]
        assert len(linked) == 1
        address = f"{linked[0].ip}%wifi"
        with serve(home.laptop, address):
            assert meets(home.phone, address) == "accepted"

    def test_the_first_packet_arrives(self) -> None:
        """A network is ready when it is there: no SYN is lost, no address still tentative."""
        with (
            lab.network(
                a={"wire": ["10.0.0.1/24", "2001:db8::1/64"]},
                b={"wire": ["10.0.0.2/24", "2001:db8::2/64"]},
            ) as net,
            serve(net.a, "10.0.0.1"),
            serve(net.a, "2001:db8::1"),
        ):
            for address in ("2001:db8::1", "10.0.0.1"):
                with net.b.connect(address, 3000, timeout=PATIENCE) as client:
                    told = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
                    assert told[100:104] == bytes(4)  # tcpi_total_retrans, <linux/tcp.h>

    def test_a_router_leads_on(self) -> None:
        """With forwarding and routes, hosts reach other networks; without forwarding not."""
        for forwarding in (True, False):
            with (
                lab.network(
                    office=Machine(
                        {"lan": ["10.1.0.2/24", "fd01::2/64"]}, gateway=["10.1.0.1", "fd01::1"]
                    ),
                    router=Machine(
                        {
                            "lan": ["10.1.0.1/24", "fd01::1/64"],
                            "wan": ["10.2.0.1/24", "fd02::1/64"],
                        },
                        forwarding=forwarding,
                    ),
                    server=Machine(
                        {"wan": ["10.2.0.2/24", "fd02::2/64"]},
                        gateway=["10.2.0.1", "fd02::1"],
                    ),
                ) as net,
                serve(net.server, "0.0.0.0"),
                serve(net.office, "fd01::2"),
            ):
                for host, address in ((net.office, "10.2.0.2"), (net.server, "fd01::2")):
                    if forwarding:
                        assert meets(host, address) == "accepted"
                    else:
                        assert meets_silence(host, address)

    def test_a_route_can_be_missing_on_purpose(self) -> None:
        """A packet that arrives while nothing leads back is answered by silence."""
        with (
            lab.network(
                client=Machine(
                    {"lan": "10.1.0.2/24"}, routes=[Route("10.2.0.0/24", gateway="10.1.0.1")]
                ),
                server=Machine({"lan": "10.1.0.1/24", "wan": "10.2.0.1/24"}),
                stranger=Machine(
                    {"lan": "10.9.0.2/24"}, routes=[Route("10.1.0.0/24", interface="lan")]
                ),
            ) as net,
            serve(net.server, "0.0.0.0"),
        ):
            assert meets(net.client, "10.2.0.1") == "accepted"  # the weak host model
            assert meets_silence(net.stranger, "10.1.0.1")

    def test_routes_of_every_kind(self) -> None:
        """A route may be by link-local router, or a refusal; it may prefer a source."""
        with lab.network(
            a=Machine(
                {"wire": ["10.0.0.1/24", "10.0.0.9/24", "fe80::1/64"], "lo": "10.8.0.1/16"},
                routes=[
                    Route("2001:db8::/32", gateway="fe80::2", interface="wire"),
                    Route("10.7.0.0/16", refusal="unreachable"),
                    Route("10.6.0.0/16", gateway="10.0.0.2", source="10.0.0.9"),
                ],
            ),
            b=Machine(
                {"wire": ["10.0.0.2/24", "fe80::2/64"], "lo": ["2001:db8::2/128", "10.6.0.1/32"]},
                routes=[
                    Route("10.8.0.0/16", gateway="10.0.0.1"),
                    Route("::/0", gateway="fe80::1", interface="wire"),
                ],
            ),
        ) as net:
            with serve(net.b, "::") as server:
                assert meets(net.a, "2001:db8::2") == "accepted"
                assert meets(net.a, "10.7.0.1") == "EHOSTUNREACH"
                server.accept()[0].close()
                with net.a.connect("10.6.0.1", 3000):
                    peer, address = server.accept()
                    peer.close()
                    assert address[0] == "::ffff:10.0.0.9"
            with serve(net.a, "10.8.1.2"):
                assert meets(net.b, "10.8.1.2") == "accepted"

    def test_addresses_on_loopback_are_a_hosts_too(self) -> None:
        """An address on lo other than 127.0.0.1 answers peers that have a route to it."""
        with (
            lab.network(
                a=Machine({"lo": "10.99.0.1/32", "wire": "10.0.0.1/24"}),
                b=Machine({"wire": "10.0.0.2/24"}, routes=[Route("10.99.0.1", gateway="10.0.0.1")]),
            ) as net,
            serve(net.a, "10.99.0.1"),
        ):
            assert meets(net.b, "10.99.0.1") == "accepted"

    @pytest.mark.parametrize(
        ("a", "b", "address"),
        [
            pytest.param("10.0.0.0/31", "10.0.0.1/31", "10.0.0.0", id="31"),
            pytest.param("fd00::/127", "fd00::1/127", "fd00::", id="127"),
            pytest.param(
                Nic("100.64.0.1/32", peer="100.64.0.2"),
                Nic("100.64.0.2/32", peer="100.64.0.1"),
                "100.64.0.1",
                id="peer",
            ),
        ],
    )
    def test_point_to_point_links(self, a: str | Nic, b: str | Nic, address: str) -> None:
        """Two hosts can be joined by a link of two addresses, or of two single ones."""
        with lab.network(a={"vpn": a}, b={"vpn": b}) as net, serve(net.a, address):
            assert meets(net.b, address) == "accepted"

    def test_containers_hang_on_a_bridge_of_their_host(self) -> None:
        """A host's interface can be the bridge that its containers are plugged into."""
        with lab.network(
            laptop=Machine(
                {"wifi": "192.168.0.102/24", "docker0": Nic("172.17.0.1/16", bridge=True)},
                forwarding=True,
            ),
            web=Machine({"eth0": Nic("172.17.0.2/16", network="docker0")}, gateway="172.17.0.1"),
            db=Machine({"eth0": Nic("172.17.0.3/16", network="docker0")}, gateway="172.17.0.1"),
            phone=Machine(
                {"wifi": "192.168.0.50/24"},
                routes=[Route("172.17.0.0/16", gateway="192.168.0.102")],
            ),
        ) as net:
            with serve(net.web, "0.0.0.0"), serve(net.laptop, "172.17.0.1"):
                assert meets(net.db, "172.17.0.2") == "accepted"
                assert meets(net.phone, "172.17.0.2") == "accepted"
                assert meets(net.web, "172.17.0.1") == "accepted"
            ports = net.laptop.call(os.listdir, "/proc/sys/net/ipv4/conf")
            assert len([port for port in ports if port.startswith("veth")]) == 2

    def test_hidden_ports_make_way(self) -> None:
        """A host whose interfaces are called like the lab's own ports has them all the same."""
        with (
            lab.network(
                laptop={"br0": Nic("172.17.0.1/16", bridge=True), "veth0": "10.0.0.1/24"},
                web={"eth0": Nic("172.17.0.2/16", network="br0")},
                phone={"veth0": "10.0.0.2/24"},
            ) as net,
            serve(net.laptop, "0.0.0.0"),
        ):
            assert meets(net.web, "172.17.0.1") == "accepted"
            assert meets(net.phone, "10.0.0.1") == "accepted"

    def test_networks_may_overlap(self) -> None:
        """Two networks may have the same addresses; the routes decide who is answered."""
        with (
            lab.network(
                laptop={"lan1": "192.168.0.1/24", "lan2": "192.168.0.2/24"},
                first={"lan1": "192.168.0.50/24"},
                second={"lan2": "192.168.0.50/24"},
            ) as net,
            serve(net.laptop, "0.0.0.0"),
        ):
            assert meets(net.first, "192.168.0.1") == "accepted"
            assert meets_silence(net.second, "192.168.0.2")

    def test_a_link_local_address_may_be_on_two_links(self) -> None:
        """The same link-local address on two links is two addresses, told apart by zone."""
        with (
            lab.network(
                laptop={"one": "fe80::1/64", "two": "fe80::1/64"},
                a={"one": "fe80::a/64"},
                b={"two": "fe80::a/64"},
            ) as net,
            serve(net.laptop, "fe80::1%one"),
        ):
            assert meets(net.a, "fe80::1%one") == "accepted"
            assert meets(net.b, "fe80::1%two") == "ECONNREFUSED"

    def test_hosts_are_found_by_name(self, home: Network) -> None:
        """A host is an attribute and an item of its network, which lists them in order."""
        assert home["phone"] is home.phone
        assert [host.name for host in home] == ["laptop", "phone", "desktop"]
        assert len(home) == 3
        assert "laptop" in dir(home)
        with pytest.raises(AttributeError, match="no tablet: it has laptop, phone, desktop"):
            home.tablet  # noqa: B018 - asking is the test
        with pytest.raises(KeyError):
            home["tablet"]

    def test_two_interfaces_may_be_on_one_network(self) -> None:
        """An interface can be plugged into a network of another name."""
        with (
            lab.network(
                a={
                    "eth0": Nic("10.0.0.1/24", network="lan"),
                    "eth1": Nic("10.0.1.1/24", network="lan"),
                },
                b={"lan": ["10.0.0.2/24", "10.0.1.2/24"]},
            ) as net,
            serve(net.a, "0.0.0.0"),
        ):
            assert meets(net.b, "10.0.0.1") == "accepted"
            assert meets(net.b, "10.0.1.1") == "accepted"


SETTINGS = [
    (Machine({"w": ()}), "net/ipv4/conf/all/rp_filter", "0"),
    (Machine({"w": ()}), "net/ipv4/ip_forward", "0"),
    (Machine({"w": ()}, rp_filter=2), "net/ipv4/conf/all/rp_filter", "2"),
    (Machine({"w": Nic(rp_filter=1)}), "net/ipv4/conf/w/rp_filter", "1"),
    (Machine({"w": ()}, route_localnet=True), "net/ipv4/conf/all/route_localnet", "1"),
    (Machine({"w": Nic(route_localnet=True)}), "net/ipv4/conf/w/route_localnet", "1"),
    (Machine({"w": ()}, arp_ignore=1), "net/ipv4/conf/all/arp_ignore", "1"),
    (Machine({"w": Nic(arp_ignore=2)}), "net/ipv4/conf/w/arp_ignore", "2"),
    (Machine({"w": ()}, disable_ipv6=True), "net/ipv6/conf/w/disable_ipv6", "1"),
    (Machine({"w": Nic(disable_ipv6=True)}), "net/ipv6/conf/w/disable_ipv6", "1"),
    (Machine({"w": ()}, bindv6only=True), "net/ipv6/bindv6only", "1"),
    (Machine({"w": ()}, forwarding=True), "net/ipv4/ip_forward", "1"),
    (Machine({"w": ()}, forwarding=True), "net/ipv6/conf/all/forwarding", "1"),
    (Machine({"w": ()}, sysctl={"net.ipv4.tcp_ecn": 1}), "net/ipv4/tcp_ecn", "1"),
]


@pytest.fixture(scope="module")
def settings() -> Iterator[Network]:
    with lab.network(**{f"host{n}": machine for n, (machine, _, _) in enumerate(SETTINGS)}) as net:
        yield net


class TestStates:
    def test_interfaces_can_be_down_or_without_carrier(self) -> None:
        """``up`` is the administrator's switch, ``carrier`` the plug; neither lets a peer in."""
        with lab.network(
            laptop={
                "good": "10.0.0.1/24",
                "down": Nic("10.1.0.1/24", up=False),
                "unplugged": Nic("10.2.0.1/24", carrier=False),
            },
            peer={"good": "10.0.0.2/24", "down": "10.1.0.2/24", "unplugged": "10.2.0.2/24"},
        ) as net:
            seen = {nic.name: (nic.is_up, nic.is_running) for nic in net.laptop.host().interfaces}
            assert seen["good"] == (True, True)
            assert seen["down"] == (False, False)
            assert seen["unplugged"] == (True, False)
            with serve(net.laptop, "0.0.0.0"):
                assert meets(net.peer, "10.0.0.1") == "accepted"
                assert meets_silence(net.peer, "10.1.0.1")
                assert meets_silence(net.peer, "10.2.0.1")
                assert meets(net.laptop, "10.1.0.1") == "accepted"

    @pytest.mark.parametrize(
        "bridge", [Nic(bridge=True, up=False), Nic(bridge=True, carrier=False)]
    )
    def test_a_bridge_can_be_down_or_without_carrier(self, bridge: Nic) -> None:
        """What is plugged into a host's bridge is made all the same, and meets nobody."""
        with lab.network(
            laptop={"br0": bridge.replace(addresses="10.0.0.1/24")},
            web={"eth0": Nic("10.0.0.2/24", network="br0")},
            db={"eth0": Nic("10.0.0.3/24", network="br0")},
        ) as net:
            assert not net.laptop.host().interface("br0").is_running
            with serve(net.web, "0.0.0.0"):
                assert meets_silence(net.db, "10.0.0.2")

    def test_loopback_can_be_down(self) -> None:
        """Without lo, a host does not reach even its own address, while its peers do."""
        with (
            lab.network(
                a={"lo": Nic(up=False), "wire": "10.0.0.1/24"}, b={"wire": "10.0.0.2/24"}
            ) as net,
            serve(net.a, "0.0.0.0"),
        ):
            assert meets_silence(net.a, "10.0.0.1")
            assert meets(net.b, "10.0.0.1") == "accepted"

    @pytest.mark.parametrize("number", range(len(SETTINGS)))
    def test_settings_are_the_kernels(self, settings: Network, number: int) -> None:
        """Each setting of a machine or an interface is what the kernel says it is there."""
        _, setting, value = SETTINGS[number]
        host = settings[f"host{number}"]
        assert host.call(Path("/proc/sys", setting).read_text).strip() == value

    def test_settings_outside_stay(self) -> None:
        """The surrounding system keeps its settings while a network has its own."""
        paths = [Path("/proc/sys", name.replace("/w/", "/lo/")) for _, name, _ in SETTINGS]
        before = [path.read_text() for path in paths]
        with lab.network(**{f"host{n}": machine for n, (machine, _, _) in enumerate(SETTINGS)}):
            assert [path.read_text() for path in paths] == before
        assert [path.read_text() for path in paths] == before

    def test_ipv6_can_be_off(self) -> None:
        """A host without IPv6 has no IPv6 address, not even ::1."""
        with lab.network(host=Machine({"wire": "10.0.0.1/24"}, disable_ipv6=True)) as net:
            assert net.host.call(Path("/proc/net/if_inet6").read_text) == ""

    def test_new_sockets_follow_bindv6only(self) -> None:
        """IPV6_V6ONLY of a new socket is what its own host's setting says."""
        with lab.network(
            strict=Machine({"w": ()}, bindv6only=True), usual=Machine({"w": ()})
        ) as net:
            for host, v6only in ((net.strict, 1), (net.usual, 0)):
                with host.socket(socket.AF_INET6) as sock:
                    assert sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == v6only

    @pytest.mark.parametrize(
        ("answer", "met"),
        [("drop", "silence"), ("reject", "EHOSTUNREACH"), ("reset", "ECONNREFUSED")],
    )
    def test_firewalls_refuse_what_comes_in(self, answer: FirewallAnswer, met: str) -> None:
        """A firewall is silent, says so, or pretends; the host itself and open ports pass."""
        if shutil.which("nft") is None:
            pytest.skip("nft is not installed")
        with (
            lab.network(
                laptop=Machine(
                    {"wifi": "10.0.0.1/24"}, firewall=lab.firewall(answer, allow=[8000])
                ),
                phone={"wifi": "10.0.0.2/24"},
            ) as net,
            serve(net.laptop, "0.0.0.0"),
            serve(net.laptop, "0.0.0.0", 8000),
        ):
            patience = SILENCE if met == "silence" else PATIENCE
            assert meets(net.phone, "10.0.0.1", patience=patience) == met
            assert meets(net.phone, "10.0.0.1", 8000) == "accepted"
            assert meets(net.laptop, "10.0.0.1") == "accepted"

    def test_a_firewall_takes_nft(self) -> None:
        """Where nft is missing, the error says what to install."""
        out, err = lab_scripts.run_without_sbin("firewalled").communicate(timeout=30)
        if "unshare:" in err or "mount:" in err or out == "has a firewall\n":
            pytest.skip(f"nft cannot be hidden here: {err}")
        assert err == ""
        assert "host laptop: " in out
        assert "apt install nftables" in out

    def test_nft_is_found_where_no_path_leads(self) -> None:
        """Debian keeps nft in /usr/sbin, which is on root's PATH only, and users find it there."""
        if shutil.which("nft") is None:
            pytest.skip("nft is not installed")
        out, err = lab_scripts.run("firewalled").communicate(timeout=30)
        assert (out, err) == ("has a firewall\n", "")

    def test_a_refused_firewall_says_why(self) -> None:
        """A ruleset that nft does not take is an error in nft's own words."""
        if shutil.which("nft") is None:
            pytest.skip("nft is not installed")
        with pytest.raises(LabError, match="syntax error"):
            make(laptop=Machine({"w": ()}, firewall="nonsense"))
