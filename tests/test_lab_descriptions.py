"""The lab's descriptions: values, and what no network can be."""

import contextlib
import os
import pickle
import subprocess
import sys

import pytest
from lab_home import needs_lab

from bindlab import Route, lab
from bindlab.lab import Machine, Nic
from bindlab.snapshot import interfaces

_NO_NAMES = ("all", "default", ".", "..", "a\0b", "a%d", "a/b", "a:b", "a b", "", "x" * 16, "é" * 8)
_UNFIT = (
    ("127.0.0.1/8", "belongs on lo"),
    ("127.9.9.9/32", "belongs on lo"),
    ("::1/128", "belongs on lo"),
    ("0.0.0.0/0", "unspecified"),
    ("::/128", "unspecified"),
    ("224.0.0.1/24", "multicast"),
    ("ff02::1/64", "multicast"),
    ("10.0.0.255/24", "the broadcast address of 10.0.0.0/24"),
    ("255.255.255.255/32", "broadcast"),
    ("fe80::1%w/64", "leave out what follows the %"),
)


def own_addresses() -> list[str]:
    """Return the addresses of the host that calls it."""
    return [str(address) for nic in interfaces() for address in nic.addresses]


def _gateway(*routers: str) -> Machine:
    return Machine({"w": "10.0.0.1/24"}, gateway=routers)


