"""Whether this Linux appears to run inside another machine, by what any program may read.

guest_hints.py has what is looked for. systemd-detect-virt(1) looks at much the same places.
"""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Final, NamedTuple

from bindlab.endpoint import IPAddress
from bindlab.guest import Guest, GuestKind
from bindlab.interface import Interface
from bindlab.linux.guest_hints import (
    CABLES,
    CGROUPS,
    DMI,
    ENGINES,
    ENVIRONMENT,
    FILES,
    KINDS,
    MAKERS,
    MOUNTED_ON,
    MOUNTS,
    NATS,
    OF_HOSTS,
    ON_HOSTS_NETWORK,
    POOLS,
    WSL_NAT,
    Nat,
)
from bindlab.printable import printable
from bindlab.route import IPNetwork, Route

_LONGEST: Final = 1 << 16  # bytes of a file that are read
_PROC_DYNAMIC_FIRST: Final = 0xF0000000  # where Linux begins to count what is in /proc/net


class _Uplink(NamedTuple):
    """How this machine is connected: its main interface, that one's network, and its gateway."""

    interface: Interface | None = None
    network: IPNetwork | None = None
    gateway: IPAddress | None = None
    address: IPAddress | None = None

    def number(self, number: int) -> IPAddress | None:
        """Return the address of that *number* in the network; ``None`` for 0."""
        return self.network[number] if self.network and number else None


def guest_of(
    interfaces: Sequence[Interface],
    routes: Collection[Route] | None,
    *,
    root: str = "/",
    environment: Mapping[str, str] = os.environ,
) -> Guest | None:
    """Return what this machine appears to be inside another one, with the evidence, or ``None``.

    *interfaces* and *routes* are its own, of the calling thread's network namespace; files are
    read below *root*. What a container is told by files and *environment* does not hold for a
    network namespace that was made inside it, unless its network is one of container engines.
    """
    uplink = _uplink(interfaces, routes)
    hints = [*_environment_hints(environment), *_file_hints(root)]
    if hints and (is_first_namespace(root) or _is_of_an_engine(uplink)):
        kind: GuestKind = next(kind for kind in KINDS if any(kind == hinted for hinted, _ in hints))
        guest = _container(Guest(kind, [text for _, text in hints]), uplink, interfaces)
        return guest.replace(host_name=_codespace(environment)) if kind == "codespace" else guest
    return _wsl(root, uplink, interfaces) or _virtual_machine(root, uplink)


def _environment_hints(environment: Mapping[str, str]) -> Iterator[tuple[GuestKind, str]]:
    for kind, name in ENVIRONMENT:
        value = environment.get(name, "")
        if value in ENGINES if name == "container" else value.lower() not in ("", "0", "false"):
            yield kind, f"the environment has {name}"


def _file_hints(root: str) -> Iterator[tuple[GuestKind, str]]:
    found = False
    for kind, path, maker in FILES:
        if os.path.exists(_below(root, path)):
            found = True
            yield kind, f"{path} exists, which {maker} makes"
    if found:  # the longer files would say the same
        return
    for path, words in (("/proc/self/cgroup", CGROUPS), ("/proc/self/mountinfo", MOUNTS)):
        text = _text(root, path)
        for kind, word in words:
            if word in text and any(word in line for line in _lines_about_itself(text)):
                yield kind, f"{path} names {word}"
                break


def _lines_about_itself(text: str) -> list[str]:
    """Return the lines of /proc/self/cgroup, or of mountinfo those that an engine mounts."""
    lines = [line.split(" ", 5) for line in text.splitlines()]
    return [" ".join(line) for line in lines if len(line) < 6 or line[4] in MOUNTED_ON]


def _container(guest: Guest, uplink: _Uplink, interfaces: Sequence[Interface]) -> Guest:
    """Return *guest* with how it is connected: by the kind of its main interface."""
    link, gateway = uplink.interface, uplink.gateway
    kind = link.kind if link else None
    if link is not None and kind == "tun":  # slirp4netns and pasta copy packets for it alone
        is_slirp = gateway is not None and gateway == uplink.number(2)
        told = f"{link.display_name} is a tunnel to a program of the host (slirp4netns, pasta)"
        return guest.replace(
            evidence=[*guest.evidence, told],
            private_links=[link.name],
            host_address=gateway if is_slirp else None,
            # pasta gives the addresses of its host.
            host_name=None if is_slirp or uplink.address is None else str(uplink.address),
        )
    if link is not None and kind in ON_HOSTS_NETWORK:
        told = f"{link.display_name} is a {kind}, by which it is on its host's own network"
        return guest.replace(evidence=[*guest.evidence, told], needs_forwarding=False)
    of_host = [i.display_name for i in interfaces if i.name.startswith(OF_HOSTS)]
    if kind not in (*CABLES, None) and of_host:
        seen = printable(", ".join(of_host), 100)
        told = f"it sees interfaces that a host has ({seen}): host networking"
        return guest.replace(evidence=[*guest.evidence, told], needs_forwarding=False)
    is_host = gateway is not None and not gateway.is_link_local
    return guest.replace(host_address=gateway if is_host else None)


