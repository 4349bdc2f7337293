"""A network interface as a value: its names, its addresses, what the system says of it."""

import enum
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Interface, IPv6Address, IPv6Interface, ip_interface
from typing import TypeAlias

from bindlab.endpoint import IPAddress, is_zone, parse_address
from bindlab.printable import printable
from bindlab.value import Given, Value, check_number, checked_name

InterfaceAddress: TypeAlias = IPv4Interface | IPv6Interface


class AddressState(enum.Flag):
    """What a system says of one of its IPv6 addresses (RFC 4862, RFC 8981)."""

    PREFERRED = 0
    """In use, and nothing else is said of it."""
    TENTATIVE = enum.auto()
    """Not usable yet: duplicate address detection runs (RFC 4862 section 5.4)."""
    DAD_FAILED = enum.auto()
    """Not usable: another machine on the link has it."""
    DEPRECATED = enum.auto()
    """Still answers; new connections should not start from it."""
    TEMPORARY = enum.auto()
    """Changes from time to time, for privacy (RFC 8981)."""


_States: TypeAlias = (
    Mapping[IPv6Address | str, AddressState | int]
    | Iterable[tuple[IPv6Address | str, AddressState | int]]
)


class Interface(Value):
    """A network interface: its name, its addresses, and what the system says of it.

    *name* is the system's own (``eth0``; on Windows the one for people),
    *display_name* the one to show, kept in a form that can be printed.
    *index* is the scope id that link-local addresses of this interface have, ``None`` where
    unknown. *addresses* are
    ``IPv4Interface`` and ``IPv6Interface`` objects, or their text (``"192.168.0.102/24"``);
    a link-local one without a zone gets this interface's name as its zone.

    ``is_up`` is the administrator's switch, ``is_running`` the carrier (netdevice(7):
    IFF_UP, IFF_RUNNING). ``route_localnet`` and ``disable_ipv6`` are Linux's settings of this
    interface (``/proc/sys/net/ipv4/conf/NAME/route_localnet`` and its IPv6 sibling).
    ``rp_filter`` is how Linux's reverse path filter (RFC 3704) treats IPv4 packets that come
    by it: 0 takes all, 1 (strict) drops those whose source is routed by another interface, 2
    (loose) those whose source is not routed at all; it is the greater of the interface's
    setting and that of all (``conf/all``). ``kind`` is the type of a virtual link as ip-link(8)
    has it (``"bridge"``, ``"bond"``, ``"team"``, ``"vrf"``, ``"veth"``), ``""`` for none;
    ``master`` the name of the interface that this one is a port or a member of, ``""`` for none.
    ``states`` pairs IPv6 addresses with their :class:`AddressState`. Each is ``None`` where
    the system does not say. What is no name, index or address is a ``ValueError`` or a
    ``TypeError``.
    """

    name: str
    index: int | None = None
    display_name: Given[str | None, str] = Given(default=None)
    addresses: Given[Iterable[InterfaceAddress | str], tuple[InterfaceAddress, ...]] = Given(
        default=()
    )
    is_up: bool | None = None
    is_running: bool | None = None
    is_loopback: bool | None = None
    is_point_to_point: bool | None = None
    route_localnet: bool | None = None
    disable_ipv6: bool | None = None
    states: Given[_States | None, tuple[tuple[IPv6Address, AddressState], ...] | None] = Given(
        default=None
    )
    rp_filter: int | None = None
    kind: str | None = None
    master: str | None = None

    def _check(self) -> None:
        super()._check()
        checked_name("name", self.name)
        if self.index is not None:
            check_number("index", self.index, 1, (1 << 32) - 1)  # sin6_scope_id is an u32
        if self.rp_filter is not None:
            check_number("rp_filter", self.rp_filter, 0, 2)
        for name, value in (("kind", self.kind), ("master", self.master)):
            if value not in (None, ""):
                checked_name(name, value)
        self._set(
            display_name=_name_to_show(self.display_name, self.name),
            addresses=_addresses(self.addresses, self.name, zone_to_write(self.name, self.index)),
            states=None if self.states is None else _states(self.states),
        )

    @property
    def holds_loopback(self) -> bool:
        """Whether this is a loopback interface: as the system says, else by its addresses."""
        if self.is_loopback is not None:
            return self.is_loopback
        if self.kind == "vrf":  # which may have 127.0.0.1 as well
            return False
        return any(address.ip.is_loopback for address in self.addresses)

    def state(self, ip: IPAddress) -> AddressState | None:
        """Return the state of *ip*, ``None`` where the system does not say."""
        for address, state in self.states or ():
            if ip.version == 6 and int(address) == int(ip):
                return state
        return None

    @property
    def is_live(self) -> bool:
        """Whether packets can go by it, as far as is known: not down, nor without carrier."""
        return self.is_up is not False and self.is_running is not False

    def has_zone(self, zone: str) -> bool:
        """Return whether *zone*, a name or an index in digits, means this interface."""
        return zone == self.name or (self.index is not None and zone == str(self.index))

    def to_document(self) -> dict[str, object]:
        """Return this interface as what JSON can hold, its states by their addresses."""
        by_address = {str(ip): state.value for ip, state in self.states or ()}
        return super().to_document() | {"states": None if self.states is None else by_address}


