"""Whether a neighbour has answered for its address: Linux's ARP and NDP tables, rtnetlink(7).

Answers are of the calling thread's network namespace.
"""

import struct
from typing import Final

from bindlab.endpoint import IPAddress
from bindlab.interface import Interface
from bindlab.snapshot.netlink import Dumper, attributes

__all__ = ["has_answered"]

_RTM_GETNEIGH: Final = 30
_NDA_DST, _NDA_LLADDR = 1, 2
_NUD_INCOMPLETE, _NUD_FAILED = 0x01, 0x20
_AF_INET, _AF_INET6 = 2, 10
_NEIGHBOUR = struct.Struct("=BxxxiHBB")  # struct ndmsg


def has_answered(ip: IPAddress, interface: Interface) -> bool | None:
    """Return whether somebody has answered for *ip* on the link of *interface* (ARP, NDP).

    ``False`` where this machine has just asked, and nobody did; ``None`` where it has not asked
    lately, or the system does not tell. Asks nobody now.
    """
    family = _AF_INET if ip.version == 4 else _AF_INET6
    try:
        with Dumper() as dumper:
            for message in dumper.dump(_RTM_GETNEIGH, _NEIGHBOUR.pack(family, 0, 0, 0, 0)):
                answered, index, state, _, _ = _NEIGHBOUR.unpack_from(message)
                found = attributes(message, _NEIGHBOUR.size)
                about = (answered, index, found.get(_NDA_DST))
                if about == (family, interface.index, ip.packed):
                    missing = bool(state & (_NUD_INCOMPLETE | _NUD_FAILED))
                    return not missing and _NDA_LLADDR in found
    except OSError:  # such as a sandbox that refuses netlink
        pass
    return None
