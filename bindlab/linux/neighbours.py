"""Whether a neighbour has answered for its address: Linux's ARP and NDP tables, rtnetlink(7)."""

import socket
import struct
from typing import Final

from bindlab.endpoint import IPAddress
from bindlab.interface import Interface
from bindlab.linux.netlink import Netlink, attributes

_RTM_GETNEIGH: Final = 30
_NDA_DST, _NDA_CACHEINFO = 1, 3
# Numbers of <linux/neighbour.h>; arp(7) says what the states mean.
NUD_INCOMPLETE, NUD_REACHABLE, NUD_STALE, NUD_DELAY, NUD_PROBE, NUD_FAILED = 1, 2, 4, 8, 16, 32
_NDMSG = struct.Struct("=BxxxiHBB")
_CACHE_INFO = struct.Struct("=III4x")  # struct nda_cacheinfo, its ages in hundredths of a second
_MINUTE: Final = 60.0


def has_answered(ip: IPAddress, interface: Interface) -> bool | None:
    """Return whether somebody has answered for *ip* on the link of *interface* (ARP, NDP).

    ``True`` where it was heard from in the last two minutes; ``False`` where this machine has
    asked in the last one, and nobody answered; ``None`` where neither is so, or the system does
    not tell. Asks nobody now.
    """
    family = socket.AF_INET if ip.version == 4 else socket.AF_INET6

    def parse(message: bytes) -> tuple[int, float, float] | None:
        answered, index, state, _, _ = _NDMSG.unpack_from(message)
        if (answered, index) != (family, interface.index):
            return None
        found = attributes(message, _NDMSG.size)
        if found.get(_NDA_DST) != ip.packed or _NDA_CACHEINFO not in found:
            return None
        confirmed, _, updated = _CACHE_INFO.unpack(found[_NDA_CACHEINFO])
        return state, confirmed / 100, updated / 100

    try:
        with Netlink() as netlink:
            entries = netlink.dump(_RTM_GETNEIGH, _NDMSG.pack(family, 0, 0, 0, 0), parse)
    except OSError:  # such as a sandbox that refuses netlink
        return None
    return is_there(*entries[0]) if entries else None


def is_there(state: int, confirmed: float, updated: float) -> bool | None:
    """Return what an entry of the table says now, where Linux keeps old ones for days.

    *confirmed* and *updated* are the seconds since the neighbour last proved to be there, and
    since the entry last changed. One goes stale some 45 seconds at most after it was confirmed,
    or at once if it comes from the neighbour's own question, and is then made as if confirmed a
    minute ago (``___neigh_create``). What an administrator entered says nothing.
    """
    if state in (NUD_INCOMPLETE, NUD_FAILED):
        return False if updated <= _MINUTE else None
    heard = state == NUD_REACHABLE or (
        (state in (NUD_STALE, NUD_DELAY, NUD_PROBE) and confirmed <= 2 * _MINUTE)
        or (state == NUD_STALE and updated <= _MINUTE)
    )
    return True if heard else None
