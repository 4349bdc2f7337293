"""Advice that works when it is followed: it is carried out here, and then the colleague gets in.

Each case is explained where the server is, on the machine that runs it, and is tried by the
colleague, before and after. What a machine appears to be inside another one is only said here.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import NamedTuple

import pytest
from guests_home import (
    COLLEAGUE,
    HOST,
    INSIDE,
    PORT,
    by_dnat,
    by_loopback,
    by_relay,
    by_slirp4netns,
    explain_in_guest,
    home,
    read_from,
    serving,
)
from lab_home import needs_lab

from bindlab import Explanation, Remedy, Route, explain, lab
from bindlab.guest import GuestKind
from bindlab.lab import LabHost, Machine, Network, Nic

pytestmark = [needs_lab, pytest.mark.slow]

needs_nft = pytest.mark.skipif(shutil.which("nft") is None, reason="needs nft")
needs_slirp = pytest.mark.skipif(shutil.which("slirp4netns") is None, reason="needs slirp4netns")
LOOPBACK, WILDCARD = "127.0.0.1", "0.0.0.0"


def flat(text: object) -> str:
    """Return *text* in one line, as no line break falls where a reader would see one."""
    return " ".join(str(text).split())


class Guest(NamedTuple):
    """A guest, how its host passes a port on, and what is said in it and on its host."""

    kind: GuestKind
    publish: Callable[[Network], AbstractContextManager[None]]
    advice: str
    host_says: str
    by_loopback: bool = False


CONTAINER = "start the container with -p 3000:3000; then open http://HOST:3000"
REDIRECTED = "neither ufw nor the rules of INPUT govern them"
GUESTS = {
    "a container, by DNAT": Guest("container", by_dnat, CONTAINER, REDIRECTED),
    "a container, by docker-proxy": Guest(
        "container", by_relay, CONTAINER, "it passes it to a container, where the server proper is"
    ),
    "a container, by rootlesskit": Guest(
        "container",
        lambda net: by_relay(net, "rootlesskit"),
        CONTAINER,
        "it passes it to a container, where the server proper is",
    ),
    "a pod, by a Service": Guest("pod", by_dnat, "give the pod a Service", REDIRECTED),
    "a pod, by kubectl": Guest(
        "pod",
        by_loopback,
        "run kubectl port-forward --address 0.0.0.0",
        "it passes it to a pod",
        by_loopback=True,
    ),
    "a dev container, by the editor": Guest(
        "dev container",
        lambda net: by_loopback(net, "node"),
        "forward port 3000 in the editor",
        "node (process ",
        by_loopback=True,
    ),
    "a codespace, by ssh": Guest(
        "codespace",
        lambda net: by_loopback(net, "ssh"),
        "forward port 3000, and open it",
        "it passes it through an SSH tunnel",
        by_loopback=True,
    ),
    "WSL 2, by a port proxy": Guest(
        "wsl",
        lambda net: by_relay(net, "svchost"),
        "netsh interface portproxy add v4tov4 listenaddress=0.0.0.0 listenport=3000 "
        f"connectaddress={INSIDE} connectport=3000; then open http://HOST:3000",
        "svchost (process ",
    ),
    "a virtual machine, by NAT": Guest(
        "vm", by_dnat, "hostfwd=tcp::3000-:3000); then open http://HOST:3000", REDIRECTED
    ),
}


@needs_nft
@pytest.mark.parametrize("bound", [LOOPBACK, WILDCARD, INSIDE])
@pytest.mark.parametrize("case", GUESTS)
def test_in_a_guest(case: str, bound: str) -> None:
    """What is to be bound in the guest, and done on its host, lets the colleague in."""
    kind, publish, advice, host_says, _ = GUESTS[case]
    with home() as net, ExitStack() as running:
        server = running.enter_context(ExitStack())
        server.enter_context(serving(net.guest, bound))
        assert read_from_colleague(net, HOST) == "ConnectionRefusedError"
        assert (
            "nothing listens on port 3000" in flat(net.desk.call(explain, PORT, COLLEAGUE)).lower()
        )

        found = net.guest.call(explain_in_guest, kind)
        remedy = chosen(found.remedies, advice)
        assert remedy.dial is None
        assert f"open http://{INSIDE}" not in flat(found)

        rebind = None if remedy.bind is None else str(remedy.bind.ip)
        unserved = INSIDE if GUESTS[case].by_loopback else LOOPBACK
        assert rebind == (WILDCARD if bound == unserved else None)
        if rebind is not None:
            server.close()
            running.enter_context(serving(net.guest, rebind))
        running.enter_context(publish(net))
        assert read_from_colleague(net, HOST) == "hello"
        assert host_says in flat(net.desk.call(explain, PORT, COLLEAGUE))


def read_from_colleague(net: Network, address: str) -> str:
    """Return what the colleague meets."""
    return net.colleague.call(read_from, address)


def chosen(remedies: tuple[Remedy, ...], advice: str) -> Remedy:
    """Return the remedy that is carried out."""
    return next(remedy for remedy in remedies if advice in str(remedy))


# What is on the host where the port is published, and the server inside listens elsewhere.
_INSIDE = "most often the server in it is bound to the container's 127.0.0.1: let it bind 0.0.0.0"
BEHIND = {
    "docker-proxy": (by_relay, _INSIDE),
    "rootlesskit": (lambda net: by_relay(net, "rootlesskit"), _INSIDE),
    "an unknown relay": (
        lambda net: by_relay(net, "something"),
        "bound to its own 127.0.0.1: let it bind 0.0.0.0",
    ),
}


@pytest.mark.parametrize("case", BEHIND)
def test_a_published_port_with_nothing_behind_it(case: str) -> None:
    """The first thing said on the host is that it accepts and closes; what is said then helps."""
    publish, says = BEHIND[case]
    with home() as net, publish(net), ExitStack() as running:
        with serving(net.guest, LOOPBACK):
            found = net.desk.call(explain, PORT, COLLEAGUE)
            assert read_from_colleague(net, HOST) == "closed"
        assert flat(found).startswith(
            "Something is wrong behind it: port 3000 accepts, and closes at once."
        )
        assert says in flat(found)
        assert found.remedies == ()
        running.enter_context(serving(net.guest, WILDCARD))
        assert read_from_colleague(net, HOST) == "hello"
        assert net.desk.call(explain, PORT, COLLEAGUE).trouble == ""


@needs_nft
def test_dnat_to_nothing() -> None:
    """Where packets are redirected to a server on loopback, it is not asked to publish again."""
    with home() as net, by_dnat(net), ExitStack() as running:
        with serving(net.guest, LOOPBACK):
            found = net.desk.call(explain, PORT, COLLEAGUE)
            assert read_from_colleague(net, HOST) == "ConnectionRefusedError"
        assert not found
        assert f"sends TCP port 3000 to {INSIDE}:3000" in flat(found.certain)
        assert "is it bound to more than the 127.0.0.1 of its container" in flat(found)
        assert "-p 3000:3000" not in flat(found)
        running.enter_context(serving(net.guest, WILDCARD))
        assert read_from_colleague(net, HOST) == "hello"


@needs_slirp
@pytest.mark.parametrize("bound", [LOOPBACK, WILDCARD, "10.0.2.100"])
def test_slirp4netns(bound: str) -> None:
    """A real published port of a rootless container: bind, publish, and open the host's address."""
    with home("") as net, ExitStack() as running:
        with by_slirp4netns(net, publish=False), serving(net.guest, bound):
            found = net.guest.call(explain_in_guest, "container")
            assert read_from_colleague(net, HOST) == "ConnectionRefusedError"
        remedy = chosen(found.remedies, CONTAINER)
        assert (remedy.bind is None) is (bound != LOOPBACK)
        running.enter_context(by_slirp4netns(net))
        with ExitStack() as server:
            server.enter_context(serving(net.guest, bound))
            host = net.desk.call(explain, PORT, COLLEAGUE)
            assert "slirp4netns (process " in flat(host)
            assert "it passes it to a container, where the server proper is" in flat(host)
            assert (host.trouble != "") is (bound == LOOPBACK)
        if remedy.bind is not None:
            bound = str(remedy.bind.ip)
        running.enter_context(serving(net.guest, bound))
        assert read_from_colleague(net, HOST) == "hello"


