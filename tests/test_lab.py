"""The lab: what its hosts can be, and that nothing is left of them."""

import asyncio
import contextlib
import errno
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import lab_scripts
import pytest

from bindlab import Route, lab
from bindlab.lab import LabError, LabHost, Machine, Network, Nic
from bindlab.lab.firewall import FirewallAnswer

AVAILABLE = lab.available()
needs_lab = pytest.mark.skipif(not AVAILABLE, reason=AVAILABLE.reason)
SILENCE = 0.3  # seconds after which nobody answers, where the answer takes microseconds


def serve(host: LabHost, address: str, port: int = 3000) -> socket.socket:
    """Return a listening socket of *host*, made without the rest of bindlab."""
    ip, _, zone = address.partition("%")
    server = host.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET)
    scope = host.call(socket.if_nametoindex, zone) if zone else 0
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # over earlier connections
    server.bind((ip, port, 0, scope) if ":" in ip else (ip, port))
    server.listen()
    return server


def meets(host: LabHost, address: str, port: int = 3000) -> str:
    """Return the name of the errno that *host* meets there, or ``"accepted"``."""
    try:
        with host.connect(address, port, timeout=SILENCE):
            return "accepted"
    except TimeoutError:
        return "silence"
    except OSError as error:
        return errno.errorcode[error.errno or 0]


def make(**hosts: Machine | dict[str, list[str]]) -> None:
    """Make a network, and be done with it."""
    with lab.network(**hosts):
        pass


