"""The links, addresses and routes that hosts of the lab are made of, as netlink requests.

The numbers are those of linux/if_link.h, if_addr.h, rtnetlink.h and if_bridge.h.
"""

import socket
import time
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Interface, IPv6Interface
from typing import NamedTuple

from bindlab.endpoint import IPAddress
from bindlab.lab.errors import LabError
from bindlab.lab.machine import Route
from bindlab.lab.route_socket import (
    IFADDR,
    IFINFO,
    RTM_NEWADDR,
    RTM_NEWLINK,
    RTM_NEWROUTE,
    RTMSG,
    Attributes,
    Netlink,
    packed,
)
from bindlab.linux import attributes

__all__ = [
    "End",
    "add_address",
    "add_bridge",
    "add_cable",
    "add_route",
    "plug_in",
    "set_up",
    "stop_autoconfiguration",
    "wait_until_running",
]

_ADDRESS, _NAME, _MASTER, _OPERSTATE, _INFO, _NAMESPACE, _BY_FAMILY = 1, 3, 10, 16, 18, 19, 26
_INFO_KIND, _INFO_DATA, _INFO_SLAVE_DATA = 1, 2, 5
_VETH_PEER = 1
_BRIDGE_SNOOPING, _PORT_STATE = 23, 1
_ADDRESS_GENERATION, _NO_GENERATION = 8, b"\1"
_IS_UP, _PORT_FORWARDS = 6, 3  # IF_OPER_UP, BR_STATE_FORWARDING
_IFF_UP = 1
_IFA_ADDRESS, _IFA_LOCAL, _IFA_BROADCAST = 1, 2, 4
_IFA_F_NODAD = 0x02
_RTA_DESTINATION, _RTA_OUT, _RTA_GATEWAY, _RTA_SOURCE = 1, 4, 5, 7
_MAIN, _LOCAL = 254, 255
_SCOPE_UNIVERSE, _SCOPE_LINK, _SCOPE_HOST = 0, 253, 254
_PROTOCOL_STATIC = 4
_ROUTE_KINDS = {"unicast": 1, "local": 2, "blackhole": 6, "unreachable": 7, "prohibit": 8}


class End(NamedTuple):
    """One end of a cable: the interface's name, and the process whose host it is put in."""

    name: str
    pid: int | None = None
    hardware: bytes | None = None


def add_bridge(netlink: Netlink, end: End) -> None:
    """Make a switch; it forwards to all ports what it should, multicast included."""
    info: Attributes = [(_INFO_KIND, b"bridge"), (_INFO_DATA, [(_BRIDGE_SNOOPING, b"\0")])]
    fields: Attributes = [*_placed(end), (_INFO, info)]
    netlink.create(RTM_NEWLINK, _link(), fields, f"bridge {end.name}")


def add_cable(netlink: Netlink, near: End, far: End) -> None:
    """Make a pair of interfaces (veth(4)): what goes into the one comes out of the other."""
    peer = _link() + packed(_placed(far))
    info: Attributes = [(_INFO_KIND, b"veth"), (_INFO_DATA, [(_VETH_PEER, peer)])]
    fields: Attributes = [*_placed(near), (_INFO, info)]
    netlink.create(RTM_NEWLINK, _link(), fields, f"veth interface {far.name}")


def plug_in(netlink: Netlink, port: str, bridge: str) -> None:
    """Make *port* a port of *bridge*, and switch it on."""
    index, _ = netlink.link(bridge)
    fields: Attributes = [(_NAME, port), (_MASTER, index)]
    netlink.change(RTM_NEWLINK, _link(), fields, f"port {port} of {bridge}")
    set_up(netlink, port)


def set_up(netlink: Netlink, name: str) -> None:
    """Switch the interface on."""
    head = IFINFO.pack(socket.AF_UNSPEC, 0, 0, _IFF_UP, _IFF_UP)
    netlink.change(RTM_NEWLINK, head, [(_NAME, name)], f"interface {name} up")