PASTA = """
import os, sys
os.closerange(3, 100)  # the port's own socket is among what pasta hands down
sys.path[:] = sys.argv[2:]
import guests_home, threading
threading.Thread(target=guests_home.serve, args=(sys.argv[1],), daemon=True).start()
guests_home.wait_for_server(sys.argv[1])
found = guests_home.explain_in_guest("container", "wifi")
print(*found.remedies, "and that is all", sep="\\n", flush=True)
threading.Event().wait()
"""


@pytest.mark.skipif(shutil.which("pasta") is None, reason="needs pasta")
def test_pasta() -> None:
    """pasta gives a container its host's addresses; by loopback it enters by loopback."""
    with home("") as net:
        command = ["pasta", "--runas", "0", "--config-net", "-f", "-t", "3000"]
        command += ["-T", "none", "-u", "none", "-U", "none"]
        command += ["--ns-mac-addr", "9a:55:9a:55:9a:55", "--", sys.executable, "-c", PASTA]
        for bound, trouble in ((LOOPBACK, True), (WILDCARD, False)):
            with net.desk.run([*command, bound, *sys.path]) as guest:
                said = " ".join(guest.wait_for_output("that is all").split())
                assert ("bind 0.0.0.0; " in said) is (bound == LOOPBACK)
                assert CONTAINER in said
                found = net.desk.call(explain, PORT, COLLEAGUE)
                assert "it passes it to a container or a virtual machine" in flat(found)
                assert (found.trouble != "") is trouble
                # Not the colleague: here, without its user namespace, it passes on what comes by
                # loopback, and refuses what comes from outside, but brings nothing of it in.
                assert net.desk.call(read_from, LOOPBACK) == "hello"


