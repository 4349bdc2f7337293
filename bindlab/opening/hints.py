"""Why the system refused, in words that only this machine can give: read after an error."""

import errno
import sys
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address
from socket import if_nameindex
from typing import TYPE_CHECKING

from bindlab.endpoint import Endpoint, IPAddress, address_text, parse_address, unmap
from bindlab.errors import (
    AddressInUseError,
    AddressNotAvailableError,
    BindError,
    BindPermissionError,
    DeviceNotFoundError,
    InvalidBindingError,
)
from bindlab.interface import AddressState, Interface
from bindlab.printable import printable
from bindlab.sockaddr import zone_of

if TYPE_CHECKING:
    from bindlab.binding import Binding
    from bindlab.linux import ListedSocket

_AIRPLAY = (5000, 7000)
_SHOWN = 8
_LONGEST = 1000
_UNREADY = AddressState.TENTATIVE | AddressState.DAD_FAILED
_PLATFORM: str = sys.platform  # whose documentation applies


def has_connections(endpoint: Endpoint) -> bool:
    """Whether connections, such as an earlier server's, have the TCP port of *endpoint*.

    Those at another address do not count, nor does a socket that is bound and not connected.
    Where the system does not tell, nothing is known of any: ``False``.
    """
    try:
        from bindlab.linux import sockets_on

        listed = sockets_on(endpoint.port, "tcp", connections=True) or ()
    except (OSError, ImportError):  # no descriptor is left to import or to ask with
        return False
    return any(one.binding.peer and _may_meet(one.binding, endpoint) for one in listed)


def add_hint(error: BindError, device: str | None = None) -> None:
    """Replace the hint of *error* by what this machine says of it; raises nothing.

    Anybody may read what is read for it, mostly /proc on Linux. Where that says nothing, the
    hint stays: it is that of the table in :mod:`bindlab.errors`.
    """
    if error.endpoint is None:
        return
    try:
        hint = _hint(error, error.endpoint, device)
        # Names of processes and interfaces are in it, which others choose.
        error.hint = printable(hint, _LONGEST) or error.hint
    except Exception:  # a hint is never worth losing the error for
        return


def _hint(error: BindError, endpoint: Endpoint, device: str | None) -> str:
    if isinstance(error, AddressInUseError):
        return _who_has(endpoint)
    if isinstance(error, BindPermissionError) and error.stage == "bind":
        return _which_privilege(endpoint)
    if isinstance(error, AddressNotAvailableError):
        return _why_not_available(endpoint, device)
    if isinstance(error, InvalidBindingError) and error.stage == "bind":
        return _what_is_invalid(endpoint)
    if isinstance(error, DeviceNotFoundError):
        is_device = error.stage == "setsockopt"
        wanted = device if is_device else _zone(endpoint)
        listed = [name if is_device else zone_of(name, index) for index, name in if_nameindex()]
        return f"no interface is called {wanted!r}: this host has {', '.join(listed) or 'none'}"
    if error.errno == errno.EMFILE:
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return f"this process may have {limit} descriptors: close some, or raise RLIMIT_NOFILE"
    return ""


def _who_has(endpoint: Endpoint) -> str:
    if endpoint.port == 0:
        from bindlab.opening.port_range import ephemeral_ports

        ports = ephemeral_ports()
        return (
            f"every port of the system's range {ports[0]}-{ports[-1]} is taken there: "
            "close some, bind another address, or widen net.ipv4.ip_local_port_range"
        )
    if _PLATFORM == "darwin" and endpoint.port in _AIRPLAY:
        return "on macOS, AirPlay Receiver has this port: switch it off, or take another port"
    if _is_reserved_here(endpoint):
        return "this process holds it: a Reservation made by allocate()"
    return _who_uses(endpoint)


def _who_uses(endpoint: Endpoint) -> str:
    """Return who has the port of *endpoint*, in words; "" where the system does not tell."""
    from bindlab.linux import owners, sockets_on

    listed = sockets_on(endpoint.port, endpoint.transport, connections=True)
    if listed is None:
        return ""
    users = [one for one in listed if _may_meet(one.binding, endpoint)]
    if not users:
        return (
            "no visible socket listens there: one is bound without listening, "
            "or a wildcard address of the other family covers it"
        )
    first = min(users, key=lambda one: _rank(one, endpoint))
    if first.binding.peer is not None and not first.inode:
        return (
            "connections that no process has any more keep it (as in TIME_WAIT, for a minute at "
            "most): those of an earlier server that did not set SO_REUSEADDR, as listen() does, "
            "or outgoing ones"
        )
    (who,) = owners([first])
    has = first.binding.endpoint
    if first.binding.peer is not None:
        return f"{who} has a connection that uses this port at its own end"
    if endpoint.transport == "udp":
        return f"{who} has {has}"
    return (
        f"{who} listens on {has}" if first.is_open else f"{who} has bound {has} without listening"
    )


def _is_reserved_here(endpoint: Endpoint) -> bool:
    """Return whether a Reservation of this process holds the port, on an address in the way."""
    from bindlab.inspect_socket import binding_of
    from bindlab.opening.reservation import sockets_reserved

    return any(
        one.endpoint.transport == endpoint.transport and _may_meet(one, endpoint)
        for one in map(binding_of, sockets_reserved(endpoint.port))
    )