class TestDescriptions:
    def test_other_systems_have_no_lab(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Elsewhere than on Linux the lab can be imported, and says that it is not available."""
        monkeypatch.setattr(sys, "platform", "win32")
        assert not lab.available()
        assert "this is win32" in lab.available().reason

    def test_a_python_without_pidfds_has_no_lab(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """PyPy has no os.pidfd_open(): that is said beforehand, and nothing is tried."""
        monkeypatch.delattr(os, "pidfd_open", raising=False)
        assert not lab.available()
        assert "os.pidfd_open()" in lab.available().reason

    def test_importing_it_is_light(self) -> None:
        """Importing the lab loads nothing that only Linux has, and nothing heavy."""
        script = (
            "import sys; heavy = {'ctypes', 'subprocess', 'fcntl', 'ifaddr', 'asyncio'}"
            "; heavy -= set(sys.modules); import bindlab.lab; print(heavy & set(sys.modules))"
        )
        env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == "set()"

    @pytest.mark.parametrize(
        ("call", "words"),
        [
            (lambda: lab.network(), "a network has hosts"),
            (lambda: lab.network(a={"wifi/5": ()}), "no interface name"),
            (lambda: lab.network(a={"a-name-too-long-for-it": ()}), "1 to 15 characters"),
            (lambda: lab.network(a={"wifi": "10.0.0.1"}), "no prefix length"),
            (lambda: lab.network(a={"wifi": "10.0.0.1/33"}), "does not appear to be"),
            (lambda: lab.network(a={"wifi": Nic(network="lo")}), "lo is a path inside"),
            (lambda: lab.network(a={"lo": Nic(bridge=True)}), "lo is a path inside"),
            (lambda: lab.network(_a={"wifi": ()}), "no name for a host"),
            (
                lambda: lab.network(a={"br": Nic(bridge=True)}, b={"br": Nic(bridge=True)}),
                "cannot be a bridge of b",
            ),
            (
                lambda: lab.network(
                    a=Machine({"w": ()}, routes=[Route("10.0.0.0/8", interface="x")])
                ),
                "a has no interface x",
            ),
            (lambda: Machine(routes=[Route("10.0.0.0/8")]), "leads nowhere"),
            (lambda: Machine(sysctl={"kernel.hostname": "x"}), "no setting of a network"),
            (lambda: Machine(gateway="example"), "no IP address"),
            (lambda: lab.firewall("ignore"), "no answer of a firewall"),
            *((lambda name=name: Machine({name: ()}), "no interface name") for name in _NO_NAMES),
            (lambda: Machine({"w": ["10.0.0.1/24", "10.0.0.1/24"]}), r"w has 10\.0\.0\.1 twice"),
            (lambda: Machine({"w": ["fd00::1/64", "fd00::1/48"]}), "w has fd00::1 twice"),
            (lambda: Machine({"lo": "127.0.0.1/8"}), "lo has 127.0.0.1/8 of itself"),
            *((lambda text=text: Machine({"w": text}), words) for text, words in _UNFIT),
            (lambda: Machine({"lo": "224.0.0.1/32"}), "multicast"),
            (lambda: Machine({"w": "fd00::1/64"}, disable_ipv6=True), "disable_ipv6 is set"),
            (lambda: Machine({"w": Nic("fd00::1/64", disable_ipv6=True)}), "disable_ipv6 is set"),
            (lambda: Machine({"lo": Nic("fd00::1/64", disable_ipv6=True)}), "disable_ipv6 is set"),
            (lambda: _gateway("10.0.1.1"), "the router 10.0.1.1 is on no network"),
            (lambda: _gateway("10.0.0.1"), "is this machine itself"),
            (lambda: _gateway("fd00::1"), "on no network"),
            (lambda: _gateway("10.0.0.2", "10.0.0.3"), "two gateways of one family"),
            (lambda: _gateway("fe80::1"), "is on every link: write routes="),
            (
                lambda: Machine({"w": Nic("10.0.0.1/24", up=False)}, gateway="10.0.0.2"),
                "that is up",
            ),
            (lambda: Machine({"lo": "10.0.0.1/24"}, gateway="10.0.0.2"), "on no network"),
            (
                lambda: Machine(
                    {"w": "10.0.0.1/24"}, routes=[Route("10.9.0.0/16", gateway="10.1.0.2")]
                ),
                "the router 10.1.0.2 is on no network",
            ),
            (lambda: Machine(routes=[Route("::/0", gateway="fe80::1")]), "say which by interface="),
            (lambda: Machine(rp_filter=3), "rp_filter is a number from 0 to 2"),
            (lambda: Nic(rp_filter=-1), "rp_filter is a number from 0 to 2"),
            (lambda: Machine(arp_ignore=9), "arp_ignore is a number from 0 to 8"),
            (
                lambda: lab.network(a={"w": "10.0.0.1/24"}, b={"w": "10.0.0.1/16"}),
                r"10\.0\.0\.1 is both a and b on w",
            ),
            (lambda: lab.firewall("drop", allow=[0]), "port 0"),
            (lambda: lab.firewall("drop", allow=[65536]), "out of range"),
        ],
    )
    def test_nonsense_is_a_value_error(self, call: object, words: str) -> None:
        """What no network can be is refused before anything is made."""
        assert callable(call)
        with pytest.raises(ValueError, match=words), contextlib.ExitStack() as stack:
            stack.enter_context(call())

    @pytest.mark.parametrize(
        ("call", "words"),
        [
            (lambda: lab.network(a="10.0.0.1/24"), "a is described by its interfaces"),
            (lambda: Machine("10.0.0.1/24"), "a machine is its interfaces"),
            (lambda: Machine({5: ()}), "an interface's name is text"),
            (lambda: Machine({"w": [5]}), "an interface's address is text"),
            (lambda: Machine(routes=["10.0.0.0/8"]), "a route is a Route"),
            (lambda: Machine(routes="default"), "a route is a Route"),
            (lambda: Machine(rp_filter=True), "rp_filter is a number"),
            (lambda: Nic(arp_ignore="1"), "arp_ignore is a number"),
            (lambda: Nic(up=1), "up is True or False"),
            (lambda: Machine(forwarding="yes"), "forwarding is True or False"),
            (lambda: Machine(bindv6only=None), "bindv6only is True or False"),
            (lambda: Machine(sysctl={"net.ipv4.tcp_ecn": True}), "a number or text"),
            (lambda: Machine(firewall=5), "a ruleset for nft"),
            (lambda: lab.firewall("drop", allow="22"), "a port is an int"),
            (lambda: lab.firewall("drop", allow=[True]), "a port is an int"),
        ],
    )
    def test_another_type_is_a_type_error(self, call: object, words: str) -> None:
        """What is not of the type that it should be is refused before anything is made."""
        assert callable(call)
        with pytest.raises(TypeError, match=words), contextlib.ExitStack() as stack:
            stack.enter_context(call())

    @pytest.mark.parametrize(
        "machine",
        [
            pytest.param(Machine({"lo": Nic("127.0.0.1/8", up=False)}), id="127.0.0.1, lo down"),
            pytest.param(Machine({"lo": "127.0.0.5/8"}), id="more of 127.0.0.0/8"),
            pytest.param(Machine({"w": ["10.0.0.1/24", "10.0.0.1/16"]}), id="two prefixes"),
            pytest.param(Machine({"w": ["10.0.0.255/31", "10.0.1.255/16"]}), id="no broadcast"),
            pytest.param(
                Machine({"v": Nic("100.64.0.1/32", peer="100.64.0.2")}, gateway="100.64.0.2"),
                id="by a peer",
            ),
            pytest.param(
                Machine(
                    {"w": "10.0.0.1/32"},
                    routes=[
                        Route("10.1.0.0/24", interface="w"),
                        Route("10.2.0.0/24", gateway="10.1.0.2"),
                    ],
                ),
                id="by an earlier route",
            ),
        ],
    )
    @needs_lab
    def test_what_the_kernel_takes_is_taken(self, machine: Machine) -> None:
        """The checks refuse nothing that can be made."""
        with lab.network(host=machine, other={"w": (), "v": ()}) as net:
            assert set(net.host.call(own_addresses)) >= {
                str(address) for _, nic in machine.nics for address in nic.addresses
            }

    def test_descriptions_are_values(self) -> None:
        """Machines, interfaces and routes compare, hash, and pickle by content."""
        machine = Machine(
            {"wifi": Nic("10.0.0.1/24", rp_filter=1)},
            routes=[Route("::/0", gateway="fe80::1", interface="wifi")],
        )
        again = Machine(
            {"wifi": Nic(["10.0.0.1/24"], rp_filter=1)},
            routes=[Route("::/0", gateway="fe80::1", interface="wifi")],
        )
        assert machine == again == pickle.loads(pickle.dumps(machine))
        assert hash(machine) == hash(again)
        assert machine != machine.replace(forwarding=True)
