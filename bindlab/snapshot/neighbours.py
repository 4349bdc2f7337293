"""Whether a neighbour has answered for its address: Linux's ARP and NDP tables, rtnetlink(7).

Answers are of the calling thread's network namespace.
"""

import struct
from typing import Final

from bindlab.endpoint import IPAddress
from bindlab.interface import Interface
from bindlab.snapshot.netlink import Dumper, attributes
from bindlab.snapshot.rtnetlink import AF_INET, AF_INET6

__all__ = ["has_answered", "is_there"]

_RTM_GETNEIGH: Final = 30
_NDA_DST, _NDA_CACHEINFO = 1, 3
# Numbers of <linux/neighbour.h>; arp(7) says what the states mean.
NUD_INCOMPLETE, NUD_REACHABLE, NUD_STALE, NUD_DELAY, NUD_PROBE, NUD_FAILED = 1, 2, 4, 8, 16, 32
_NEIGHBOUR = struct.Struct("=BxxxiHBB")  # struct ndmsg
_CACHE_INFO = struct.Struct("=III4x")  # struct nda_cacheinfo, its ages in hundredths of a second
_MINUTE: Final = 60.0


def has_answered(ip: IPAddress, interface: Interface) -> bool | None:
    """Return whether somebody has answered for *ip* on the link of *interface* (ARP, NDP).

    ``True`` where it was heard from in the last two minutes; ``False`` where this machine has
    asked in the last one, and nobody answered; ``None`` where neither is so, or the system does
    not tell. Asks nobody now.
    """
    family = AF_INET if ip.version == 4 else AF_INET6
    try:
        with Dumper() as dumper:
            for message in dumper.dump(_RTM_GETNEIGH, _NEIGHBOUR.pack(family, 0, 0, 0, 0)):
                answered, index, state, _, _ = _NEIGHBOUR.unpack_from(message)
                found = attributes(message, _NEIGHBOUR.size)
                about = (answered, index, found.get(_NDA_DST))
                ages = found.get(_NDA_CACHEINFO, b"")
                if about == (family, interface.index, ip.packed) and len(ages) == _CACHE_INFO.size:
                    confirmed, _, updated = _CACHE_INFO.unpack(ages)
                    return is_there(state, confirmed / 100, updated / 100)
    except OSError:  # such as a sandbox that refuses netlink
        pass
    return None


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
