"""The links, addresses and routes that hosts of the lab are made of, as orders to the kernel."""

# By rtnetlink(7) rather than the ``ip`` program, which slim containers lack: an order takes
# microseconds instead of a process. The numbers are those of <linux/if_link.h>, if_addr.h,
# rtnetlink.h and if_bridge.h.

import errno
import socket
import struct
import time
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Interface

from bindlab.endpoint import IPAddress
from bindlab.interface import InterfaceAddress
from bindlab.lab.errors import LabError
from bindlab.linux import (
    IFF_UP,
    NLM_F_CREATE,
    NLM_F_EXCL,
    RTM_NEWADDR,
    RTM_NEWLINK,
    RTM_NEWROUTE,
    Attributes,
    Netlink,
    attributes,
    ifaddrmsg,
    ifinfomsg,
    link_attributes,
    packed,
    rtmsg,
)
from bindlab.route import Route

_NEW = NLM_F_CREATE | NLM_F_EXCL
_ADDRESS, _NAME, _MASTER, _OPERSTATE, _INFO, _BY_FAMILY, _NAMESPACE = 1, 3, 10, 16, 18, 26, 28
_INFO_KIND, _INFO_DATA, _INFO_SLAVE_DATA = 1, 2, 5
_VETH_PEER = 1
_BRIDGE_SNOOPING, _PORT_STATE = 23, 1
_ADDRESS_GENERATION, _NO_GENERATION = 8, b"\1"
_CARRIER, _STATE_UNKNOWN, _STATE_UP = 33, 0, 6  # IF_OPER_...
_FORWARDING = b"\3"  # BR_STATE_FORWARDING
_IFA_ADDRESS, _IFA_LOCAL, _IFA_BROADCAST = 1, 2, 4
_IFA_F_NODAD = 0x02
_RTA_DESTINATION, _RTA_OUT, _RTA_GATEWAY, _RTA_METRIC, _RTA_SOURCE, _RTA_VIA = 1, 4, 5, 6, 7, 18
_MAIN = 254
_SCOPE_UNIVERSE, _SCOPE_LINK, _SCOPE_HOST = 0, 253, 254
_PROTOCOL_STATIC = 4
_UNICAST = 1
_REFUSALS = {"blackhole": 6, "unreachable": 7, "prohibit": 8}


def add_bridge(netlink: Netlink, name: str, hardware: bytes | None = None) -> None:
    """Make a bridge; it forwards to all ports what it should, multicast included."""
    info: Attributes = [(_INFO_KIND, b"bridge"), (_INFO_DATA, [(_BRIDGE_SNOOPING, b"\0")])]
    address: Attributes = [(_ADDRESS, hardware)] if hardware else []
    body = ifinfomsg() + packed([(_NAME, name), (_INFO, info), *address])
    _order(netlink, f"bridge {name}", RTM_NEWLINK, body, _NEW)


def add_cable(
    netlink: Netlink, name: str, hardware: bytes, far_name: str, far_namespace: int
) -> None:
    """Make a pair of interfaces (veth(4)): what goes into the one comes out of the other.

    The far one is put into the namespace that is open as descriptor *far_namespace*.
    """
    peer = ifinfomsg() + packed([(_NAME, far_name), (_NAMESPACE, far_namespace)])
    info: Attributes = [(_INFO_KIND, b"veth"), (_INFO_DATA, [(_VETH_PEER, peer)])]
    body = ifinfomsg() + packed([(_NAME, name), (_ADDRESS, hardware), (_INFO, info)])
    _order(netlink, f"veth interface {name}", RTM_NEWLINK, body, _NEW)


def plug_in(netlink: Netlink, port: str, bridge: str) -> None:
    """Make *port* a port of *bridge*, and switch it on."""
    fields: Attributes = [(_NAME, port), (_MASTER, socket.if_nametoindex(bridge))]
    body = ifinfomsg(IFF_UP, IFF_UP) + packed(fields)
    _order(netlink, f"port {port} of {bridge}", RTM_NEWLINK, body)


def set_up(netlink: Netlink, name: str) -> None:
    """Switch the interface on."""
    body = ifinfomsg(IFF_UP, IFF_UP) + packed([(_NAME, name)])
    _order(netlink, f"interface {name} up", RTM_NEWLINK, body)