def _codespace(environment: Mapping[str, str]) -> str | None:
    domain = environment.get("GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN", "app.github.dev")
    name = environment.get("CODESPACE_NAME", "")
    return f"{name}-PORT.{domain}" if 0 < len(name) < 100 and len(domain) < 100 else None


def _wsl(root: str, uplink: _Uplink, interfaces: Collection[Interface]) -> Guest | None:
    release = _line(root, "/proc/sys/kernel/osrelease")
    if "microsoft" not in release:  # WSL 1 writes "Microsoft", and has the network of Windows
        return None
    evidence = [f"/proc/sys/kernel/osrelease says {release}"]
    name = _line(root, "/proc/sys/kernel/hostname") or None
    inside = uplink.address is not None and uplink.address in WSL_NAT
    if inside and not any(each.name == "loopback0" for each in interfaces):
        nat = f"its address {uplink.address} is one of WSL's NAT"
        return Guest("wsl", [*evidence, nat], True, (), uplink.gateway, name)
    mirrored = "its addresses are no NAT's: mirrored networking"
    return Guest("wsl", [*evidence, mirrored], False, (), None, name)


def _virtual_machine(root: str, uplink: _Uplink) -> Guest | None:
    said = {name: _line(root, f"/sys/class/dmi/id/{name}") for name in DMI}
    evidence = [
        f"/sys/class/dmi/id/{name} says {text}"
        for name, text in said.items()
        if any(maker in text for maker in MAKERS)
    ]
    makers = " ".join(said.values())
    for nat in NATS:
        if nat.maker in makers and _is_on(uplink, nat):
            told = f"the gateway of {uplink.network} is {uplink.gateway}, as in {nat.name}"
            links = [uplink.interface.name] if nat.is_private and uplink.interface else []
            return Guest("vm", [*evidence, told], True, links, uplink.number(nat.host))
    return Guest("vm", evidence, needs_forwarding=False) if evidence else None


def _is_on(uplink: _Uplink, nat: Nat) -> bool:
    network = uplink.network
    return (
        network is not None
        and network.version == 4
        and network.prefixlen == nat.prefix_length
        and network[0] in nat.within
        and uplink.gateway == network[nat.gateway]
    )


def _is_of_an_engine(uplink: _Uplink) -> bool:
    network = uplink.network
    return network is not None and any(
        network.prefixlen == length and network[0] in pool for pool, length in POOLS
    )


def is_first_namespace(root: str) -> bool:
    """Whether the calling thread is in the network namespace of process 1, as far as is told.

    Every namespace has a file /proc/PID/net/dev of its own, which anybody may look at. In a
    sandbox such as gVisor, whose files have small numbers, each look at it is a new one.
    """
    try:
        first = os.stat(_below(root, "/proc/1/net/dev"))
        mine = os.stat(_below(root, "/proc/thread-self/net/dev"))
        return first.st_ino == mine.st_ino or first.st_ino < _PROC_DYNAMIC_FIRST
    except OSError:
        return True


def _uplink(interfaces: Sequence[Interface], routes: Collection[Route] | None) -> _Uplink:
    defaults = [r for r in routes or () if r.network == ip_network("0.0.0.0/0") and not r.refusal]
    default = min(defaults, key=lambda route: route.metric, default=None)
    gateway = default.gateway if default else None
    outside = [each for each in interfaces if not each.holds_loopback and each.addresses]
    if default is not None:
        outside = [each for each in outside if each.name == default.interface]
    for interface in outside:
        addresses = [each for each in interface.addresses if each.version == 4]
        near = [each for each in addresses if gateway is None or gateway in each.network]
        for address in near or addresses:
            return _Uplink(interface, address.network, gateway, address.ip)
    return _Uplink(outside[0], gateway=gateway) if outside else _Uplink()


def _line(root: str, path: str) -> str:
    """Return the first line of a file, printable."""
    return printable(_text(root, path).partition("\n")[0].strip(), 100)


def _text(root: str, path: str) -> str:
    """Return the beginning of a file; "" where it cannot be read."""
    try:
        with open(_below(root, path), "rb") as file:
            return file.read(_LONGEST).decode(errors="replace")
    except OSError:
        return ""


def _below(root: str, path: str) -> str:
    return root.rstrip("/") + path