@pytest.mark.parametrize("kind", ["wsl", "vm", "container"])
@pytest.mark.parametrize("bound", [LOOPBACK, WILDCARD])
def test_a_guest_on_its_hosts_network(kind: GuestKind, bound: str) -> None:
    """Mirrored, bridged or with host networking, it is opened at its own address."""
    guest = Machine({"wifi": "192.168.0.11/24"})
    with (
        lab.network(guest=guest, colleague={"wifi": f"{COLLEAGUE}/24"}) as net,
        ExitStack() as running,
    ):
        with serving(net.guest, bound):
            found = net.guest.call(explain_in_guest, kind, needs_forwarding=False)
            assert read_from_colleague(net, "192.168.0.11") == (
                "ConnectionRefusedError" if bound == LOOPBACK else "hello"
            )
        then = carry_out(found, running, net.guest, bound)
        assert then == "http://192.168.0.11:3000"
        assert read_from_colleague(net, "192.168.0.11") == "hello"


def carry_out(found: Explanation, running: ExitStack, server: LabHost, bound: str) -> str:
    """Serve where it is said, or as before, and return what the colleague opens then."""
    if not found.remedies:
        running.enter_context(serving(server, bound))
        return found.verdict.opens if found.verdict else ""
    remedy = found.remedies[0]
    assert {change.kind for change in remedy.changes} <= {"bind", "up", "route"}
    for change in remedy.changes:
        if change.kind == "up":
            server.call(run, "ip", "link", "set", change.interface, "up")
        elif isinstance(change.value, Route):
            network = str(change.value.network)
            server.call(run, "ip", "route", "replace", network, "dev", change.interface)
    running.enter_context(serving(server, str(remedy.bind.ip) if remedy.bind else bound))
    return remedy.verdict.opens


def run(*command: str) -> None:
    """Run a program of a host, such as ip."""
    subprocess.run(command, check=True, timeout=10)


class Laptop(NamedTuple):
    """A server that somebody cannot reach, who that is, and what has to be the answer."""

    machine: Machine
    colleague: Machine
    opens: str
    origin: str = COLLEAGUE
    rules: tuple[str, ...] = ()
    says: str = ""


WIFI, VPN, TAILNET = "192.168.0.102", "10.8.0.2", "100.101.7.3"
ON_WIFI = Machine({"wifi": f"{COLLEAGUE}/24"})
ON_VPN = Machine({"vpn": "10.8.0.9/24"})
ON_TAILNET = Machine({"tail": "100.80.0.9/10"})
FULL = Machine({"wifi": f"{WIFI}/24", "tun0": Nic(f"{VPN}/24", network="vpn")}, gateway="10.8.0.1")
SPLIT = Machine(
    {"wifi": f"{WIFI}/24", "tun0": Nic(f"{VPN}/24", network="vpn")},
    gateway="192.168.0.1",
    routes=[Route("10.0.0.0/8", gateway="10.8.0.1")],
)
TAILSCALE = Machine(
    {"wifi": f"{WIFI}/24", "tailscale0": Nic(f"{TAILNET}/32", network="tail")},
    gateway="192.168.0.1",
)
# As Tailscale writes them: marked packets first, then a table of its own.
TAILSCALE_RULES = (
    "ip route add 100.64.0.0/10 dev tailscale0 table 52",
    "ip rule add pref 5210 fwmark 0x80000/0xff0000 lookup main",
    "ip rule add pref 5270 lookup 52",
)
LAPTOPS = {
    "a full-tunnel VPN, from the Wi-Fi": Laptop(FULL, ON_WIFI, f"http://{WIFI}:3000"),
    "a full-tunnel VPN, from the VPN": Laptop(
        FULL, ON_VPN, f"http://{VPN}:3000", origin="10.8.0.9"
    ),
    "a split VPN, from the Wi-Fi": Laptop(SPLIT, ON_WIFI, f"http://{WIFI}:3000"),
    "a split VPN, from the VPN": Laptop(SPLIT, ON_VPN, f"http://{VPN}:3000", origin="10.8.0.9"),
    "Tailscale's rules, from the Wi-Fi": Laptop(
        TAILSCALE, ON_WIFI, f"http://{WIFI}:3000", rules=TAILSCALE_RULES
    ),
    "Tailscale's rules, from the tailnet": Laptop(
        TAILSCALE,
        ON_TAILNET.replace(routes=[Route(f"{TAILNET}/32", interface="tail")]),
        f"http://{TAILNET}:3000",
        origin="100.80.0.9",
        rules=TAILSCALE_RULES,
    ),
    "the Wi-Fi is down": Laptop(
        Machine({"wifi": Nic(f"{WIFI}/24", up=False), "ethernet": "10.0.0.12/24"}),
        ON_WIFI,
        f"http://{WIFI}:3000",
        says="connect wifi",
    ),
    "no way back": Laptop(
        Machine({"wifi": f"{WIFI}/24"}),
        Machine({"wifi": "192.168.1.50/24"}, routes=[Route("192.168.0.0/24", interface="wifi")]),
        f"http://{WIFI}:3000",
        origin="192.168.1.50",
        says="give this machine a route to 192.168.1.50 by wifi",
    ),
    "a strict reverse path filter": Laptop(
        Machine({"wifi": Nic(f"{WIFI}/24", rp_filter=1), "ethernet": "10.0.0.12/24"}),
        Machine({"wifi": "192.168.1.50/24"}, routes=[Route("192.168.0.0/24", interface="wifi")]),
        f"http://{WIFI}:3000",
        origin="192.168.1.50",
        says="give this machine a route to 192.168.1.50",
    ),
}


