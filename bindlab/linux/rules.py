"""The rules by which Linux chooses a routing table, ip-rule(8): the usual ones, or others too."""

import errno
import socket
import struct
from typing import Final, NamedTuple

from bindlab.linux.netlink import Netlink, attributes, number

__all__ = ["DEFAULT", "LOCAL", "MAIN", "has_only_usual_rules", "tells_programs_apart"]

_RTM_GETRULE: Final = 34

LOCAL, MAIN, DEFAULT = 255, 254, 253
# What every namespace has from its beginning, by priority; IPv6 has no table "default", and a
# kernel without rules has none at all.
_USUAL: Final[tuple[list[int], ...]] = ([], [LOCAL, MAIN], [LOCAL, MAIN, DEFAULT])

_RULE = struct.Struct("=BBBBBBBBI")  # struct fib_rule_hdr
_FR_ACT_TO_TBL = 1
_FRA_PRIORITY, _FRA_TABLE, _FRA_PAD, _FRA_PROTOCOL = 6, 15, 18, 21
_FRA_SUPPRESS = (13, 14)  # FRA_SUPPRESS_IFGROUP, FRA_SUPPRESS_PREFIXLEN
_NOT_LIMITED = b"\xff\xff\xff\xff"
_OF_EVERY_RULE = {_FRA_PRIORITY, _FRA_TABLE, _FRA_PAD, _FRA_PROTOCOL, *_FRA_SUPPRESS}
# What every program alike is told by: addresses and names of interfaces, in FRA_DST, FRA_SRC,
# FRA_IIFNAME, FRA_GOTO, FRA_FLOW, FRA_OIFNAME.
_ALIKE = _OF_EVERY_RULE | {1, 2, 3, 4, 11, 17}


class _Rule(NamedTuple):
    priority: int
    table: int
    is_plain: bool
    """Whether every packet is looked up in the table."""
    tells_programs_apart: bool


def has_only_usual_rules(netlink: Netlink, family: int) -> bool:
    """Return whether a packet goes as the tables ``local``, ``main``, ``default`` say, in order."""
    try:
        rules = _rules(netlink, family)
    except OSError as error:
        if error.errno in (errno.EAFNOSUPPORT, errno.EOPNOTSUPP):  # a kernel without rules
            return True
        raise
    tables = [rule.table for rule in sorted(rules)]
    return tables in _USUAL and all(rule.is_plain for rule in rules)


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
        selects = to or source or service or flags or found.keys() - _OF_EVERY_RULE
        limits = [found[each] for each in _FRA_SUPPRESS if each in found]
        return _Rule(
            number(found.get(_FRA_PRIORITY)),
            number(found.get(_FRA_TABLE), table),
            is_plain=not selects
            and limits.count(_NOT_LIMITED) == len(limits)
            and action == _FR_ACT_TO_TBL,
            tells_programs_apart=bool(service or found.keys() - _ALIKE),
        )

    return netlink.dump(_RTM_GETRULE, _RULE.pack(family, 0, 0, 0, 0, 0, 0, 0, 0), parse)
