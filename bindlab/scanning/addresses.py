"""Every address of this machine that a port can be tried on."""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from bindlab.binding import Binding
from bindlab.endpoint import IPAddress, address_text, lacks_zone, parse_address, unmap
from bindlab.host import Host
from bindlab.interface import AddressState, Interface
from bindlab.special_addresses import Kind, kind_of_address

_LOOPBACKS: Final = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
# All of 127.0.0.0/8 is delivered here on Linux, so that a wildcard answers there even on a
# machine without any network; macOS has 127.0.0.1 alone.
_UNUSED: Final = IPv4Address("127.255.255.254")
# Packets for these leave the machine: the address is not one of its own yet, or never.
_NOT_USABLE = AddressState.TENTATIVE | AddressState.DAD_FAILED


class LocalAddress(NamedTuple):
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
        """Whether it is an address where only a server on all of 127.0.0.0/8 answers."""
        return self.ip == _UNUSED

    def is_at(self, ip: IPAddress) -> bool:
        """Return whether *ip*, which may be a wildcard or lack its zone, includes this one."""
        if ip.version != self.ip.version:
            return False
        if ip.is_unspecified:
            return True
        zone = ip.scope_id if isinstance(ip, IPv6Address) else None
        return int(ip) == int(self.ip) and (zone is None or self._is_on(zone))

    def is_served_by(self, bindings: Iterable[Binding]) -> bool:
        """Return whether a socket bound so gets what this machine's programs send here."""
        return any(map(self._is_served, bindings))

    def _is_served(self, binding: Binding) -> bool:
        ip = unmap(binding.endpoint.ip)
        if binding.device is not None:
            is_lo = self.interface is None and binding.device == "lo"
            if not is_lo and not self._is_on(binding.device):
                return False
        is_dual_stack = ip == IPv6Address("::") and binding.v6only is False
        return is_dual_stack or self.is_at(ip)

    def _is_on(self, zone: str) -> bool:
        return self.interface is not None and self.interface.has_zone(zone)

    def __str__(self) -> str:
        where = "as a wildcard does" if self.is_unused else self.name
        return f"{address_text(self.ip).partition('%')[0]} ({where})"


def local_addresses(host: Host) -> Iterator[LocalAddress]:
    """Yield each address that *host*, which is this machine, has for its own programs.

    Those of a VRF are for the programs in it (Linux: vrf.txt): see :func:`told_of_vrfs`.
    """
    seen: set[IPAddress] = set()
    on_linux = host.system == "linux"
    for interface in host.interfaces:
        if interface.is_up is False and not on_linux:
            continue  # Linux has its addresses all the same (measured)
        if host.vrf_of(interface) is not None:
            continue
        unusable = {int(ip) for ip, state in interface.states or () if state & _NOT_USABLE}
        for ip in map(parse_address, interface.addresses):
            # Some interface may have a name and an index that cannot be a zone to dial.
            if ip in seen or lacks_zone(ip) or (ip.version == 6 and int(ip) in unusable):
                continue
            seen.add(ip)
            yield LocalAddress(ip, interface)
    unlisted = (*_LOOPBACKS, _UNUSED) if on_linux else _LOOPBACKS
    yield from (LocalAddress(ip) for ip in unlisted if ip not in seen)


def told_of_vrfs(host: Host) -> Iterator[str]:
    """Yield a sentence for each VRF of *host* that has addresses, which are not local ones here."""
    found: dict[str, list[str]] = {}
    for interface in host.interfaces:
        if vrf := host.vrf_of(interface):
            own = (LocalAddress(parse_address(each), interface) for each in interface.addresses)
            found.setdefault(vrf.display_name, []).extend(map(str, own))
    for name, those in found.items():
        if those:
            text = ", ".join(those)
            yield f"not tried, because only programs in the VRF {name} get there: {text}"
