"""Lays the cables of a network: every interface of every host, and the switches between."""

# A shared network is a bridge that no host is attached to, in the builder's own namespace,
# with one cable (veth(4)) to each of its members; or a bridge of the host that asked to be it.

from collections.abc import Mapping
from itertools import count
from typing import NamedTuple

from bindlab.lab.links import End, add_bridge, add_cable, plug_in, set_up
from bindlab.lab.machine import Machine
from bindlab.linux import Netlink

__all__ = ["Port", "lay_cables"]


class Port(NamedTuple):
    """A port of a bridge: whether a cable is *plugged* in, and the other end is up (*live*)."""

    name: str
    bridge: str
    plugged: bool
    live: bool


def lay_cables(
    netlink: Netlink, machines: Mapping[str, Machine], pids: Mapping[str, int]
) -> tuple[list[Port], Mapping[str, list[Port]]]:
    """Make every interface; return the ports of the switches, and those of hosts' bridges."""
    owners = _add_bridges(netlink, machines, pids)
    switches: dict[str, str] = {}
    switch_ports: list[Port] = []
    host_ports: dict[str, list[Port]] = {name: [] for name in machines}
    # Some ports are in the namespace of a host, whose own interfaces may be called so too.
    taken = {name for machine in machines.values() for name, _ in machine.nics}
    free = (port for number in count() if (port := f"veth{number}") not in taken)
    for number, (host, machine) in enumerate(machines.items()):
        for position, (name, nic) in enumerate(machine.nics):
            if nic.bridge or name == "lo":
                continue
            network = nic.network or name
            near = End(name, pids[host], _hardware(number, position))
            port = next(free)
            if network in owners:
                owner, bridge = owners[network]
                plugged = nic.carrier and dict(machines[owner].nics)[bridge].carrier
                add_cable(netlink, near, End(port, pids[owner]))
                host_ports[owner].append(Port(port, bridge, plugged, plugged and nic.up))
                continue
            if network not in switches:
                switches[network] = f"switch{len(switches)}"
                add_bridge(netlink, End(switches[network]))
                set_up(netlink, switches[network])
            add_cable(netlink, near, End(port))
            switch_ports.append(Port(port, switches[network], nic.carrier, nic.carrier and nic.up))
    for made in switch_ports:
        if made.plugged:
            plug_in(netlink, made.name, made.bridge)
    return switch_ports, host_ports


def _add_bridges(
    netlink: Netlink, machines: Mapping[str, Machine], pids: Mapping[str, int]
) -> Mapping[str, tuple[str, str]]:
    """Make the bridges that are hosts' own; return host and interface of each, by network."""
    owners: dict[str, tuple[str, str]] = {}
    for number, (host, machine) in enumerate(machines.items()):
        for position, (name, nic) in enumerate(machine.nics):
            if nic.bridge:
                owners[nic.network or name] = (host, name)
                add_bridge(netlink, End(name, pids[host], _hardware(number, position)))
    return owners


def _hardware(host: int, nic: int) -> bytes:
    # Locally administered, and the same at every run.
    return bytes([0x02, 0x62, 0x6C, 0x00, host, nic])
