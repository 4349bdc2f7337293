"""Makes hosts as machines describe them, and the switches and cables between."""

# A host is a network namespace (network_namespaces(7)). One more is home: it holds the switches.
# A shared network is a switch there, that is a bridge to which no host is attached, with a cable
# (veth(4)) to each member; or it is a bridge of the host that asked to be it.

import contextlib
import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from ipaddress import IPv6Interface
from itertools import count
from typing import NamedTuple

from bindlab.lab.errors import LabError
from bindlab.lab.firewall import load
from bindlab.lab.kernel import enter, new_network
from bindlab.lab.links import (
    add_address,
    add_bridge,
    add_cable,
    add_route,
    plug_in,
    set_up,
    stop_autoconfiguration,
    wait_until_settled,
)
from bindlab.lab.machine import Machine, Nic, routes_of
from bindlab.linux import Netlink


class Place(NamedTuple):
    """A network namespace, what is to be in it, and a client for orders about it."""

    name: str
    machine: Machine
    namespace: int
    netlink: Netlink


class _Bridge(NamedTuple):
    place: Place
    name: str
    nic: Nic


class _Port(NamedTuple):
    """A port of a bridge, with a cable in it."""

    bridge: _Bridge
    name: str


def construct(machines: Mapping[str, Machine]) -> Sequence[Place]:
    """Make the hosts and all between them, and return the hosts in their order."""
    home = _here("the switches", Machine())
    hosts: list[Place] = []
    for name, machine in machines.items():
        new_network()
        hosts.append(_here(f"host {name}", machine))
    bridges = _bridges(home, hosts)
    # Some ports are in the namespace of a host, whose own interfaces may be called so too.
    taken = {name for machine in machines.values() for name, _ in machine.nics}
    free_names = (name for number in count() if (name := f"veth{number}") not in taken)
    ports: list[_Port] = []
    for number, place in enumerate(hosts):
        with _inside(place):
            ports += _make_interfaces(place, number, bridges, free_names)
            _configure(place, number)
    for port in ports:
        with _inside(port.bridge.place):
            if _has_ipv6():
                stop_autoconfiguration(port.bridge.place.netlink, port.name)
            plug_in(port.bridge.place.netlink, port.name, port.bridge.name)
    for place in (home, *hosts):
        with _inside(place):
            wait_until_settled(place.netlink, _interfaces_that_are_up(place, ports))
            for route in routes_of(place.machine):
                add_route(place.netlink, route)
            if place.machine.firewall:
                load(place.machine.firewall)
    return hosts


def _here(name: str, machine: Machine) -> Place:
    return Place(name, machine, os.open("/proc/self/ns/net", os.O_RDONLY), Netlink())


@contextlib.contextmanager
def _inside(place: Place) -> Generator[None, None, None]:
    """Be in a place meanwhile, and name it in errors."""
    enter(place.namespace)
    try:
        yield
    except OSError as error:
        raise LabError(error.errno, f"{place.name}: {error}") from error


def _bridges(home: Place, hosts: Sequence[Place]) -> Mapping[str, _Bridge]:
    """Return the bridge of each network; make those that are switches."""
    nics = [(place, name, nic) for place in hosts for name, nic in place.machine.nics]
    bridges = {
        nic.network or name: _Bridge(place, name, nic) for place, name, nic in nics if nic.bridge
    }
    with _inside(home):
        for _, name, nic in nics:
            network = nic.network or name
            if network not in bridges and name != "lo":
                bridges[network] = _Bridge(home, f"switch{len(bridges)}", Nic())
                add_bridge(home.netlink, bridges[network].name)
                set_up(home.netlink, bridges[network].name)
    return bridges