def gone(pids: Iterable[int], patience: float = 5.0) -> bool:
    """Return whether none of the processes is left (or only as a zombie), after a while."""
    deadline = time.monotonic() + patience
    while any(map(_runs, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
def home() -> Iterator[Network]:
    with lab.network(
        laptop={
            "wifi": ["192.168.0.102/24", "192.168.0.103/24", "2001:db8:1::2/64", "fd00:1::2/64"],
            "ethernet": "10.0.0.12/24",
        },
        phone={"wifi": ["192.168.0.50/24", "2001:db8:1::50/64", "fd00:1::50/64"]},
        desktop={"ethernet": "10.0.0.20/24"},
    ) as net:
        yield net


@needs_lab
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
        with lab.network(
            a={"wire": ["10.0.0.1/24", "2001:db8::1/64"]},
            b={"wire": ["10.0.0.2/24", "2001:db8::2/64"]},
        ) as net:
            started = time.monotonic()
            with serve(net.a, "10.0.0.1"), serve(net.a, "2001:db8::1"):
                net.b.connect("2001:db8::1", 3000, timeout=0.9).close()
                net.b.connect("10.0.0.1", 3000, timeout=0.9).close()
            assert time.monotonic() - started < 0.9  # TCP repeats a SYN after 1 s (RFC 6298)

    def test_a_router_leads_on(self) -> None:
        """With forwarding and routes, hosts reach other networks; without forwarding not."""
        for forwarding, met in ((True, "accepted"), (False, "silence")):
            with lab.network(
                office=Machine(
                    {"lan": ["10.1.0.2/24", "fd01::2/64"]}, gateway=["10.1.0.1", "fd01::1"]
                ),
                router=Machine(
                    {"lan": ["10.1.0.1/24", "fd01::1/64"], "wan": ["10.2.0.1/24", "fd02::1/64"]},
                    forwarding=forwarding,
                ),
                server=Machine(
                    {"wan": ["10.2.0.2/24", "fd02::2/64"]},
                    gateway=["10.2.0.1", "fd02::1"],
                ),
            ) as net:
                with serve(net.server, "0.0.0.0"):
                    assert meets(net.office, "10.2.0.2") == met
                with serve(net.office, "fd01::2"):
                    assert meets(net.server, "fd01::2") == met

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
            assert meets(net.stranger, "10.1.0.1") == "silence"

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
            assert meets(net.second, "192.168.0.2") == "silence"

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


@needs_lab
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
                assert meets(net.peer, "10.1.0.1") == "silence"
                assert meets(net.peer, "10.2.0.1") == "silence"
                assert meets(net.laptop, "10.1.0.1") == "accepted"

    def test_loopback_can_be_down(self) -> None:
        """Without lo, a host does not reach even its own address, while its peers do."""
        with (
            lab.network(
                a={"lo": Nic(up=False), "wire": "10.0.0.1/24"}, b={"wire": "10.0.0.2/24"}
            ) as net,
            serve(net.a, "0.0.0.0"),
        ):
            assert meets(net.a, "10.0.0.1") != "accepted"
            assert meets(net.b, "10.0.0.1") == "accepted"

    @pytest.mark.parametrize(
        ("machine", "setting", "value"),
        [
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
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_settings_are_the_kernels(self, machine: Machine, setting: str, value: str) -> None:
        """Each setting of a machine or an interface is what the kernel says it is there."""
        outside = Path("/proc/sys", setting.replace("/w/", "/lo/")).read_text()
        with lab.network(host=machine) as net:
            assert net.host.call(Path("/proc/sys", setting).read_text).strip() == value
        assert Path("/proc/sys", setting.replace("/w/", "/lo/")).read_text() == outside

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
            assert meets(net.phone, "10.0.0.1") == met
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


@needs_lab
class TestSockets:
    def test_a_socket_is_this_processes_own(self, home: Network) -> None:
        """A socket that was handed over serves in this process's event loop."""

        async def talk() -> bytes:
            async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                writer.write((await reader.readline()).upper())
                writer.close()

            listener = serve(home.laptop, "0.0.0.0")
            server = await asyncio.start_server(answer, sock=listener)
            client = await asyncio.to_thread(home.phone.connect, "192.168.0.102", 3000)
            client.setblocking(False)
            reader, writer = await asyncio.open_connection(sock=client)
            writer.write(b"hello\n")
            line = await reader.readline()
            writer.close()
            server.close()
            await server.wait_closed()
            return line

        assert asyncio.run(talk()) == b"HELLO\n"

    def test_a_socket_is_plain(self, home: Network) -> None:
        """What is handed over is a socket.socket, not inheritable, with its timeout."""
        with serve(home.laptop, "0.0.0.0"), home.phone.connect("192.168.0.102", 3000) as sock:
            assert type(sock) is socket.socket
            assert not sock.get_inheritable()
            assert sock.gettimeout() == 5.0
            assert (sock.family, sock.proto) == (socket.AF_INET, socket.IPPROTO_TCP)
            with home.laptop.connect("192.168.0.102", 3000, timeout=None) as patient:
                assert patient.gettimeout() is None

    def test_a_source_and_a_device_can_be_chosen(self, home: Network) -> None:
        """``connect()`` sends from the address, and through the interface, that it is given."""
        with serve(home.phone, "0.0.0.0") as server:
            for source in ("192.168.0.102", "192.168.0.103"):
                home.laptop.connect("192.168.0.50", 3000, source=source, device="wifi").close()
                peer, address = server.accept()
                peer.close()
                assert address[0] == source
            with pytest.raises(OSError, match="Cannot assign"):
                home.laptop.connect("192.168.0.50", 3000, source="192.168.0.77")

    def test_datagrams(self, home: Network) -> None:
        """UDP sockets of two hosts exchange datagrams."""
        with (
            home.laptop.bind(5353, "0.0.0.0", transport="udp") as server,
            home.phone.connect("192.168.0.102", 5353, transport="udp") as client,
        ):
            client.send(b"ping")
            data, address = server.recvfrom(10)
            server.sendto(data[::-1], address)
            assert client.recv(10) == b"gnip"

    def test_bindlab_works_there(self, home: Network) -> None:
        """listen, bind, probe and this_host are those of bindlab, asked on the host."""
        with home.laptop.listen(3000, "0.0.0.0") as server:
            assert server.getsockname() == ("0.0.0.0", 3000)
            assert home.phone.probe("192.168.0.102:3000").accepted
            assert not home.phone.probe("192.168.0.102:3001").accepted
        assert [nic.name for nic in home.desktop.host().interfaces] == ["lo", "ethernet"]

    def test_bindlabs_errors_come_back_as_themselves(self, home: Network) -> None:
        """A BindError of a host is a BindError here, with its endpoint, cause and hint."""
        from bindlab.errors import BindError

        with home.laptop.listen(3000, "0.0.0.0"), pytest.raises(BindError) as caught:
            home.laptop.listen(3000, "192.168.0.102")
        assert caught.value.errno == errno.EADDRINUSE
        assert str(caught.value.endpoint) == "192.168.0.102:3000"
        assert isinstance(caught.value.__cause__, OSError)
        assert "raised on laptop" in caught.value.__notes__[0]


@needs_lab
class TestCalls:
    def test_a_function_is_called_on_the_host(self, home: Network) -> None:
        """``call()`` takes arguments by position and name, and returns what it returned."""
        assert home.laptop.call(divmod, 7, 2) == (3, 1)
        assert home.laptop.call(sorted, [1, 3, 2], reverse=True) == [3, 2, 1]
        names = [name for _, name in home.laptop.call(socket.if_nameindex)]
        assert names == ["lo", "wifi", "ethernet"]

    def test_what_it_raises_is_raised_here(self, home: Network) -> None:
        """An exception keeps its class, errno and arguments, and tells where it was raised."""
        with pytest.raises(FileNotFoundError) as caught:
            home.laptop.call(os.stat, "/nonexistent")
        assert caught.value.filename == "/nonexistent"
        assert "raised on laptop" in caught.value.__notes__[0]
        with pytest.raises(ZeroDivisionError):
            home.laptop.call(divmod, 1, 0)

    def test_sockets_travel_inside_of_anything(self, home: Network) -> None:
        """Sockets among arguments and results are handed over, shared ones once."""
        pair = home.laptop.call(socket.socketpair)
        with pair[0], pair[1]:
            again = home.laptop.call(dict, first=pair[0], other=[pair[0], pair[1]])
            with again["first"], again["other"][1]:
                assert again["first"] is again["other"][0]
                again["first"].sendall(b"x")
                assert pair[1].recv(1) == b"x"

    def test_large_messages_pass(self, home: Network) -> None:
        """Arguments and results may be of any size."""
        assert home.laptop.call(bytes.upper, b"a" * 5_000_000) == b"A" * 5_000_000

    def test_a_call_harms_no_other(self, home: Network) -> None:
        """A function that ends its process, or changes it, does so to its own only."""
        with pytest.raises(LabError, match="ended without an answer, status 3"):
            home.laptop.call(os._exit, 3)
        with pytest.raises(LabError, match="status -9"):
            home.laptop.call(signal.raise_signal, signal.SIGKILL)
        before = home.laptop.call(os.getcwd)
        home.laptop.call(os.chdir, "/proc")
        assert home.laptop.call(os.getcwd) == before

    def test_a_function_must_be_importable(self, home: Network) -> None:
        """A function that has no name to find it by is a TypeError that says so."""
        with pytest.raises(TypeError, match="by its name"):
            home.laptop.call(lambda: None)
        with pytest.raises(AttributeError, match="no attribute 'nothing'") as caught:
            home.laptop.call(getattr, 1, "nothing")
        assert "raised on laptop" in caught.value.__notes__[0]

    def test_calls_run_side_by_side(self, home: Network) -> None:
        """Calls from several threads do not wait for each other, on one host or many."""
        started = time.monotonic()
        threads = [
            threading.Thread(target=host.call, args=(time.sleep, 0.3))
            for host in (home.laptop, home.laptop, home.phone, home.laptop)
        ]
        for thread in threads:
            thread.start()
        assert home.laptop.call(divmod, 7, 2) == (3, 1)
        for thread in threads:
            thread.join()
        assert time.monotonic() - started < 0.9

    def test_an_interrupted_call_is_ended(self, home: Network) -> None:
        """When the caller stops waiting, the function's process does not go on."""

        def interrupt(*_: object) -> None:
            raise InterruptedError("enough")

        def interrupt_when_it_runs() -> None:
            assert mine.recv(1) == b"s"
            os.kill(os.getpid(), signal.SIGALRM)

        mine, theirs = socket.socketpair()
        mine.settimeout(5)
        thread = threading.Thread(target=interrupt_when_it_runs)
        thread.start()
        previous = signal.signal(signal.SIGALRM, interrupt)
        try:
            with pytest.raises(InterruptedError, match="enough"):
                home.laptop.call(lab_scripts.say_so_and_sleep, theirs)
        finally:
            thread.join()
            signal.signal(signal.SIGALRM, previous)
        with mine:
            theirs.close()
            assert mine.recv(1) == b""  # nobody holds the other end any more


@needs_lab
class TestPrograms:
    def test_a_program_runs_on_the_host(self, home: Network) -> None:
        """A server program of a host is reached from its peers, and ends with the ``with``."""
        env = os.environ | {"PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "http.server", "8000"]
        with home.laptop.run(command, env=env) as web:
            web.wait_for_output("Serving HTTP", timeout=20)
            with home.phone.connect("192.168.0.102", 8000) as client:
                client.sendall(b"GET /nothing HTTP/1.0\r\n\r\n")
                assert client.recv(100).startswith(b"HTTP/1.0 404")
            assert web.poll() is None
        assert web.poll() == -signal.SIGTERM
        assert "192.168.0.50" in web.output
        assert meets(home.phone, "192.168.0.102", 8000) == "ECONNREFUSED"

    def test_its_output_and_status_are_kept(self, home: Network) -> None:
        """Output and errors are kept in order, and stay readable when it has ended."""
        with home.laptop.run(["sh", "-c", "echo one; echo two >&2; pwd; exit 3"], cwd="/") as it:
            assert it.wait(5) == 3
        assert it.output == "one\ntwo\n/\n"
        assert "ended with 3" in repr(it)

    def test_its_streams_can_be_given(self, home: Network, tmp_path: Path) -> None:
        """A program reads from and writes to the files that it is given."""
        (tmp_path / "in").write_text("hello")
        with (
            (tmp_path / "in").open() as source,
            (tmp_path / "out").open("w") as target,
            home.laptop.run(["cat"], stdin=source, stdout=target) as cat,
        ):
            assert cat.wait(5) == 0
        assert (tmp_path / "out").read_text() == "hello"
        assert cat.output == ""

    def test_one_that_cannot_be_started(self, home: Network) -> None:
        """A program that is not there is the error that it is anywhere."""
        with pytest.raises(FileNotFoundError):
            home.laptop.run(["/no/such/program"])
        with pytest.raises(TypeError, match="a command is a list"):
            home.laptop.run("ls")

    def test_one_that_does_not_end_is_killed(self, home: Network) -> None:
        """SIGTERM first; then SIGKILL; and what is left of its process group goes with it."""
        script = "trap '' TERM; sleep 300 & echo $!; while :; do wait; done"
        with home.laptop.run(["sh", "-c", script]) as stubborn:
            stubborn.patience = 0.2
            child = int(stubborn.wait_for_output("\n"))
            with pytest.raises(TimeoutError):
                stubborn.wait(0.05)
        assert stubborn.poll() == -signal.SIGKILL
        assert gone([child])

    def test_waiting_for_words_that_never_come(self, home: Network) -> None:
        """``wait_for_output()`` does not wait for a program that has ended."""
        echo = home.laptop.run(["echo", "hello"])
        with pytest.raises(TimeoutError, match="did not write 'bye', but: hello"):
            echo.wait_for_output("bye", timeout=60)

    def test_signals(self, home: Network) -> None:
        """A signal reaches the program, and SIGPIPE ends it as it would anywhere."""
        with home.laptop.run(["sleep", "300"]) as sleeper:
            sleeper.send_signal(signal.SIGUSR1)
            assert sleeper.wait(5) == -signal.SIGUSR1
            sleeper.send_signal(signal.SIGUSR1)
        reader, writer = os.pipe()
        os.close(reader)
        with home.laptop.run(["yes"], stdout=writer) as yes:
            os.close(writer)
            assert yes.wait(5) == -signal.SIGPIPE


@needs_lab
class TestTheEnd:
    def test_everything_ends_with_the_with(self) -> None:
        """Processes, programs and sockets are gone after the ``with``; what is asked is told."""
        with lab.network(a={"wire": "10.0.0.1/24"}, b={"wire": "10.0.0.2/24"}) as net:
            server = serve(net.a, "0.0.0.0")
            client = net.b.connect("10.0.0.1", 3000)
            program = net.a.run(["sleep", "300"])
            host = net.a
            pids = [net.a.pid, net.b.pid]
            assert not gone(pids, 0)
        assert server.fileno() == client.fileno() == -1
        assert program.poll() == -signal.SIGTERM
        assert gone(pids, 0)
        with pytest.raises(LabError, match="a is gone"):
            host.call(os.getpid)

    def test_what_a_server_accepted_outlives_it(self) -> None:
        """Accepted and duplicated sockets are the caller's own, to be closed by the caller."""
        with lab.network(a={"wire": "10.0.0.1/24"}, b={"wire": "10.0.0.2/24"}) as net:
            server = serve(net.a, "0.0.0.0")
            client = net.b.connect("10.0.0.1", 3000)
            peer, _ = server.accept()
            twin = client.dup()
        assert client.fileno() == -1
        with peer, twin:
            assert peer.getsockname()[0] == "10.0.0.1"
            assert twin.getpeername() == peer.getsockname()

    def test_an_exception_ends_it(self) -> None:
        """An exception in the ``with`` passes, and leaves nothing."""
        pids: list[int] = []

        def fail() -> None:
            with lab.network(a={"wire": ()}) as net:
                pids.append(net.a.pid)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert gone(pids, 0)

    @pytest.mark.parametrize(
        ("end", "group"),
        [
            pytest.param(signal.SIGKILL, False, id="kill -9"),
            pytest.param(signal.SIGINT, True, id="Ctrl-C"),
            pytest.param(signal.SIGTERM, False, id="kill"),
        ],
    )
    def test_a_process_that_is_ended_leaves_nothing(self, end: int, group: bool) -> None:
        """However the process ends, the hosts' processes end, daemons on them included."""
        with lab_scripts.run("hold") as holder:
            assert holder.stdout is not None
            pids = [int(pid) for pid in holder.stdout.readline().split()]
            assert len(pids) == 3
            assert not gone(pids, 0)
            (os.killpg if group else os.kill)(holder.pid, end)
            holder.wait(10)
            assert gone(pids)
            assert holder.stderr is not None
            traceback = holder.stderr.read()
        assert ("KeyboardInterrupt" in traceback) == (end == signal.SIGINT)

    def test_a_dead_host_is_told(self) -> None:
        """When a host's process was killed, using the host is a LabError."""
        with lab.network(a={"wire": ()}) as net:
            os.kill(net.a.pid, signal.SIGKILL)
            assert gone([net.a.pid])
            with pytest.raises(LabError, match="a is gone"):
                net.a.call(os.getpid)

    def test_nothing_outside_is_touched(self) -> None:
        """The surrounding system has the same interfaces and settings during and after."""

        def outside() -> object:
            return (
                socket.if_nameindex(),
                Path("/proc/net/route").read_text(),
                os.listdir("/run/netns") if os.path.isdir("/run/netns") else [],
            )

        before = outside()
        with lab.network(a=Machine({"wire": "10.0.0.1/24"}, forwarding=True)):
            assert outside() == before
        assert outside() == before

    def test_no_descriptor_is_left(self) -> None:
        """A network, its calls and its programs leave no descriptor open here."""
        before = os.listdir("/proc/self/fd")
        with lab.network(a={"wire": ()}) as net:
            net.a.call(os.getpid)
            with contextlib.suppress(FileNotFoundError):
                net.a.run(["/no/such/program"])
            net.a.run(["true"]).wait()
            kept = net.a.socket()
            net.a.socket().close()
        with (
            pytest.raises(LabError),
            lab.network(a=Machine({"w": "fd00::1/64"}, sysctl={"net.ipv4.no_such": 1})),
        ):
            pass
        assert sorted(os.listdir("/proc/self/fd")) == sorted(before)
        assert kept.fileno() == -1


@needs_lab
class TestSideBySide:
    def test_networks_nest(self, home: Network) -> None:
        """Two networks at once share nothing, whatever their addresses."""
        with (
            lab.network(
                laptop={"wifi": "192.168.0.102/24"}, phone={"wifi": "192.168.0.50/24"}
            ) as other,
            serve(home.laptop, "0.0.0.0"),
        ):
            assert meets(home.phone, "192.168.0.102") == "accepted"
            assert meets(other.phone, "192.168.0.102") == "ECONNREFUSED"
        assert meets(home.phone, "192.168.0.102") == "ECONNREFUSED"

    def test_networks_in_parallel(self) -> None:
        """Processes can each have the same network at the same time."""
        processes = [lab_scripts.run("connect") for _ in range(4)]
        for process in processes:
            out, err = process.communicate(timeout=30)
            assert (out, err) == ("connected\n", "")

    def test_networks_in_threads(self) -> None:
        """Threads can make networks at the same time, and outlive none of them."""
        pids: list[int] = []

        def make() -> None:
            with lab.network(a={"wire": ()}) as net:
                pids.append(net.a.call(os.getppid))
                assert pids[-1] == net.a.pid

        threads = [threading.Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(pids)) == 4

    def test_setting_up_is_quick(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Three hosts on two networks take a fraction of a second (printed, not judged)."""
        taken: list[float] = []
        for _ in range(5):
            started = time.perf_counter()
            with lab.network(
                laptop={"wifi": "192.168.0.102/24", "ethernet": "10.0.0.12/24"},
                phone={"wifi": "192.168.0.50/24"},
                desktop={"ethernet": "10.0.0.20/24"},
            ):
                taken.append(time.perf_counter() - started)
        with capsys.disabled():
            print(f" [three hosts in {min(taken):.2f} to {max(taken):.2f} s]", end=" ")


@needs_lab
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="no setpriv (util-linux)")
class TestPrivileges:
    def test_no_root_is_needed_where_the_kernel_allows(self) -> None:
        """A user without rights has networks in a user namespace of its own."""
        out, err = lab_scripts.run_as_nobody("available").communicate(timeout=30)
        assert err == ""
        if out.startswith("False"):
            pytest.skip(out)
        out, err = lab_scripts.run_as_nobody("connect").communicate(timeout=30)
        assert (out, err) == ("connected\n", "")

    def test_what_the_kernel_refuses_is_named(self) -> None:
        """Where no namespace can be had, the error names the piece and the setting."""
        script = lab_scripts.run_as_nobody("without_network_namespaces")
        out, err = script.communicate(timeout=30)
        if "a user namespace" in err:
            pytest.skip("no user namespaces here")
        assert err == ""
        assert "the kernel refuses a network namespace: No space left" in out
        assert "user.max_net_namespaces" in out

    def test_what_the_kernel_lacks_is_named(self) -> None:
        """A piece that cannot be made is named with the host and the kernel's own words."""
        twice = [Route("10.9.0.0/24", gateway="10.0.0.2")] * 2
        with pytest.raises(LabError, match=r"host a: .*route to 10.9.0.0/24: File exists"):
            make(a=Machine({"wire": "10.0.0.1/24"}, routes=twice))


@needs_lab
class TestTheCaller:
    """What the test's own process may be like."""

    @pytest.mark.parametrize(
        ("script", "said"),
        [
            pytest.param("default_timeout", "5000000 5000000\n3\n", id="setdefaulttimeout"),
            pytest.param("many_descriptors", "0 1100\n", id="descriptors above 1023"),
            pytest.param("odd_signals", "(3, 1)\n-15\n", id="SIGCHLD ignored, SIGTERM blocked"),
        ],
    )
    def test_its_settings_do_not_matter(self, script: str, said: str) -> None:
        """Default timeouts, many open files and signal settings of the caller change nothing."""
        out, err = lab_scripts.run(script).communicate(timeout=30)
        assert (out, err) == (said, "")

    def test_a_forked_child_ends_nothing(self) -> None:
        """A forked child that leaves the ``with`` leaves the network to its parent."""
        out, err = lab_scripts.run("fork_inside").communicate(timeout=30)
        assert (out, err) == ("the child has left\n0 None True\n", "")

    def test_an_error_is_said_once(self) -> None:
        """Where a host cannot be made the LabError names it, and nothing else is printed."""
        out, err = lab_scripts.run("cannot_be_made").communicate(timeout=30)
        assert "host b: cannot set net.ipv4.no_such_setting to 1" in out
        assert err == ""
