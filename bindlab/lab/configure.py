"""Turns the network namespace of the calling process into the host that a Machine describes."""

import os
from collections.abc import Iterator, Sequence
from ipaddress import IPv6Interface

from bindlab.lab.cabling import Port
from bindlab.lab.errors import LabError
from bindlab.lab.firewall import load
from bindlab.lab.links import (
    add_address,
    add_route,
    plug_in,
    set_up,
    stop_autoconfiguration,
    wait_until_settled,
)
from bindlab.lab.machine import Machine, Nic
from bindlab.linux import Netlink
from bindlab.route import Route

__all__ = ["configure", "link_local"]

_LO = Nic()  # as it is where a machine says nothing of it


def configure(machine: Machine, number: int, ports: Sequence[Port]) -> None:
    """Make this namespace the host that *machine* describes; its interfaces exist already."""
    nics = dict(machine.nics)
    has_ipv6 = os.path.exists("/proc/net/if_inet6")
    for path, value in _settings(machine, has_ipv6):
        _set(path, value)
    with Netlink() as netlink:
        if nics.get("lo", _LO).up:
            set_up(netlink, "lo")
        for port in ports:
            if has_ipv6:
                stop_autoconfiguration(netlink, port.name)
            if port.plugged:
                plug_in(netlink, port.name, port.bridge)
        for position, (name, nic) in enumerate(machine.nics):
            if has_ipv6 and name != "lo":
                stop_autoconfiguration(netlink, name)
            if nic.up and name != "lo":
                set_up(netlink, name)
            for address in nic.addresses:
                peers = [peer for peer in nic.peer if peer.version == address.version]
                add_address(netlink, name, address, peers[0] if peers else None)
            if has_ipv6 and name != "lo" and _autoconfigures(machine, nic):
                add_address(netlink, name, link_local(number, position))
        bridged = {port.bridge for port in ports if port.live}
        live = [port.name for port in ports if port.live]
        dead: list[str] = []
        for name, nic in machine.nics:
            if nic.up and name != "lo":
                is_live = nic.carrier and (not nic.bridge or name in bridged)
                (live if is_live else dead).append(name)
        wait_until_settled(netlink, live, dead)
        for router in machine.gateway:
            default = "0.0.0.0/0" if router.version == 4 else "::/0"
            add_route(netlink, Route(default, gateway=router))
        for route in machine.routes:
            add_route(netlink, route)
    if machine.firewall:
        load(machine.firewall)


def link_local(host: int, nic: int) -> IPv6Interface:
    """Return the link-local address of a host's interface, which its hardware address gives.

    RFC 4291 appendix A: 02:62:6c:00:HOST:NIC becomes fe80::62:6cff:fe00:HHNN.
    """
    return IPv6Interface(f"fe80::62:6cff:fe00:{host:02x}{nic:02x}/64")


def _autoconfigures(machine: Machine, nic: Nic) -> bool:
    return (
        nic.link_local
        and nic.up
        and nic.carrier
        and not (machine.disable_ipv6 or nic.disable_ipv6)
        and not any(ip.version == 6 and ip.is_link_local for ip in nic.addresses)
    )


def _settings(machine: Machine, has_ipv6: bool) -> Iterator[tuple[str, str]]:
    # IPv4 settings of a new namespace are those of the surrounding system (sysctl
    # net.core.devconf_inherit_init_net), and forwarding, when written, resets others.
    forwarding = str(int(machine.forwarding))
    yield "net/ipv4/ip_forward", forwarding
    if has_ipv6:
        yield "net/ipv6/conf/all/forwarding", forwarding
        yield "net/ipv6/bindv6only", str(int(machine.bindv6only))
        yield "net/ipv6/conf/all/disable_ipv6", str(int(machine.disable_ipv6))
    yield from _of_interface("all", machine)
    yield from _of_interface("default", Nic())
    nics = {"lo": _LO, **dict(machine.nics)}
    for name, nic in nics.items():
        yield from _of_interface(name, nic)
        if has_ipv6 and not machine.disable_ipv6:
            yield f"net/ipv6/conf/{name}/disable_ipv6", str(int(nic.disable_ipv6))
    yield from machine.sysctl


def _of_interface(name: str, source: Machine | Nic) -> Iterator[tuple[str, str]]:
    conf = f"net/ipv4/conf/{name}"
    yield f"{conf}/rp_filter", str(source.rp_filter)
    yield f"{conf}/arp_ignore", str(source.arp_ignore)
    yield f"{conf}/route_localnet", str(int(source.route_localnet))


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
