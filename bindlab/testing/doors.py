"""Every address of this machine that a connection can be tried on, and what is met there.

Knows interfaces and attempts. What should be met is trying.py's to say.
"""

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from bindlab.endpoint import Endpoint, IPAddress, address_text, parse_address
from bindlab.interface import AddressState, Interface
from bindlab.probing import Probe, probe
from bindlab.registry import Kind, kind_of_address
from bindlab.snapshot import interfaces

__all__ = ["Door", "Met", "doors_of_this_machine", "try_doors"]

_LOOPBACKS: Final = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
# All of 127.0.0.0/8 is delivered here on Linux, so that a wildcard answers there even on a
# machine without any network; macOS has 127.0.0.1 alone.
_UNUSED: Final = IPv4Address("127.255.255.254")
# Packets for these leave the machine: the address is not one of its own yet, or never.
_NOT_USABLE = AddressState.TENTATIVE | AddressState.DAD_FAILED
_AT_ONCE = 32


class Door(NamedTuple):
    """An address of this machine, and the interface that has it, if one lists it."""

    ip: IPAddress
    interface: Interface | None = None

    @property
    def name(self) -> str:
        """The interface's name, as people know it."""
        return self.interface.display_name if self.interface else "loopback"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can mean itself by the address."""
        held = self.interface is not None and self.interface.holds_loopback
        return held or kind_of_address(self.ip) is Kind.LOOPBACK

    @property
    def is_unused(self) -> bool:
        """Whether it is an address on which nobody serves unless on all of 127.0.0.0/8."""
        return self.ip == _UNUSED

    def is_at(self, ip: IPAddress) -> bool:
        """Return whether *ip*, which may be a wildcard or lack its zone, stands for this one."""
        if ip.version != self.ip.version:
            return False
        if ip.is_unspecified:
            return True
        zone = ip.scope_id if isinstance(ip, IPv6Address) else None
        here = self.interface
        return int(ip) == int(self.ip) and (
            zone is None or (here is not None and here.has_zone(zone))
        )

    def __str__(self) -> str:
        where = "as a wildcard does" if self.is_unused else self.name
        return f"{address_text(self.ip).partition('%')[0]} ({where})"


class Met(NamedTuple):
    """What was met at a door."""

    door: Door
    probe: Probe


def doors_of_this_machine() -> Iterator[Door]:
    """Yield each address of the calling thread's network namespace once."""
    seen: set[IPAddress] = set()
    for interface in interfaces():
        if interface.is_up is False:
            continue  # Linux sends packets for its addresses to the default router
        for address in map(parse_address, interface.addresses):
            state = interface.state(address) or AddressState.PREFERRED
            if address not in seen and not state & _NOT_USABLE:
                seen.add(address)
                yield Door(address, interface)
    unlisted = (*_LOOPBACKS, _UNUSED) if sys.platform.startswith("linux") else _LOOPBACKS
    yield from (Door(ip) for ip in unlisted if ip not in seen)


def try_doors(doors: Sequence[Door], port: int, timeout: float) -> tuple[Met, ...]:
    """Return what a connection to *port* meets at each of *doors*, tried at the same time."""

    def met(door: Door) -> Met:
        return Met(door, probe(Endpoint(door.ip, port), timeout=timeout))

    # Threads are of their maker's network namespace (clone(2)).
    with ThreadPoolExecutor(min(len(doors), _AT_ONCE)) as pool:
        return tuple(pool.map(met, doors))