@pytest.mark.parametrize("bound", [LOOPBACK, WILDCARD])
@pytest.mark.parametrize("case", LAPTOPS)
def test_on_a_laptop(case: str, bound: str) -> None:
    """Whatever stands in the way on the machine itself, what is said lets the colleague in."""
    given = LAPTOPS[case]
    with (
        lab.network(laptop=given.machine, colleague=given.colleague) as net,
        ExitStack() as running,
    ):
        for rule in given.rules:
            net.laptop.call(run, *rule.split())
        address = given.opens.removeprefix("http://").removesuffix(":3000")
        with serving(net.laptop, bound):
            met = read_from_colleague(net, address)
            found = net.laptop.call(explain, PORT, given.origin)
        assert (met == "hello") is (bound == WILDCARD and not given.says)
        assert given.says in flat(found)
        assert bool(found) is (met == "hello")
        assert carry_out(found, running, net.laptop, bound) == given.opens
        # It asks the link anew some seconds after it found nobody there.
        assert "hello" in (read_from_colleague(net, address) for _ in range(5))


def ruleset(rule: str, policy: str = "accept") -> str:
    """Return a firewall as people write it on the server itself."""
    lines = ("ct state established,related accept", "iif lo accept", rule)
    return f"""table inet filter {{
    chain input {{
        type filter hook input priority 0; policy {policy};
        {"; ".join(lines)}
    }}
}}"""


FIREWALLS = {
    "drops the port": (ruleset("tcp dport 3000 drop"), "TimeoutError"),
    "rejects the port": (ruleset("tcp dport 3000 reject"), "ConnectionRefusedError"),
    "resets the port": (ruleset("tcp dport 3000 reject with tcp reset"), "ConnectionRefusedError"),
    "drops by policy": (ruleset("tcp dport 22 accept", "drop"), "TimeoutError"),
    "says prohibited": (
        ruleset("tcp dport 3000 reject with icmp type admin-prohibited"),
        "OSError",
    ),
}


@needs_nft
@pytest.mark.parametrize("bound", [LOOPBACK, WILDCARD])
@pytest.mark.parametrize("case", FIREWALLS)
def test_a_firewall_on_the_server(case: str, bound: str) -> None:
    """Nothing is called certain that a firewall undoes; it is the first thing to look at."""
    rules, meets = FIREWALLS[case]
    laptop = Machine({"wifi": f"{WIFI}/24"}, firewall=rules)
    with lab.network(laptop=laptop, colleague=ON_WIFI) as net, ExitStack() as running:
        with serving(net.laptop, bound):
            found = net.laptop.call(explain, PORT, COLLEAGUE)
        assert carry_out(found, running, net.laptop, bound) == f"http://{WIFI}:3000"
        assert read_from_colleague(net, WIFI) == meets
        assert not any("can reach it" in text or "shuts" in text for text in found.certain)
        assert str(found.checks[0]).startswith("the firewall of this machine")
        says = "drops by default" if case == "drops by policy" else "(some drop or reject)"
        assert f"its input chain input {says}" in flat(found.checks[0]).replace(
            "accepts by default, after 3 rules ", ""
        )
        net.laptop.call(run, "nft", "insert rule inet filter input tcp dport 3000 accept")
        assert read_from_colleague(net, WIFI) == "hello"
