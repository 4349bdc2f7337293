"""The routes that Linux answers by, as values, where they are all that decides: rtnetlink(7).

Knows the messages of ``<linux/rtnetlink.h>`` and ``<linux/fib_rules.h>`` about routes and
rules. Where a rule, a source or a type of service has a say too, the tables alone would tell
half the truth, and nothing is told.
"""

import errno
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from bindlab.route import Refusal, Route
from bindlab.snapshot.netlink import Dumper, attributes
from bindlab.snapshot.rtnetlink import AF_INET, AF_INET6, RTM_GETROUTE, address_of, network_of

__all__ = ["routes", "tells_programs_apart"]

RTM_GETRULE: Final = 34

_LOCAL, _MAIN, _DEFAULT = 255, 254, 253
# What every namespace has from its beginning, by priority; IPv6 has no table "default".
_WITHOUT_POLICY = ([_LOCAL, _MAIN], [_LOCAL, _MAIN, _DEFAULT])

_RULE = struct.Struct("=BBBBBBBBI")  # struct fib_rule_hdr
_FR_ACT_TO_TBL = 1
_FRA_PRIORITY, _FRA_TABLE, _FRA_PAD, _FRA_PROTOCOL = 6, 15, 18, 21
_FRA_SUPPRESS_IFGROUP, _FRA_SUPPRESS_PREFIXLEN = 13, 14
# What every program alike is told by: addresses, and names of interfaces.
_FRA_DST, _FRA_SRC, _FRA_IIFNAME, _FRA_GOTO, _FRA_FLOW, _FRA_OIFNAME = 1, 2, 3, 4, 11, 17
_ALIKE = frozenset(
    {_FRA_DST, _FRA_SRC, _FRA_IIFNAME, _FRA_GOTO, _FRA_FLOW, _FRA_OIFNAME}
    | {_FRA_PRIORITY, _FRA_TABLE, _FRA_PAD, _FRA_PROTOCOL}
    | {_FRA_SUPPRESS_IFGROUP, _FRA_SUPPRESS_PREFIXLEN}
)
_NOT_SUPPRESSED = b"\xff\xff\xff\xff"

_ROUTE = struct.Struct("=BBBBBBBBI")  # struct rtmsg
_HOP = struct.Struct("=HBBi")  # struct rtnexthop: length, flags, weight, interface
_WORD = struct.Struct("=I")
_CACHE_INFO = struct.Struct("=IIiI")  # struct rta_cacheinfo: ..., expires, error
_RTA_DST, _RTA_SRC, _RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY, _RTA_PREFSRC = 1, 2, 4, 5, 6, 7
_RTA_MULTIPATH, _RTA_CACHEINFO, _RTA_TABLE, _RTA_VIA = 9, 12, 15, 18
_RTM_F_CLONED, _RTNH_F_DEAD = 0x200, 0x1
_RTN_UNICAST = 1
_REFUSALS: Final[Mapping[int, Refusal]] = {6: "blackhole", 7: "unreachable", 8: "prohibit"}


class _Untold(Exception):
    """Something decides that a :class:`Route` cannot say."""


class _Hop(NamedTuple):
    ifindex: int
    gateway: bytes | None


def routes(dumper: Dumper, names: Mapping[int, str]) -> tuple[Route, ...] | None:
    """Return every route to others, in the kernel's order, or ``None`` if they do not tell all.

    They are the routes of the tables ``main`` and ``default``; *names* are the interfaces by
    index. What they cannot tell: rules beyond those that every namespace has (``ip rule``;
    a VRF brings one), routes for some sources or types of service only, ``throw`` routes, routes
    to others in table ``local``, and interfaces that are not among *names*. A next hop that is
    dead is none, nor is a route that has expired.
    """
    dumper.filter_in_kernel()
    found: list[Route] = []
    try:
        for family in (AF_INET, AF_INET6):
            tables = _tables(dumper, family)
            if _leads_away(dumper, family):
                return None
            main = list(_table(dumper, family, _MAIN, names))
            found += main
            if _DEFAULT in tables:
                spare = list(_table(dumper, family, _DEFAULT, names))
                if _shadows(main, spare):
                    return None
                found += spare
    except _Untold:
        return None
    return tuple(found)


def tells_programs_apart(version: int) -> bool | None:
    """Return whether rules of IP *version* give some programs other ways than others.

    They may tell marks, users, protocols, ports or VRFs apart (ip-rule(8)), and then what one
    socket is told of its way says nothing of another's. ``None`` where rules cannot be read.
    """
    family = AF_INET if version == 4 else AF_INET6
    try:
        with Dumper() as dumper:
            for rule in dumper.dump(RTM_GETRULE, _RULE.pack(family, 0, 0, 0, 0, 0, 0, 0, 0)):
                answered, _, _, service, *_ = _RULE.unpack_from(rule)
                if answered == family and (service or attributes(rule, _RULE.size).keys() - _ALIKE):
                    return True
    except OSError:
        return None
    return False


