"""The routes that Linux delivers and answers by, and whether they alone decide: rtnetlink(7)."""

import errno
import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final, NamedTuple

from bindlab.endpoint import IPAddress
from bindlab.host import IPNetwork
from bindlab.linux.netlink import Netlink, attributes, number
from bindlab.route import Refusal, Route

__all__ = ["RTM_NEWROUTE", "Routing", "routing", "rtmsg", "tells_programs_apart"]

RTM_NEWROUTE: Final = 24
_RTM_GETROUTE: Final = 26
_RTM_GETRULE: Final = 34

_LOCAL, _MAIN, _DEFAULT = 255, 254, 253
# What every namespace has from its beginning, by priority; IPv6 has no table "default".
_WITHOUT_POLICY = ([_LOCAL, _MAIN], [_LOCAL, _MAIN, _DEFAULT])

_RTMSG = struct.Struct("=BBBBBBBBI")
_RTNEXTHOP = struct.Struct("=HBBi")  # length, flags, weight, interface
_RTA_EXPIRES = struct.Struct("=8xi")  # in struct rta_cacheinfo
_RTA_DST, _RTA_SRC, _RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY, _RTA_PREFSRC = 1, 2, 4, 5, 6, 7
_RTA_MULTIPATH, _RTA_CACHEINFO, _RTA_TABLE, _RTA_VIA = 9, 12, 15, 18
_RTM_F_CLONED, _RTNH_F_DEAD = 0x200, 0x1
_RTN_UNICAST, _RTN_LOCAL = 1, 2
_TO_GROUPS = (3, 4, 5)  # RTN_BROADCAST, RTN_ANYCAST, RTN_MULTICAST
_REFUSALS: Final[Mapping[int, Refusal]] = {6: "blackhole", 7: "unreachable", 8: "prohibit"}

_RULE = struct.Struct("=BBBBBBBBI")  # struct fib_rule_hdr
_FR_ACT_TO_TBL = 1
_FRA_PRIORITY, _FRA_TABLE, _FRA_PAD, _FRA_PROTOCOL = 6, 15, 18, 21
_FRA_SUPPRESS = (13, 14)  # FRA_SUPPRESS_IFGROUP, FRA_SUPPRESS_PREFIXLEN
_NOT_SUPPRESSED = b"\xff\xff\xff\xff"
_OF_EVERY_RULE = {_FRA_PRIORITY, _FRA_TABLE, _FRA_PAD, _FRA_PROTOCOL, *_FRA_SUPPRESS}
# What every program alike is told by: addresses and names of interfaces, in FRA_DST, FRA_SRC,
# FRA_IIFNAME, FRA_GOTO, FRA_FLOW, FRA_OIFNAME.
_ALIKE = _OF_EVERY_RULE | {1, 2, 3, 4, 11, 17}


class Routing(NamedTuple):
    """What Linux delivers to itself, and the routes by which it sends the rest, in its order."""

    local: tuple[IPNetwork, ...]
    """``ip route show table local type local``: own addresses, 127.0.0.0/8, and others."""
    away: tuple[Route, ...] | None
    """The routes to others; ``None`` where routes do not tell all."""


class _Line(NamedTuple):
    table: int
    kind: int
    network: IPNetwork
    routes: tuple[Route, ...] | None
    """``None`` for a line that says what a :class:`Route` cannot."""


class _Rule(NamedTuple):
    priority: int
    table: int
    is_plain: bool
    """Whether every packet is looked up in the table."""
    tells_programs_apart: bool


def routing(netlink: Netlink, names: Mapping[int, str]) -> Routing:
    """Return the routes of both versions of IP; *names* are the interfaces by index.

    Those to others are of the tables ``main`` and ``default``. What they cannot tell: rules
    beyond those that every namespace has (``ip rule``; a VRF brings one), routes for some
    sources or types of service only, ``throw`` routes, routes to others in table ``local``,
    and interfaces that are not among *names*. A next hop that is dead is none, nor is a route
    that has expired.
    """
    local: list[IPNetwork] = []
    away: list[Route] | None = []
    for family in (socket.AF_INET, socket.AF_INET6):
        lines = _lines(netlink, family, names)
        local += [each.network for each in lines if each[:2] == (_LOCAL, _RTN_LOCAL)]
        more = None if away is None else _away(lines, _tables(netlink, family))
        away = None if away is None or more is None else away + more
    return Routing(tuple(dict.fromkeys(local)), None if away is None else tuple(away))


def tells_programs_apart(version: int) -> bool | None:
    """Return whether rules of IP *version* give some programs other ways than others.

    They may tell marks, users, protocols, ports or VRFs apart (ip-rule(8)), and then what one
    socket is told of its way says nothing of another's. ``None`` where rules cannot be read.
    """
    try:
        with Netlink() as netlink:
            rules = _rules(netlink, socket.AF_INET if version == 4 else socket.AF_INET6)
    except OSError:
        return None
    return any(rule.tells_programs_apart for rule in rules)


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


def _away(lines: Sequence[_Line], tables: Sequence[int] | None) -> list[Route] | None:
    """Return the routes to others, in order, if the *tables* that are looked up tell all."""
    if tables is None:
        return None
    ways: dict[int, list[Route]] = {_MAIN: [], _DEFAULT: []}
    for line in lines:
        if line.table == _LOCAL:
            # Linux once kept ff00::/8 there as if it were unicast.
            if line.kind == _RTN_UNICAST and not line.network.is_multicast:
                return None
        elif line.table in tables:
            if line.routes is None:
                return None
            ways[line.table] += line.routes
    return None if _shadows(ways[_MAIN], ways[_DEFAULT]) else ways[_MAIN] + ways[_DEFAULT]


