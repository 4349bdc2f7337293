"""What points to a guest, as pages of data: files, environment, mounts, makers and networks.

From the documentation of each program, except QEMU's, slirp4netns's and pasta's networks, which
were measured.
"""

from ipaddress import IPv4Network
from typing import Final, NamedTuple

from bindlab.guest import GuestKind
from bindlab.route import IPNetwork

KINDS: Final[tuple[GuestKind, ...]] = ("codespace", "dev container", "pod", "container")
"""The kinds of containers, the innermost first: a container in WSL is a container."""

FILES: Final[tuple[tuple[GuestKind, str, str], ...]] = (
    ("pod", "/var/run/secrets/kubernetes.io/serviceaccount", "Kubernetes"),
    ("container", "/.dockerenv", "Docker"),
    ("container", "/run/.containerenv", "Podman"),
)
ENVIRONMENT: Final[tuple[tuple[GuestKind, str], ...]] = (
    ("codespace", "CODESPACES"),
    ("dev container", "REMOTE_CONTAINERS"),
    ("dev container", "REMOTE_CONTAINERS_IPC"),
    ("dev container", "VSCODE_REMOTE_CONTAINERS_SESSION"),
    ("pod", "KUBERNETES_SERVICE_HOST"),
    ("container", "container"),
)
ENGINES: Final = ("docker", "podman", "oci", "lxc", "systemd-nspawn")
"""What those that make a network write into $container, as systemd(1) asks them to."""

CGROUPS: Final[tuple[tuple[GuestKind, str], ...]] = (
    ("pod", "/kubepods"),
    ("container", "/docker/"),
    ("container", "/docker-"),
    ("container", "/libpod-"),
    ("container", "/lxc.payload"),
    ("container", "/lxc/"),
)
"""Parts of the names of control groups, cgroups(7)."""

MOUNTED_ON: Final = ("/", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf")
MOUNTS: Final[tuple[tuple[GuestKind, str], ...]] = (
    ("pod", "/kubelet/pods/"),
    ("container", "/docker/containers/"),
    ("container", "/docker/overlay2/"),
    ("container", "/overlay-containers/"),
    ("container", "/containers/storage/"),
    ("container", "io.containerd.snapshotter"),
)
"""Parts of what container engines mount there: a host has these of its containers elsewhere."""

DMI: Final = ("sys_vendor", "product_name")
MAKERS: Final = (
    *("QEMU", "KVM", "Bochs", "VMware", "VirtualBox", "innotek", "Virtual Machine", "Parallels"),
    *(
        "Xen",
        "HVM domU",
        "Amazon EC2",
        "Google Compute Engine",
        "OpenStack",
        "Apple Virtualization",
    ),
)
"""What virtual machines call themselves there."""


class Nat(NamedTuple):
    """A network that a program makes for virtual machines.

    It is of *prefix_length*, somewhere in *within*; *gateway* and *host* are the numbers in it
    of the gateway and of the machine that runs the program (0 where that one is not in it).
    *maker* is what DMI has to say, "" where the network is hint enough. In a private one nobody
    else is on the guest's link.
    """

    within: IPNetwork
    prefix_length: int
    gateway: int
    host: int
    maker: str
    name: str
    is_private: bool = False


_PRIVATE_12 = IPv4Network("172.16.0.0/12")
_LIBVIRT, _APPLE = IPv4Network("192.168.122.0/24"), IPv4Network("192.168.64.0/24")
_USER, _PARALLELS = IPv4Network("10.0.2.0/24"), IPv4Network("10.211.55.0/24")

NATS: Final = (
    Nat(_USER, 24, 2, 2, "", "the user networking of QEMU and VirtualBox", is_private=True),
    Nat(_USER, 24, 1, 0, "VirtualBox", "VirtualBox's NAT network"),
    Nat(_LIBVIRT, 24, 1, 1, "", "libvirt's default network"),
    Nat(IPv4Network("192.168.0.0/16"), 24, 2, 1, "VMware", "VMware's NAT"),
    Nat(_PRIVATE_12, 24, 2, 1, "VMware", "VMware's NAT"),
    Nat(_PRIVATE_12, 20, 1, 1, "Virtual Machine", "Hyper-V's default switch"),
    Nat(_PARALLELS, 24, 1, 2, "Parallels", "Parallels' shared network"),
    Nat(_APPLE, 24, 1, 1, "Apple", "macOS's shared network"),
)
WSL_NAT: Final = _PRIVATE_12

POOLS: Final = (
    (_PRIVATE_12, 16),
    (IPv4Network("192.168.0.0/16"), 20),
    (IPv4Network("10.88.0.0/15"), 16),
    (IPv4Network("10.89.0.0/16"), 24),
    (IPv4Network("10.244.0.0/16"), 24),
    (IPv4Network("10.42.0.0/16"), 24),
    (IPv4Network("0.0.0.0/0"), 32),
)
"""Networks that container engines and clusters give by default, with their prefix lengths."""

# Kinds of interfaces, as ip-link(8) has them.
CABLES: Final = ("veth", "netkit")
ON_HOSTS_NETWORK: Final = ("macvlan", "ipvlan")

OF_HOSTS: Final = (
    *("docker", "br-", "podman", "cni", "cali", "flannel", "veth", "virbr", "lxc"),
    *("wl", "en"),
)
"""How names begin of interfaces that a host has, and a container with a network of its own not."""