def _which_privilege(endpoint: Endpoint) -> str:
    if _PLATFORM == "win32":
        return (
            "another program has it exclusively, or it is in a reserved range: see "
            "netsh interface ipv4 show excludedportrange protocol=tcp"
        )
    from bindlab.opening.port_range import privileged_below

    first = privileged_below()
    if not 0 < endpoint.port < first:
        return "a security policy of this system forbids it"
    try_instead = 8000 + endpoint.port
    if not first <= try_instead <= 65535:
        try_instead = first
    return f"ports below {first} need privileges; try {try_instead}"


def _why_not_available(endpoint: Endpoint, device: str | None) -> str:
    ip = unmap(endpoint.ip)
    if _PLATFORM == "darwin" and isinstance(ip, IPv4Address) and ip.is_loopback:
        return f"macOS has 127.0.0.1 only, until: sudo ifconfig lo0 alias {ip}"
    if isinstance(ip, IPv6Address) and (setting := _ipv6_switch(ip)):
        return f"IPv6 is switched off here ({setting}): bind 127.0.0.1"
    from bindlab.snapshot import interfaces

    listed = interfaces()
    every = _addresses(listed)
    vrfs = {interface.name for interface in listed if interface.kind == "vrf"}
    for interface, own in every:
        vrf = vrfs & {interface.name, interface.master}
        if _is_same(own, ip) and (reason := _why_not_there(ip, device, interface, own, *vrf)):
            return reason
    if ip.version == 6 and all(own.version == 4 for _, own in every):
        return "this host has no IPv6 address at all: IPv6 is off, or its interfaces are down"
    usable = [own for interface, own in every if not _state(interface, own) & _UNREADY]
    mine = [*dict.fromkeys(address_text(own) for own in usable if own.version == ip.version)]
    if not mine:
        return ""
    more = f" and {len(mine) - _SHOWN} more" if len(mine) > _SHOWN else ""
    return f"this host does not have it; it has {', '.join(mine[:_SHOWN])}{more}"


def _why_not_there(
    ip: IPAddress, device: str | None, interface: Interface, own: IPAddress, vrf: str = ""
) -> str:
    """Return why *ip* cannot be bound though *interface* has it, as *own*."""
    name, bare = interface.name, address_text(own).partition("%")[0]
    if vrf:
        devices = " or ".join(f"device={each!r}" for each in (name, vrf))
        return f"it is an address of {name}, in the VRF {vrf}: give {devices} too"
    if _state(interface, own) & AddressState.DAD_FAILED:
        return f"another machine on {name}'s link has {bare} too (it failed its check)"
    if _state(interface, own) & AddressState.TENTATIVE:
        return f"{name} still checks that nobody else has it: try again in two seconds"
    if isinstance(ip, IPv6Address) and ip.scope_id and not interface.has_zone(ip.scope_id):
        return f"{bare} belongs to {name}: write {own}"
    return f"{bare} belongs to {name}, not to {device}" if device and device != name else ""


def _ipv6_switch(ip: IPv6Address) -> str:
    """Return Linux's setting that has switched IPv6 off, if one has."""
    from bindlab.linux import sysctl_flag

    places = ("all", "lo") if ip.is_loopback else ("all",)
    off = (place for place in places if sysctl_flag(f"ipv6/conf/{place}/disable_ipv6"))
    return next((f"net.ipv6.conf.{place}.disable_ipv6" for place in off), "")


def _what_is_invalid(endpoint: Endpoint) -> str:
    ip = endpoint.ip
    if not isinstance(ip, IPv6Address):
        return ""
    if ip.is_multicast:
        return "a TCP socket cannot be bound to a multicast address"
    if not ip.is_link_local:
        return ""
    bare = IPv6Address(int(ip))
    from bindlab.snapshot import interfaces

    owners = [str(own) for _, own in _addresses(interfaces()) if _is_same(own, ip)]
    every = [f"{bare}%{zone_of(name, index)}" for index, name in if_nameindex()]
    written = " or ".join((owners or every)[:_SHOWN])
    return f"a link-local address needs the zone that it is in: write {written}"


def _zone(endpoint: Endpoint) -> str:
    return endpoint.ip.scope_id or "" if isinstance(endpoint.ip, IPv6Address) else ""


def _addresses(interfaces: Iterable[Interface]) -> list[tuple[Interface, IPAddress]]:
    """Return the addresses of *interfaces*, each with its own, those of loopback last."""
    own = [(each, parse_address(address)) for each in interfaces for address in each.addresses]
    return sorted(own, key=lambda pair: pair[1].is_loopback)


def _is_same(own: IPAddress, ip: IPAddress) -> bool:
    """Return whether both are one address, zones aside."""
    return own.version == ip.version and int(own) == int(ip)


def _state(interface: Interface, own: IPAddress) -> AddressState:
    return interface.state(own) or AddressState.PREFERRED


def _rank(one: "ListedSocket", endpoint: Endpoint) -> tuple[bool, ...]:
    """Return what sorts the likeliest cause first: an open socket, and one of the same family."""
    has, asks = unmap(one.binding.endpoint.ip), unmap(endpoint.ip)
    return (
        one.binding.peer is not None,
        not one.is_open,
        not one.inode,
        has.version != asks.version,
    )


def _may_meet(binding: "Binding", endpoint: Endpoint) -> bool:
    """Whether a socket that is bound as *endpoint* may meet *binding*, whatever their devices."""
    has, asks = unmap(binding.endpoint.ip), unmap(endpoint.ip)
    if has.version == asks.version:
        return has.is_unspecified or asks.is_unspecified or int(has) == int(asks)
    if has.version == 6:
        return has.is_unspecified and binding.v6only is not True
    return asks.is_unspecified