def stop_autoconfiguration(netlink: Netlink, name: str) -> None:
    """Have the kernel give the interface no link-local address of its own."""
    generation: Attributes = [(_ADDRESS_GENERATION, _NO_GENERATION)]
    fields: Attributes = [(_NAME, name), (_BY_FAMILY, [(socket.AF_INET6, generation)])]
    body = ifinfomsg() + packed(fields)
    _order(netlink, f"interface {name} without autoconfiguration", RTM_NEWLINK, body)


def add_address(
    netlink: Netlink, name: str, address: InterfaceAddress, peer: IPAddress | None = None
) -> None:
    """Give the interface an address, usable at once: duplicates are not looked for."""
    ip, prefix = address.ip, address.network.prefixlen
    fields = [(_IFA_LOCAL, ip.packed), (_IFA_ADDRESS, (peer or ip).packed)]
    if isinstance(address, IPv4Interface) and prefix < 31 and not (peer or ip.is_loopback):
        fields.append((_IFA_BROADCAST, address.network.broadcast_address.packed))
    head = ifaddrmsg(
        _family(ip),
        prefix,
        flags=_IFA_F_NODAD if ip.version == 6 else 0,
        scope=_SCOPE_HOST if ip.is_loopback else _SCOPE_UNIVERSE,
        index=socket.if_nametoindex(name),
    )
    _order(netlink, f"address {address} on {name}", RTM_NEWADDR, head + packed(fields), _NEW)


def add_route(netlink: Netlink, route: Route) -> None:
    """Add *route* to the main table."""
    to = route.network
    on_link = to.version == 4 and route.gateway is None and route.refusal is None
    head = rtmsg(
        _family(to.network_address),
        to.prefixlen,
        table=_MAIN,
        protocol=_PROTOCOL_STATIC,
        scope=_SCOPE_LINK if on_link else _SCOPE_UNIVERSE,
        kind=_REFUSALS[route.refusal] if route.refusal else _UNICAST,
    )
    fields: list[tuple[int, bytes | int]] = [(_RTA_DESTINATION, to.network_address.packed)]
    if route.gateway is not None and route.gateway.version == to.version:
        fields.append((_RTA_GATEWAY, route.gateway.packed))
    elif route.gateway is not None:
        fields.append((_RTA_VIA, struct.pack("=H", socket.AF_INET6) + route.gateway.packed))
    if route.source is not None:
        fields.append((_RTA_SOURCE, route.source.packed))
    if route.interface is not None:
        fields.append((_RTA_OUT, socket.if_nametoindex(route.interface)))
    if route.metric:
        fields.append((_RTA_METRIC, route.metric))
    _order(netlink, f"route to {to}", RTM_NEWROUTE, head + packed(fields), _NEW)


def wait_until_settled(netlink: Netlink, names: Iterable[str], timeout: float = 5.0) -> None:
    """Wait until the kernel has seen what the other end of each interface does.

    It finds out in its own time. A first SYN sent before would be lost, and the next one comes
    a second later; and an interface that is not plugged in looks as if it were.
    """
    deadline = time.monotonic() + timeout
    for name in names:
        while not _is_settled(link_attributes(netlink, name)):
            if time.monotonic() > deadline:
                raise LabError(None, f"interface {name} did not settle in {timeout} seconds")
            time.sleep(0.0005)


def _is_settled(link: Mapping[int, bytes]) -> bool:
    """Return whether an interface does what its carrier lets it do; a port of a bridge forwards."""
    state, has_carrier = link[_OPERSTATE][0], link[_CARRIER][0]
    if not has_carrier:
        return state not in (_STATE_UNKNOWN, _STATE_UP)
    info = attributes(link.get(_INFO, b""))
    port_state = attributes(info.get(_INFO_SLAVE_DATA, b"")).get(_PORT_STATE, _FORWARDING)
    return state == _STATE_UP and port_state == _FORWARDING


def _order(netlink: Netlink, piece: str, kind: int, body: bytes, flags: int = 0) -> None:
    try:
        netlink.order(kind, body, flags)
    except OSError as error:
        lacking = error.errno in {errno.EOPNOTSUPP, errno.EAFNOSUPPORT}
        missing = " (this kernel lacks it)" if lacking else ""
        text = f"cannot make {piece}: {error.strerror}{missing}"
        raise LabError(error.errno, text) from error


def _family(ip: IPAddress) -> int:
    return socket.AF_INET if ip.version == 4 else socket.AF_INET6