def _lines(netlink: Netlink, family: int, names: Mapping[int, str]) -> list[_Line]:
    """Return what is in the three tables that every namespace looks up (``RTM_GETROUTE``)."""

    def parse(message: bytes) -> _Line | None:
        answered, length, source, service, table, _, _, kind, flags = _RTMSG.unpack_from(message)
        if answered != family or flags & _RTM_F_CLONED:
            return None
        if table == _LOCAL and kind in _TO_GROUPS:  # one or two of them for each own address
            return None
        found = attributes(message, _RTMSG.size)
        table = number(found.get(_RTA_TABLE), table)
        if table not in (_LOCAL, _MAIN, _DEFAULT) or _is_expired(found):
            return None
        network = _network(family, found.get(_RTA_DST), length)
        if table == _LOCAL or source or service or _RTA_SRC in found:
            return _Line(table, kind, network, None)
        metric = number(found.get(_RTA_PRIORITY))
        if kind in _REFUSALS:
            refusal = Route(network, metric=metric, refusal=_REFUSALS[kind])
            return _Line(table, kind, network, (refusal,))
        hops = list(_hops(found, flags))
        if kind != _RTN_UNICAST or not all(index in names for index, _ in hops):
            return _Line(table, kind, network, None)
        prefers = _address(found.get(_RTA_PREFSRC))
        routes = (Route(network, names[index], router, prefers, metric) for index, router in hops)
        return _Line(table, kind, network, tuple(routes))

    return netlink.dump(_RTM_GETROUTE, rtmsg(family), parse)


def _hops(found: Mapping[int, bytes], flags: int) -> Iterator[tuple[int, IPAddress | None]]:
    """Yield interface and router of each next hop that is not dead (``RTA_MULTIPATH``: several)."""
    if _RTA_MULTIPATH not in found:
        if not flags & _RTNH_F_DEAD:
            # Without an interface it is a next hop object's, of which nothing more is said.
            yield number(found.get(_RTA_OIF)), _router(found)
        return
    data, offset = found[_RTA_MULTIPATH], 0
    while offset < len(data):
        length, flags, _, index = _RTNEXTHOP.unpack_from(data, offset)
        if not _RTNEXTHOP.size <= length <= len(data) - offset:
            raise ValueError(f"a next hop claims {length} bytes")
        if not flags & _RTNH_F_DEAD:
            yield index, _router(attributes(data[offset : offset + length], _RTNEXTHOP.size))
        offset += (length + 3) & ~3


def _router(found: Mapping[int, bytes]) -> IPAddress | None:
    if _RTA_VIA in found:  # struct rtvia: the family, and a router of that one
        return _address(found[_RTA_VIA][2:])
    return _address(found.get(_RTA_GATEWAY))


def _address(packed: bytes | None) -> IPAddress | None:
    if packed is None:
        return None
    return IPv4Address(packed) if len(packed) == 4 else IPv6Address(packed)


def _network(family: int, packed: bytes | None, length: int) -> IPNetwork:
    if family == socket.AF_INET:
        return IPv4Network((packed or bytes(4), length), strict=False)
    return IPv6Network((packed or bytes(16), length), strict=False)


def _is_expired(found: Mapping[int, bytes]) -> bool:
    """Whether a router's advertisement is out of date, and the kernel has not tidied up yet."""
    if _RTA_CACHEINFO not in found:
        return False
    (expires,) = _RTA_EXPIRES.unpack_from(found[_RTA_CACHEINFO])
    return int(expires) < 0


def _shadows(main: Sequence[Route], spare: Sequence[Route]) -> bool:
    """Whether the longest prefix of both tables together is not always the kernel's choice.

    It asks ``default`` only where ``main`` has no route at all, however short.
    """
    return any(
        theirs.network.version == ours.network.version
        and ours.network.prefixlen <= theirs.network.prefixlen
        and theirs.network.network_address in ours.network
        for theirs in spare
        for ours in main
    )


def _tables(netlink: Netlink, family: int) -> Sequence[int] | None:
    """Return the tables that are looked up, in order; ``None`` where rules tell packets apart."""
    try:
        rules = _rules(netlink, family)
    except OSError as error:
        if error.errno in (errno.EAFNOSUPPORT, errno.EOPNOTSUPP):  # a kernel without rules
            return _WITHOUT_POLICY[0]
        raise
    tables = [rule.table for rule in sorted(rules)]
    if not all(rule.is_plain for rule in rules) or (tables and tables not in _WITHOUT_POLICY):
        return None
    return tables or _WITHOUT_POLICY[0]


def _rules(netlink: Netlink, family: int) -> list[_Rule]:
    """Return the rules of a family of addresses (``RTM_GETRULE``)."""

    def parse(message: bytes) -> _Rule | None:
        answered, to, source, service, table, _, _, action, flags = _RULE.unpack_from(message)
        if answered != family:
            return None
        found = attributes(message, _RULE.size)
        selects = to or source or service or flags or found.keys() - _OF_EVERY_RULE
        suppresses = any(
            found.get(each, _NOT_SUPPRESSED) != _NOT_SUPPRESSED for each in _FRA_SUPPRESS
        )
        return _Rule(
            number(found.get(_FRA_PRIORITY)),
            number(found.get(_FRA_TABLE), table),
            is_plain=not (selects or suppresses) and action == _FR_ACT_TO_TBL,
            tells_programs_apart=bool(service or found.keys() - _ALIKE),
        )

    return netlink.dump(_RTM_GETRULE, _RULE.pack(family, 0, 0, 0, 0, 0, 0, 0, 0), parse)
