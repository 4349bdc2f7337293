"""How a guest is known: made-up trees of files, environments and networks, kind by kind."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from attempts import LINUX
from namespace import in_namespace, ip

from bindlab import Guest, Interface, Route, this_host
from bindlab.guest import GuestKind
from bindlab.linux import guest_of

LO = Interface("lo", 1, None, ["127.0.0.1/8"], True, True, is_loopback=True)
SERVICE_ACCOUNT: Final = "var/run/secrets/kubernetes.io/serviceaccount/token"
OVERLAY = "22 1 0:40 / / rw,relatime - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/A"
HOSTS = "9 22 8:1 /var/lib/docker/containers/77/hosts /etc/hosts rw - ext4 /dev/sda1 rw"
ON_A_HOST = "22 1 0:40 / /var/lib/docker/overlay2/7/merged rw - overlay overlay rw,lowerdir=/a"
WSL2 = {
    "proc/sys/kernel/osrelease": "5.15.153.1-microsoft-standard-WSL2\n",
    "proc/sys/kernel/hostname": "DESKTOP-7\n",
}
QEMU = {"sys/class/dmi/id/sys_vendor": "QEMU\n", "sys/class/dmi/id/product_name": "Standard PC\n"}
VMWARE = {"sys/class/dmi/id/sys_vendor": "VMware, Inc.\n"}
HYPERV = {
    "sys/class/dmi/id/sys_vendor": "Microsoft Corporation\n",
    "sys/class/dmi/id/product_name": "Virtual Machine\n",
}


def cable(address: str, kind: str = "veth", name: str = "eth0") -> Interface:
    """Return the main interface."""
    return Interface(name, 2, None, [address], True, True, kind=kind)


class Case(NamedTuple):
    """The files and the main interface of a machine, and what it appears to be."""

    files: Mapping[str, str]
    link: Interface
    gateway: str | None
    guest: Guest | None
    environment: Mapping[str, str] = {}
    others: tuple[Interface, ...] = ()


def known(kind: GuestKind, host: str | None = None, name: str | None = None) -> Guest:
    """Return a guest whose host has to forward."""
    return Guest(kind, ["evidence"], host_address=host, host_name=name)


def on_its_hosts_network(kind: GuestKind, name: str | None = None) -> Guest:
    """Return a guest whose host has nothing to do."""
    return Guest(kind, ["evidence"], needs_forwarding=False, host_name=name)


DOCKER, POD = known("container", "172.17.0.1"), known("pod", "172.17.0.1")
DOCKERENV, PODMAN = {".dockerenv": ""}, {"run/.containerenv": ""}
ETH0, LAN, QEMU_ETH0 = (
    cable("172.17.0.2/16"),
    cable("192.168.1.20/24", ""),
    cable("10.0.2.15/24", ""),
)
USER_NET = known("vm", "10.0.2.2").replace(private_links=["eth0"])
SLIRP, PASTA = cable("10.0.2.100/24", "tun", "tap0"), cable("192.168.1.20/24", "tun", "enp3s0")
LOOPBACK0 = (Interface("loopback0", 3, None, [], True, True),)
DOCKER0 = (cable("172.17.0.1/16", "bridge", "docker0"),)
BRIDGE, ROUTER = "172.17.0.1", "192.168.1.1"
CODESPACE = {"CODESPACES": "true", "CODESPACE_NAME": "fluffy-1", "REMOTE_CONTAINERS": "true"}

CASES: Final = {
    "docker": Case(DOCKERENV, ETH0, BRIDGE, DOCKER),
    "podman": Case(PODMAN, ETH0, BRIDGE, DOCKER),
    "cgroup": Case({"proc/self/cgroup": "0::/docker/77\n"}, ETH0, BRIDGE, DOCKER),
    "overlay": Case({"proc/self/mountinfo": OVERLAY}, ETH0, BRIDGE, DOCKER),
    "mounted hosts": Case({"proc/self/mountinfo": HOSTS}, ETH0, BRIDGE, DOCKER),
    "lxc": Case({}, ETH0, BRIDGE, DOCKER, {"container": "lxc"}),
    "rootless, slirp": Case(
        PODMAN, SLIRP, "10.0.2.2", known("container", "10.0.2.2").replace(private_links=["tap0"])
    ),
    "rootless, pasta": Case(
        PODMAN,
        PASTA,
        ROUTER,
        known("container", None, "192.168.1.20").replace(private_links=["enp3s0"]),
    ),
    "macvlan": Case(
        DOCKERENV, cable("192.168.1.7/24", "macvlan"), ROUTER, on_its_hosts_network("container")
    ),
    "host networking": Case(
        DOCKERENV, LAN, ROUTER, on_its_hosts_network("container"), others=DOCKER0
    ),
    "docker in docker": Case(DOCKERENV, ETH0, BRIDGE, DOCKER, others=DOCKER0),
    "no network": Case(DOCKERENV, LO, None, known("container")),
    "gvisor": Case(DOCKERENV, cable("172.17.0.2/16", ""), BRIDGE, DOCKER),
    "pod, environment": Case({}, ETH0, BRIDGE, POD, {"KUBERNETES_SERVICE_HOST": "10.96.0.1"}),
    "pod, files": Case(
        {SERVICE_ACCOUNT: "x", ".dockerenv": ""}, cable("10.1.1.5/32"), "169.254.1.1", known("pod")
    ),
    "pod, cgroup": Case({"proc/self/cgroup": "0::/kubepods.slice/pod1\n"}, ETH0, BRIDGE, POD),
    "codespace": Case(
        DOCKERENV,
        ETH0,
        BRIDGE,
        known("codespace", BRIDGE, "fluffy-1-PORT.app.github.dev"),
        CODESPACE,
    ),
    "dev container": Case(
        DOCKERENV, ETH0, BRIDGE, known("dev container", BRIDGE), {"REMOTE_CONTAINERS": "true"}
    ),
    "container in wsl": Case({".dockerenv": "", **WSL2}, ETH0, BRIDGE, DOCKER),
    "wsl, nat": Case(
        WSL2, cable("172.29.16.5/20", ""), "172.29.16.1", known("wsl", "172.29.16.1", "DESKTOP-7")
    ),
    "wsl, mirrored": Case(WSL2, LAN, ROUTER, on_its_hosts_network("wsl", "DESKTOP-7")),
    "wsl, mirrored, an office": Case(
        WSL2,
        cable("172.16.4.5/16", ""),
        "172.16.0.1",
        on_its_hosts_network("wsl", "DESKTOP-7"),
        others=LOOPBACK0,
    ),
    "wsl 1": Case({"proc/sys/kernel/osrelease": "4.4.0-19041-Microsoft\n"}, LAN, ROUTER, None),
    "qemu": Case(QEMU, QEMU_ETH0, "10.0.2.2", USER_NET),
    "no dmi": Case({}, QEMU_ETH0, "10.0.2.2", USER_NET),
    "libvirt": Case(
        QEMU, cable("192.168.122.77/24", ""), "192.168.122.1", known("vm", "192.168.122.1")
    ),
    "vmware": Case(
        VMWARE, cable("192.168.57.128/24", ""), "192.168.57.2", known("vm", "192.168.57.1")
    ),
    "hyper-v": Case(HYPERV, cable("172.28.16.9/20", ""), "172.28.16.1", known("vm", "172.28.16.1")),
    "bridged": Case(QEMU, LAN, ROUTER, on_its_hosts_network("vm")),
    "a laptop": Case({}, LAN, ROUTER, None),
    "a network as VMware has it": Case({}, cable("192.168.57.9/24", ""), "192.168.57.2", None),
    "a host of containers": Case(
        {"proc/self/cgroup": "0::/system.slice/docker.service\n", "proc/self/mountinfo": ON_A_HOST},
        LAN,
        ROUTER,
        None,
        {"container": "flatpak", "CODESPACES": "false"},
        DOCKER0,
    ),
}


def detected(root: Path, case: Case) -> Guest | None:
    """Return what *case* appears to be, its files written below *root*."""
    for name, text in case.files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    routes = [Route("0.0.0.0/0", case.link.name, case.gateway)] if case.gateway else []
    interfaces = list(dict.fromkeys([LO, case.link, *case.others]))
    return guest_of(interfaces, routes, root=str(root), environment=case.environment)


@pytest.mark.parametrize("name", CASES)
def test_a_guest_is_known_by_its_evidence(name: str, tmp_path: Path) -> None:
    """Each kind, what its host has to do, and where that host is."""
    case = CASES[name]
    found = detected(tmp_path, case)
    if found is not None:
        found = found.replace(evidence=["evidence"])
    assert found == case.guest


def test_foreign_text_is_harmless(tmp_path: Path) -> None:
    """Long and odd names of interfaces and files are cut, and can be printed."""
    odd = [cable(f"10.0.{n}.1/24", "bridge", f"docker{n}\x1b" + "x" * 240) for n in range(9)]
    dmi = {"sys/class/dmi/id/sys_vendor": "QEMU\x1b" + "x" * 999, "proc/self/mountinfo": "\n1 2\n"}
    for files in (DOCKERENV, dmi):
        found = detected(
            tmp_path, Case(files, odd[0].replace(name="br"), "10.0.0.9", None, others=tuple(odd))
        )
        assert found is not None
        assert all(text.isprintable() and len(text) < 256 for text in found.evidence)


@LINUX
@in_namespace
def test_a_network_made_inside_a_container_is_not_the_containers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the environment says of the container does not hold for a namespace inside it.

    It does where the namespace has a network as container engines give them.
    """
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    ip("link add eth0 type veth peer name far")
    ip("link set eth0 up")
    ip("addr add 192.168.1.20/24 dev eth0")
    assert this_host().guest is None
    ip("addr flush dev eth0")
    ip("addr add 10.244.1.5/24 dev eth0")
    guest = this_host().guest
    assert guest is not None
    assert guest.kind == "pod"