def zone_to_write(name: str, index: int | None) -> str | None:
    """Return what stands behind the ``%`` of an address for the interface *name*.

    That is its name, or its index in digits where the name cannot stand there: one with a
    percent sign, a slash, a space or a byte that is no text, one of digits only, which would
    read as another's index (RFC 4007 section 11.2), and a GUID of Windows, which takes numbers
    alone. ``None`` where there is no index then.
    """
    if is_zone(name) and not name.isdigit() and not name.startswith("{"):
        return name
    return None if index is None else str(index)


def _name_to_show(given: object, name: str) -> str:
    if given is None or given == "":
        return printable(name)
    if not isinstance(given, str):
        raise TypeError(f"display_name is text, not {given!r}")
    return printable(checked_name("display_name", given))


def _states(given: _States) -> tuple[tuple[IPv6Address, AddressState], ...]:
    states = {parse_address(ip): AddressState(state) for ip, state in dict(given).items()}
    of_ipv6 = tuple((ip, state) for ip, state in states.items() if isinstance(ip, IPv6Address))
    if len(of_ipv6) < len(states):
        raise TypeError(f"states pairs IPv6 addresses with AddressState, not {given!r}")
    return of_ipv6


def _addresses(
    given: Iterable[InterfaceAddress | str], name: str, zone: str | None
) -> tuple[InterfaceAddress, ...]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise TypeError(f"addresses is a list: write [{given!r}]")
    return tuple(_interface_address(address, name, zone) for address in given)


def _interface_address(
    value: InterfaceAddress | str, name: str, zone: str | None
) -> InterfaceAddress:
    if type(value) is IPv4Interface:  # the commonest, and ip_interface() would parse its text
        return value
    if not isinstance(value, str | IPv4Interface | IPv6Interface):
        raise TypeError(f"{value!r} is no interface's address: write '192.168.0.102/24'")
    if isinstance(value, str) and "/" not in value:
        raise ValueError(
            f"{value!r} has no prefix length: write '192.168.0.102/24', or /32 or /128 for an "
            "address alone"
        )
    try:
        address = value if type(value) is IPv6Interface else ip_interface(value)
    except ValueError:
        raise ValueError(f"{value!r} is no interface's address: write '192.168.0.102/24'") from None
    if isinstance(address, IPv4Interface):
        return address
    if address.scope_id in (None, name) and zone and address.is_link_local:
        return IPv6Interface(f"{IPv6Address(int(address.ip))}%{zone}/{address.network.prefixlen}")
    parse_address(address)  # its zone
    return address
