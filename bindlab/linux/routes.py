"""The routes by which Linux delivers to itself and sends to others: rtnetlink(7)."""

import socket
import struct
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import Final, NamedTuple

from bindlab.endpoint import IPAddress
from bindlab.interface import Interface
from bindlab.linux.netlink import Netlink, address, attributes, number
from bindlab.linux.rules import LOCAL, Lookup, lookups
from bindlab.route import IPNetwork, Refusal, Route

RTM_NEWROUTE: Final = 24
_RTM_GETROUTE: Final = 26

_RTMSG = struct.Struct("=BBBBBBBBI")
_RTNEXTHOP = struct.Struct("=HBBi")  # length, flags, weight, interface
_RTA_EXPIRES = struct.Struct("=8xi")  # in struct rta_cacheinfo
_RTA_DST, _RTA_SRC, _RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY, _RTA_PREFSRC = 1, 2, 4, 5, 6, 7
_RTA_MULTIPATH, _RTA_CACHEINFO, _RTA_TABLE, _RTA_VIA = 9, 12, 15, 18
_RTM_F_CLONED, _RTNH_F_DEAD = 0x200, 0x1
_RTN_UNICAST, _RTN_LOCAL = 1, 2
_REFUSALS: Final[Mapping[int, Refusal]] = {
    6: "blackhole",
    7: "unreachable",
    8: "prohibit",
    9: "throw",
}


class Routing(NamedTuple):
    """What Linux delivers to itself, and the routes by which it sends the rest, in its order."""

    local: tuple[IPNetwork, ...] | None = None
    """What is delivered here though no interface has it: ``ip route show table local``."""
    away: tuple[Route, ...] | None = None
    """The routes to others; ``None`` where routes do not tell all."""


class _Line(NamedTuple):
    table: int
    here: IPNetwork | None = None
    away: Sequence[Route] | None = ()
    """``None`` where the line says what a :class:`Route` cannot."""


def routing(interfaces: Collection[Interface]) -> Routing:
    """Return the routes of both versions of IP, of this machine, which has these *interfaces*.

    Those to others are of the tables that rules have packets without a mark looked up in
    (``ip rule``): ``main``, and others where a VPN added some. What they cannot tell: rules that
    tell more than marks apart (a VRF brings one), or that give packets with a mark tables of
    their own; routes for some sources or types of service only, routes to others in the table
    ``local``, and interfaces that are not among these. A next hop that is dead is none, nor is
    a route that has expired. Where the system does not tell, both are ``None``. A network stack
    that lists no route to the own addresses does not tell what else it delivers here: ``local``
    is ``None`` (gVisor's has one table).
    """
    try:
        with Netlink() as netlink:
            return _routing(netlink, interfaces)
    except OSError:
        return Routing()


def rtmsg(
    family: int,
    prefix_length: int = 0,
    *,
    table: int = 0,
    protocol: int = 0,
    scope: int = 0,
    kind: int = 0,
) -> bytes:
    """Return the structure that begins a message about a route."""
    return _RTMSG.pack(family, prefix_length, 0, 0, table, protocol, scope, kind, 0)


def _routing(netlink: Netlink, interfaces: Collection[Interface]) -> Routing:
    names = {each.index: each.name for each in interfaces if each.index is not None}
    own = {ip.packed for each in interfaces for ip in each.addresses}
    local: dict[IPNetwork, None] = {}
    away: list[Route] = []
    tells_all = True
    tells_local = not any(each.is_up and each.addresses for each in interfaces)
    for family in (socket.AF_INET, socket.AF_INET6):
        known = lookups(netlink, family)
        looked_up = {lookup.table for lookup in known.in_order} if known else set[int]()
        aside = known.marked - looked_up if known else set[int]()
        lines = _lines(netlink, family, {LOCAL, *looked_up, *aside}, names, own)
        for line in lines:
            tells_local = tells_local or line.table == LOCAL
            if line.here is not None:
                local[line.here] = None
        if known is None or any(line.away is None or line.table in aside for line in lines):
            tells_all = False
        else:
            away += _in_order(lines, known.in_order)
    return Routing(tuple(local) if tells_local else None, tuple(away) if tells_all else None)