def _tables(dumper: Dumper, family: int) -> Sequence[int]:
    """Return the tables that are looked up, in order (``RTM_GETRULE``)."""
    try:
        rules = dumper.dump(RTM_GETRULE, _RULE.pack(family, 0, 0, 0, 0, 0, 0, 0, 0))
    except OSError as error:
        if error.errno in (errno.EAFNOSUPPORT, errno.EOPNOTSUPP):  # a kernel without rules
            return _WITHOUT_POLICY[0]
        raise
    looked_up: list[tuple[int, int]] = []
    for rule in rules:
        answered, to, source, service, table, _, _, action, flags = _RULE.unpack_from(rule)
        if answered != family:
            continue
        found = attributes(rule, _RULE.size)
        suppressed = {found.pop(_FRA_SUPPRESS_IFGROUP, _NOT_SUPPRESSED)} | {
            found.pop(_FRA_SUPPRESS_PREFIXLEN, _NOT_SUPPRESSED)
        }
        for harmless in (_FRA_PAD, _FRA_PROTOCOL):
            found.pop(harmless, None)
        table = _number(found.pop(_FRA_TABLE, None), table)
        priority = _number(found.pop(_FRA_PRIORITY, None), 0)
        selects = to or source or service or flags or found or suppressed != {_NOT_SUPPRESSED}
        if selects or action != _FR_ACT_TO_TBL:
            raise _Untold
        looked_up.append((priority, table))
    tables = [table for _, table in sorted(looked_up)]
    if tables and tables not in _WITHOUT_POLICY:
        raise _Untold
    return tables or _WITHOUT_POLICY[0]


def _leads_away(dumper: Dumper, family: int) -> bool:
    """Return whether table ``local``, which comes first, has a route to others too."""
    wanted = _ROUTE.pack(family, 0, 0, 0, _LOCAL, 0, 0, _RTN_UNICAST, 0)
    try:
        messages = dumper.dump(RTM_GETROUTE, wanted)
    except FileNotFoundError:  # no address was ever there
        return False
    for message in messages:
        answered, _, _, _, table, _, _, kind, _ = _ROUTE.unpack_from(message)
        # Linux once kept ff00::/8 there as if it were unicast.
        to_group = attributes(message, _ROUTE.size).get(_RTA_DST, b"").startswith(b"\xff")
        if (answered, table, kind) == (family, _LOCAL, _RTN_UNICAST) and not to_group:
            return True
    return False


def _table(dumper: Dumper, family: int, wanted: int, names: Mapping[int, str]) -> Iterator[Route]:
    try:
        messages = dumper.dump(RTM_GETROUTE, _ROUTE.pack(family, 0, 0, 0, wanted, 0, 0, 0, 0))
    except FileNotFoundError:  # a table that never had a route does not exist
        return
    for message in messages:
        answered, length, source, service, table, _, _, kind, flags = _ROUTE.unpack_from(message)
        if answered != family or flags & _RTM_F_CLONED:
            continue
        found = attributes(message, _ROUTE.size)
        if _number(found.get(_RTA_TABLE), table) != wanted or _is_expired(found):
            continue
        if source or service or _RTA_SRC in found:
            raise _Untold
        network = network_of(found.get(_RTA_DST) or bytes(4 if family == AF_INET else 16), length)
        metric = _number(found.get(_RTA_PRIORITY), 0)
        if kind in _REFUSALS:
            yield Route(network, metric=metric, refusal=_REFUSALS[kind])
            continue
        if kind != _RTN_UNICAST:
            raise _Untold
        preferred = found.get(_RTA_PREFSRC)
        for hop in _hops(found, flags):
            if hop.ifindex not in names:
                raise _Untold
            yield Route(
                network,
                names[hop.ifindex],
                None if hop.gateway is None else address_of(hop.gateway),
                None if preferred is None else address_of(preferred),
                metric,
            )


def _hops(found: Mapping[int, bytes], flags: int) -> Iterator[_Hop]:
    """Yield the next hops of one route that are not dead (``RTA_MULTIPATH``: several)."""
    if _RTA_MULTIPATH not in found:
        if not flags & _RTNH_F_DEAD:
            # Without an interface it is a next hop object's, of which nothing more is said.
            yield _Hop(_number(found.get(_RTA_OIF), 0), _gateway(found))
        return
    data, offset = found[_RTA_MULTIPATH], 0
    while len(data) - offset >= _HOP.size:
        length, flags, _, index = _HOP.unpack_from(data, offset)
        if not _HOP.size <= length <= len(data) - offset:
            raise _Untold
        if not flags & _RTNH_F_DEAD:
            yield _Hop(index, _gateway(attributes(data[offset : offset + length], _HOP.size)))
        offset += (length + 3) & ~3


def _gateway(found: Mapping[int, bytes]) -> bytes | None:
    if _RTA_VIA in found:  # struct rtvia: the family, and a router of that one
        return found[_RTA_VIA][2:]
    return found.get(_RTA_GATEWAY)


def _is_expired(found: Mapping[int, bytes]) -> bool:
    """Whether a router's advertisement is out of date, and the kernel has not tidied up yet."""
    info = found.get(_RTA_CACHEINFO, b"")
    if len(info) < _CACHE_INFO.size:
        return False
    _, _, expires, _ = _CACHE_INFO.unpack_from(info)
    return int(expires) < 0


def _shadows(main: Iterable[Route], spare: Sequence[Route]) -> bool:
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


def _number(data: bytes | None, otherwise: int) -> int:
    if data is None or len(data) < _WORD.size:
        return otherwise
    (value,) = _WORD.unpack_from(data)
    return int(value)
