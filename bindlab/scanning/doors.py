"""Every address of a machine that a port can be tried on, and what is met there.

Knows interfaces and attempts. What follows from what was met is for others to say.
"""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from bindlab.endpoint import Endpoint, IPAddress, Transport, address_text, parse_address
from bindlab.host import Host
from bindlab.interface import AddressState, Interface
from bindlab.probing import Outcome, Probe, probe
from bindlab.special_addresses import Kind, kind_of_address

__all__ = ["Door", "Met", "doors_of", "try_doors"]

_LOOPBACKS: Final = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
# All of 127.0.0.0/8 is delivered here on Linux, so that a wildcard answers there even on a
# machine without any network; macOS has 127.0.0.1 alone.
_UNUSED: Final = IPv4Address("127.255.255.254")
# Packets for these leave the machine: the address is not one of its own yet, or never.
_NOT_USABLE = AddressState.TENTATIVE | AddressState.DAD_FAILED
_AT_ONCE = 128  # each has a descriptor, of which macOS gives a process 256


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

    @property
    def is_taken(self) -> bool:
        """Whether a socket has what was sent: for UDP that is silence too, but for a firewall.

        The system refuses at once for a port of its own that nobody has.
        """
        silent_udp = self.probe.endpoint.transport == "udp" and self.is_silent
        return self.probe.accepted or silent_udp

    @property
    def is_absent(self) -> bool:
        """Whether this machine has no such address, as ``::1`` where IPv6 is turned off."""
        return self.probe.outcome in (Outcome.NO_SOURCE, Outcome.WRONG_FAMILY)

    @property
    def is_silent(self) -> bool:
        """Whether nothing came back: a firewall, a full backlog, or a UDP server."""
        return self.probe.outcome is Outcome.NO_ANSWER


def doors_of(host: Host) -> Iterator[Door]:
    """Yield each address that *host*, which is this machine, has for its own programs."""
    seen: set[IPAddress] = set()
    on_linux = host.system == "linux"
    for interface in host.interfaces:
        if interface.is_up is False and not on_linux:
            continue  # Linux has its addresses all the same (measured)
        for address in map(parse_address, interface.addresses):
            state = interface.state(address) or AddressState.PREFERRED
            if address not in seen and not state & _NOT_USABLE:
                seen.add(address)
                yield Door(address, interface)
    unlisted = (*_LOOPBACKS, _UNUSED) if on_linux else _LOOPBACKS
    yield from (Door(ip) for ip in unlisted if ip not in seen)


def try_doors(
    doors: Sequence[Door], port: int, timeout: float, transport: Transport = "tcp"
) -> tuple[Met, ...]:
    """Return what an attempt at *port* meets at each of *doors*, tried at the same time."""
    from concurrent.futures import ThreadPoolExecutor

    def met(door: Door) -> Met:
        return Met(door, probe(Endpoint(door.ip, port, transport), timeout=timeout))

    # Threads are of their maker's network namespace (clone(2)).
    pool = ThreadPoolExecutor(min(len(doors), _AT_ONCE))
    try:
        found = tuple(pool.map(met, doors))
    except BaseException:  # Ctrl-C does not wait for what keeps silent
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
    return found
