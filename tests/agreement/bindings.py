"""Which sockets are tried on a host: everything that a person could bind there, by its table."""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address

from bindlab.endpoint import IPAddress, address_text, parse_address
from bindlab.host import Host

from .server import Spec

__all__ = ["addresses_of", "specs_for"]

_TRANSPORTS = ("tcp", "udp")


def addresses_of(host: Host) -> tuple[IPAddress, ...]:
    """Return every address in the host's table, with its zone where it is link-local."""
    return tuple(
        parse_address(address) for interface in host.interfaces for address in interface.addresses
    )


def specs_for(host: Host, also: Sequence[str] = ()) -> tuple[Spec, ...]:
    """Return the sockets to open, each as TCP and as UDP; some cannot be, and say so.

    *also* are more addresses than those in the host's table.
    """
    more = ((address, None, None) for address in also)
    found = dict.fromkeys(
        Spec(address, transport, v6only, device)
        for address, v6only, device in (*_bound(host), *more)
        for transport in _TRANSPORTS
    )
    return tuple(found)


def _bound(host: Host) -> Iterator[tuple[str, bool | None, str | None]]:
    own = addresses_of(host)
    devices = [interface.name for interface in host.interfaces]
    for ip in own:
        yield str(ip), None, None
        if isinstance(ip, IPv4Address):
            yield f"::ffff:{ip}", False, None
    yield "127.0.0.2", None, None
    yield from _wildcards(None)
    yield "::ffff:0.0.0.0", False, None
    for device in devices:
        yield from _wildcards(device)
        yield "127.0.0.1", None, device
        yield "::1", None, device
        for ip in own:
            if not ip.is_loopback and not (isinstance(ip, IPv6Address) and ip.is_link_local):
                yield address_text(ip), None, device
    for interface in host.interfaces:
        for address in interface.addresses:
            if address.version == 6 and address.ip.is_link_local:
                yield str(parse_address(address)), None, interface.name


def _wildcards(device: str | None) -> Iterator[tuple[str, bool | None, str | None]]:
    yield "0.0.0.0", None, device
    yield "::", False, device
    yield "::", True, device
