"""The way that this system takes to one address now, asked by a UDP socket, which sends nothing."""

import errno
import socket
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv6Address, ip_network
from typing import Final

from bindlab.endpoint import Endpoint, IPAddress, parse_address, unmap
from bindlab.interface import Interface
from bindlab.route import Refusal, Route
from bindlab.snapshot.machine import interfaces
from bindlab.sockaddr import family_of, from_sockaddr, to_sockaddr
from bindlab.special_addresses import Kind, kind_of_address

_PORT: Final = 9  # discard (RFC 863); nothing is sent there
_NO_ORIGINS: Final = (Kind.UNSPECIFIED, Kind.MULTICAST, Kind.BROADCAST)
# ip-route(8) names the first three of Linux; the others mean that nothing leads there.
_REFUSALS: Final[Mapping[int, Refusal]] = {
    errno.EHOSTUNREACH: "unreachable",
    errno.EINVAL: "blackhole",
    errno.EACCES: "prohibit",
    errno.ENETUNREACH: "unreachable",
    errno.EADDRNOTAVAIL: "unreachable",
    errno.EAFNOSUPPORT: "unreachable",
    errno.ENETDOWN: "unreachable",
}


def route_to(origin: str | IPAddress) -> Route:
    """Return the way to *origin* as the system takes it now: a route to that one address.

    Its ``source`` is the address that this machine would send from, its ``interface`` the one
    that has this address (``None`` where several have it, or loopback has). For an address of
    this machine that is its loopback interface. Where nothing leads to *origin* it is a
    refusal: ``"unreachable"`` (also where there is no route at all, or no address to send
    from), ``"blackhole"`` or ``"prohibit"``. That is said only if it is so from every address
    of this machine, because rules may tell sources apart (``ip rule from``).

    ``host.replace(routes=[route_to(origin)])`` is a host that knows this way and no other: ask
    it about *origin* alone, and not about sockets that are bound to a device, whose way is
    another one.

    Of *origin*, a link-local address has its zone. Anything that nothing sends from
    (multicast, broadcast, unspecified) is a ``ValueError``; what else a system may refuse, such
    as descriptors, an ``OSError``. See connect(2), udp(7).
    """
    ip = unmap(parse_address(origin))
    if (kind := kind_of_address(ip)) in _NO_ORIGINS:
        raise ValueError(f"{ip} is {kind.value}, and nothing sends from such an address")
    if isinstance(ip, IPv6Address) and ip.is_link_local and ip.scope_id is None:
        raise ValueError(f"{ip} may be on any link: write its zone, as in {ip}%eth0")
    network = ip_network(ip.packed)
    own = interfaces()
    source: IPAddress | None = None
    refusal: Refusal = "unreachable"
    try:
        source = _source(ip)
    except OSError as error:
        refusal = _refusal(error)
        source = next(_sources_that_find(ip, own), None)
    if source is None:
        return Route(network, refusal=refusal)
    loopback = next((i.name for i in own if i.holds_loopback), None)
    if ip.is_loopback or _same(source, ip) or ip in _addresses(own, ip.version):
        return Route(network, loopback, source=source)
    owners = [i.name for i in own if any(_same(a.ip, source) for a in i.addresses)]
    if isinstance(ip, IPv6Address) and ip.scope_id is not None:
        owners = [i.name for i in own if i.has_zone(ip.scope_id)]
    known = len(owners) == 1 and owners[0] != loopback
    return Route(network, owners[0] if known else None, source=source)


def _source(to: IPAddress, sends_from: IPAddress | None = None) -> IPAddress:
    """Return what the system sends from to *to*; its refusal is an ``OSError``."""
    with socket.socket(family_of(to), socket.SOCK_DGRAM) as asking:
        # Without it Linux refuses broadcast addresses by the same errno as a prohibiting route.
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        if sends_from is not None:
            asking.bind(to_sockaddr(Endpoint(sends_from, 0, "udp")))
        asking.connect(to_sockaddr(Endpoint(to, _PORT, "udp")))
        return from_sockaddr(asking.getsockname(), "udp").ip


def _sources_that_find(to: IPAddress, own: Sequence[Interface]) -> Iterator[IPAddress]:
    for address in _addresses(own, to.version):
        if not address.is_loopback and address.is_link_local is to.is_link_local:
            try:
                yield _source(to, address)
            except OSError as error:
                _refusal(error)


def _refusal(error: OSError) -> Refusal:
    """Return what *error* says of the way; raise it if it says something else."""
    refusal = _REFUSALS.get(error.errno or 0)
    if refusal is None:
        raise error
    return refusal


def _addresses(own: Sequence[Interface], version: int) -> list[IPAddress]:
    listed = (parse_address(a) for i in own for a in i.addresses)
    return [ip for ip in listed if ip.version == version]


def _same(one: IPAddress, other: IPAddress) -> bool:
    return one.version == other.version and int(one) == int(other)
