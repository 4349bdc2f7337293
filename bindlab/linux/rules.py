"""The rules by which Linux chooses routing tables, ip-rule(8)."""

import errno
import socket
import struct
from typing import Final, NamedTuple

from bindlab.linux.netlink import Netlink, attributes, number

_RTM_GETRULE: Final = 34

LOCAL, _MAIN, _DEFAULT = 255, 254, 253

_RULE = struct.Struct("=BBBBBBBBI")  # struct fib_rule_hdr
_FR_ACT_TO_TBL, _REFUSALS = 1, (6, 7, 8)
_FIB_RULE_INVERT, _HARMLESS_FLAGS = 0x2, 0x1 | 0x2 | 0x8  # permanent, invert, interface is gone
_FRA_IIFNAME, _FRA_PRIORITY, _FRA_FWMARK, _FRA_FWMASK = 3, 6, 10, 16
_FRA_TABLE, _FRA_PAD, _FRA_PROTOCOL = 15, 18, 21
_FRA_SUPPRESS_IFGROUP, _FRA_SUPPRESS_PREFIXLEN = 13, 14
_NOT_LIMITED = 0xFFFFFFFF
_OF_EVERY_RULE = {
    *(_FRA_PRIORITY, _FRA_TABLE, _FRA_PAD, _FRA_PROTOCOL),
    *(_FRA_SUPPRESS_IFGROUP, _FRA_SUPPRESS_PREFIXLEN),
}
_UNDERSTOOD = _OF_EVERY_RULE | {_FRA_IIFNAME, _FRA_FWMARK, _FRA_FWMASK}
# What every program alike is told by: addresses and names of interfaces, in FRA_DST, FRA_SRC,
# FRA_IIFNAME, FRA_GOTO, FRA_FLOW, FRA_OIFNAME.
_ALIKE = _OF_EVERY_RULE | {1, 2, 3, 4, 11, 17}


class Lookup(NamedTuple):
    """A table, of which routes with prefixes up to the length *suppressed* do not count."""

    table: int
    suppressed: int = -1


class Lookups(NamedTuple):
    """The tables that packets are looked up in which this machine sends, one after the other.

    *in_order* is for packets without a mark, as nearly all are; *marked* are the tables that
    others may be looked up in. The table ``local`` is before them all, and not among them.
    """

    in_order: list[Lookup]
    marked: set[int]


_USUAL: Final = Lookups([Lookup(_MAIN), Lookup(_DEFAULT)], set())


class _Rule(NamedTuple):
    priority: int
    lookup: Lookup
    matches: bool
    """Whether packets without a mark that start here are looked up in the table."""
    by_mark: bool
    is_understood: bool
    tells_programs_apart: bool


def lookups(netlink: Netlink, family: int) -> Lookups | None:
    """Return the tables that this machine's packets are looked up in, ``None`` if it depends.

    It depends where rules tell addresses, users, protocols, ports, devices or VRFs apart, where
    a rule refuses or jumps, and where the table ``local`` is not the first. A rule for what
    comes in by an interface (``iif``) is for forwarded packets only.
    """
    try:
        rules = sorted(_rules(netlink, family), key=lambda rule: rule.priority)
    except OSError as error:
        if error.errno in (errno.EAFNOSUPPORT, errno.EOPNOTSUPP):  # a kernel without rules
            return _USUAL
        raise
    if not rules:  # a network stack without rules
        return _USUAL
    first, *others = rules
    if not (first.matches and first.is_understood and first.lookup == Lookup(LOCAL)):
        return None
    if not all(rule.is_understood for rule in others if rule.matches or rule.by_mark):
        return None
    return Lookups(
        [rule.lookup for rule in others if rule.matches],
        {rule.lookup.table for rule in others if rule.by_mark},
    )


def tells_programs_apart(version: int) -> bool | None:
    """Return whether rules of IP *version* give some programs other ways than others.

    They may tell marks, users, protocols, ports or VRFs apart, and then what one socket is told
    of its way says nothing of another's. ``None`` where rules cannot be read.
    """
    try:
        with Netlink() as netlink:
            rules = _rules(netlink, socket.AF_INET if version == 4 else socket.AF_INET6)
    except OSError:
        return None
    return any(rule.tells_programs_apart for rule in rules)


def _rules(netlink: Netlink, family: int) -> list[_Rule]:
    def parse(message: bytes) -> _Rule | None:
        answered, to, source, service, table, _, _, action, flags = _RULE.unpack_from(message)
        if answered != family:
            return None
        found = attributes(message, _RULE.size)
        by_mark = not found.keys().isdisjoint({_FRA_FWMARK, _FRA_FWMASK})
        by_others = to or source or service or found.keys() - _UNDERSTOOD
        for_forwarded = found.get(_FRA_IIFNAME, b"lo\0") != b"lo\0"
        marked = number(found.get(_FRA_FWMARK)) & number(found.get(_FRA_FWMASK), _NOT_LIMITED)
        inverts = bool(flags & _FIB_RULE_INVERT)
        never = for_forwarded and not inverts
        by_these = not marked and not for_forwarded
        matches = not never and (bool(by_others) or by_these is not inverts)
        suppressed = number(found.get(_FRA_SUPPRESS_PREFIXLEN), _NOT_LIMITED)
        return _Rule(
            number(found.get(_FRA_PRIORITY)),
            Lookup(
                number(found.get(_FRA_TABLE), table),
                -1 if suppressed == _NOT_LIMITED else suppressed,
            ),
            matches=matches,
            by_mark=by_mark and not never,
            is_understood=not by_others
            and not flags & ~_HARMLESS_FLAGS
            and number(found.get(_FRA_SUPPRESS_IFGROUP), _NOT_LIMITED) == _NOT_LIMITED
            and (action == _FR_ACT_TO_TBL or (action in _REFUSALS and not matches)),
            tells_programs_apart=bool(service or found.keys() - _ALIKE),
        )

    return netlink.dump(_RTM_GETRULE, _RULE.pack(family, 0, 0, 0, 0, 0, 0, 0, 0), parse)