def stop_autoconfiguration(netlink: Netlink, name: str) -> None:
    """Have the kernel give the interface no link-local address of its own."""
    generation: Attributes = [(_ADDRESS_GENERATION, _NO_GENERATION)]
    fields: Attributes = [(_NAME, name), (_BY_FAMILY, [(socket.AF_INET6, generation)])]
    netlink.change(RTM_NEWLINK, _link(), fields, f"interface {name} without autoconfiguration")


def add_address(
    netlink: Netlink,
    name: str,
    address: IPv4Interface | IPv6Interface,
    peer: IPAddress | None = None,
) -> None:
    """Give the interface an address, usable at once: duplicates are not looked for."""
    index, _ = netlink.link(name)
    ip, prefix = address.ip, address.network.prefixlen
    scope = _SCOPE_HOST if ip.is_loopback else _SCOPE_UNIVERSE
    fields = [(_IFA_LOCAL, ip.packed), (_IFA_ADDRESS, (peer or ip).packed)]
    if isinstance(address, IPv4Interface) and prefix < 31 and not (peer or ip.is_loopback):
        fields.append((_IFA_BROADCAST, address.network.broadcast_address.packed))
    head = IFADDR.pack(_family(ip), prefix, _IFA_F_NODAD if ip.version == 6 else 0, scope, index)
    netlink.create(RTM_NEWADDR, head, fields, f"address {address} on {name}")


def add_route(netlink: Netlink, route: Route) -> None:
    """Add *route* to the main table, or to the local one when that is its kind."""
    local = route.kind == "local"
    scope = _SCOPE_UNIVERSE
    if isinstance(route.destination.network_address, IPv4Address) and route.via is None:
        scope = _SCOPE_HOST if local else _SCOPE_LINK if route.kind == "unicast" else scope
    head = RTMSG.pack(
        _family(route.destination.network_address),
        route.destination.prefixlen,
        0,
        0,
        _LOCAL if local else _MAIN,
        _PROTOCOL_STATIC,
        scope,
        _ROUTE_KINDS[route.kind],
        0,
    )
    fields: list[tuple[int, bytes | int]] = [
        (_RTA_DESTINATION, route.destination.network_address.packed)
    ]
    if route.via is not None:
        fields.append((_RTA_GATEWAY, route.via.packed))
    if route.src is not None:
        fields.append((_RTA_SOURCE, route.src.packed))
    device = route.dev or ("lo" if local else None)
    if device is not None:
        fields.append((_RTA_OUT, netlink.link(device)[0]))
    netlink.create(RTM_NEWROUTE, head, fields, f"route to {route.destination}")


def wait_until_running(netlink: Netlink, names: Iterable[str], timeout: float = 5.0) -> None:
    """Wait until every interface has its carrier, and every port of a bridge forwards.

    The kernel does both a moment after the other end is switched on, in its own time; a
    first SYN sent before would be lost, and the next one comes a second later.
    """
    deadline = time.monotonic() + timeout
    for name in names:
        while not _runs(netlink, name):
            if time.monotonic() > deadline:
                raise LabError(None, f"interface {name} got no carrier in {timeout} seconds")
            time.sleep(0.0005)


def _runs(netlink: Netlink, name: str) -> bool:
    _, link = netlink.link(name)
    if link[_OPERSTATE][0] != _IS_UP:
        return False
    info = attributes(link.get(_INFO, b""), 0)
    port = attributes(info.get(_INFO_SLAVE_DATA, b""), 0)
    return _PORT_STATE not in port or port[_PORT_STATE][0] == _PORT_FORWARDS


def _link() -> bytes:
    return IFINFO.pack(socket.AF_UNSPEC, 0, 0, 0, 0)


def _placed(end: End) -> Attributes:
    fields: list[tuple[int, bytes | str | int]] = [(_NAME, end.name)]
    if end.pid is not None:
        fields.append((_NAMESPACE, end.pid))
    if end.hardware is not None:
        fields.append((_ADDRESS, end.hardware))
    return fields


def _family(ip: IPAddress) -> int:
    return socket.AF_INET if isinstance(ip, IPv4Address) else socket.AF_INET6