def _in_order(lines: Iterable[_Line], order: Iterable[Lookup]) -> Iterator[Route]:
    """Yield the routes of all tables; a route in a table that is looked up again counts once."""
    tables: dict[int, list[Route]] = {}
    for line in lines:
        tables.setdefault(line.table, []).extend(line.away or ())
    place = 0
    for table, suppressed in order:
        routes = tables.get(table, ())
        count = [route for route in routes if route.network.prefixlen > suppressed]
        for route in count:
            yield route.replace(lookup=place) if place else route
        tables[table] = [route for route in routes if route.network.prefixlen <= suppressed]
        place += bool(count)


def _lines(
    netlink: Netlink,
    family: int,
    tables: Collection[int],
    names: Mapping[int, str],
    own: Collection[bytes],
) -> list[_Line]:
    """Return what is in these tables (``RTM_GETROUTE``)."""
    full_length, everything = (32, bytes(4)) if family == socket.AF_INET else (128, bytes(16))

    def parse(message: bytes) -> _Line | None:
        answered, length, source, service, table, _, _, kind, flags = _RTMSG.unpack_from(message)
        if answered != family or flags & _RTM_F_CLONED:
            return None
        if table == LOCAL and kind not in (_RTN_LOCAL, _RTN_UNICAST):  # broadcast and the like
            return None
        found = attributes(message, _RTMSG.size)
        table = number(found.get(_RTA_TABLE), table)  # the other number has 8 bits
        if table not in tables:
            return None
        to = found.get(_RTA_DST, everything)
        if table == LOCAL and length == full_length and to in own:
            return _Line(table)
        network = _network(to, length)
        if table == LOCAL:
            if kind == _RTN_LOCAL:
                return _Line(table, here=network)
            # Linux once kept ff00::/8 there as if it were unicast.
            return None if network.is_multicast else _Line(table, away=None)
        if _RTA_CACHEINFO in found and _is_expired(found[_RTA_CACHEINFO]):
            return None
        metric = number(found.get(_RTA_PRIORITY))
        if source or service or _RTA_SRC in found:
            return _Line(table, away=None)
        if kind in _REFUSALS:
            return _Line(table, away=[Route(network, metric=metric, refusal=_REFUSALS[kind])])
        hops = _hops(found, flags)
        if kind != _RTN_UNICAST or any(ifindex not in names for ifindex, _ in hops):
            return _Line(table, away=None)
        prefers = address(found[_RTA_PREFSRC]) if _RTA_PREFSRC in found else None
        return _Line(
            table,
            away=[Route(network, names[index], via, prefers, metric) for index, via in hops],
        )

    return netlink.dump(_RTM_GETROUTE, rtmsg(family), parse)


def _hops(found: Mapping[int, bytes], flags: int) -> list[tuple[int, IPAddress | None]]:
    """Return interface and router of each next hop that is not dead (RTA_MULTIPATH: several)."""
    if _RTA_MULTIPATH not in found:
        # Without an interface it is a next hop object's, of which nothing more is said.
        hop = (number(found.get(_RTA_OIF)), _router(found))
        return [] if flags & _RTNH_F_DEAD else [hop]
    data, offset = found[_RTA_MULTIPATH], 0
    hops: list[tuple[int, IPAddress | None]] = []
    while offset < len(data):
        length, flags, _, index = _RTNEXTHOP.unpack_from(data, offset)
        if not _RTNEXTHOP.size <= length <= len(data) - offset:
            raise ValueError(f"a next hop claims {length} bytes")
        if not flags & _RTNH_F_DEAD:
            router = _router(attributes(data[offset : offset + length], _RTNEXTHOP.size))
            hops.append((index, router))
        offset += (length + 3) & ~3
    return hops


def _router(found: Mapping[int, bytes]) -> IPAddress | None:
    if _RTA_VIA in found:  # struct rtvia: the family, and a router of that one
        return address(found[_RTA_VIA][2:])
    return address(found[_RTA_GATEWAY]) if _RTA_GATEWAY in found else None


def _network(packed: bytes, length: int) -> IPNetwork:
    if len(packed) == 4:
        return IPv4Network((packed, length), strict=False)
    return IPv6Network((packed, length), strict=False)


def _is_expired(cache_info: bytes) -> bool:
    """Whether a router's advertisement is out of date, and the kernel has not tidied up yet."""
    (expires,) = _RTA_EXPIRES.unpack_from(cache_info)
    return int(expires) < 0