def _make_interfaces(
    place: Place, number: int, bridges: Mapping[str, _Bridge], free_names: Iterator[str]
) -> Iterator[_Port]:
    """Make the interfaces of a host, and yield the ports in which their cables end."""
    for position, (name, nic) in enumerate(place.machine.nics):
        # Locally administered, and the same at every run.
        hardware = bytes([0x02, 0x62, 0x6C, 0x00, number, position])
        if nic.bridge:
            add_bridge(place.netlink, name, hardware)
        elif name != "lo":
            bridge, port = bridges[nic.network or name], next(free_names)
            add_cable(place.netlink, name, hardware, port, bridge.place.namespace)
            if nic.carrier and bridge.nic.carrier:
                yield _Port(bridge, port)


def _interfaces_that_are_up(place: Place, ports: Sequence[_Port]) -> Iterator[str]:
    for bridge, port in ports:  # first, because what a bridge does depends on them
        if bridge.place is place and bridge.nic.up:
            yield port
    for name, nic in place.machine.nics:
        if nic.up and name != "lo":
            yield name


def _configure(place: Place, number: int) -> None:
    """Make the settings and give the interfaces their addresses."""
    netlink, machine = place.netlink, place.machine
    for path, value in _settings(machine):
        _set(path, value)
    if dict(machine.nics).get("lo", Nic()).up:
        set_up(netlink, "lo")
    for position, (name, nic) in enumerate(machine.nics):
        if _has_ipv6() and name != "lo":
            stop_autoconfiguration(netlink, name)
        if nic.up and name != "lo":
            set_up(netlink, name)
        for address in nic.addresses:
            peers = [peer for peer in nic.peer if peer.version == address.version]
            add_address(netlink, name, address, peers[0] if peers else None)
        if name != "lo" and _lacks_link_local(machine, nic):
            # What its hardware address gives (RFC 4291 appendix A).
            text = f"fe80::62:6cff:fe00:{number:02x}{position:02x}/64"
            add_address(netlink, name, IPv6Interface(text))


def _lacks_link_local(machine: Machine, nic: Nic) -> bool:
    return (
        nic.link_local
        and nic.up
        and nic.carrier
        and _has_ipv6()
        and not (machine.disable_ipv6 or nic.disable_ipv6)
        and not any(ip.version == 6 and ip.is_link_local for ip in nic.addresses)
    )


def _settings(machine: Machine) -> Iterator[tuple[str, str]]:
    # IPv4 settings of a new namespace are those of the surrounding system (sysctl
    # net.core.devconf_inherit_init_net), and forwarding, when written, resets others.
    forwarding = str(int(machine.forwarding))
    yield "net/ipv4/ip_forward", forwarding
    if _has_ipv6():
        yield "net/ipv6/conf/all/forwarding", forwarding
        yield "net/ipv6/bindv6only", str(int(machine.bindv6only))
    sources: dict[str, Machine | Nic] = {"all": machine, "default": Nic(), "lo": Nic()}
    for name, source in (sources | dict(machine.nics)).items():
        yield f"net/ipv4/conf/{name}/rp_filter", str(source.rp_filter)
        yield f"net/ipv4/conf/{name}/arp_ignore", str(source.arp_ignore)
        yield f"net/ipv4/conf/{name}/route_localnet", str(int(source.route_localnet))
        if _has_ipv6() and name != "default":
            disabled = machine.disable_ipv6 or source.disable_ipv6
            yield f"net/ipv6/conf/{name}/disable_ipv6", str(int(disabled))
    yield from machine.sysctl


def _has_ipv6() -> bool:
    return os.path.exists("/proc/net/if_inet6")


def _set(path: str, value: str) -> None:
    # Containers often have /proc/sys read-only; what is right already need not be written.
    try:
        with open(f"/proc/sys/{path}") as file:
            if file.read().split() == value.split():
                return
        with open(f"/proc/sys/{path}", "w") as file:
            file.write(value)
    except OSError as error:
        setting = path.replace("/", ".")
        raise LabError(error.errno, f"cannot set {setting} to {value}: {error}") from error
