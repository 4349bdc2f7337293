"""The way that this system takes to one address now, asked by a UDP socket, which sends nothing."""

import errno
import socket
from collections.abc import Collection, Mapping
from ipaddress import ip_network
from typing import Final

from bindlab.endpoint import Endpoint, IPAddress, parse_address
from bindlab.interface import Interface
from bindlab.route import Refusal, Route
from bindlab.sockaddr import family_of, from_sockaddr, to_sockaddr

_PORT: Final = 9  # discard (RFC 863); nothing is sent there
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


def route_to(ip: IPAddress, own: Collection[Interface]) -> Route:
    """Return the way to *ip* as the system takes it now, from this machine's interfaces *own*.

    It is a route to that one address. Its ``source`` is the address that this machine would
    send from, its ``interface`` the one that has this address (``None`` where several have it,
    or loopback has). Where nothing leads to *ip* it is a refusal: ``"unreachable"`` (also where
    there is no route at all, or no address to send from), ``"blackhole"`` or ``"prohibit"``.
    That is said only if it is so from every address of this machine, because rules may tell
    sources apart (``ip rule from``).

    ``host.replace(routes=[route_to(ip, host.interfaces)])`` is a host that knows this way and no
    other: ask it about *ip* alone, and not about sockets that are bound to a device, whose way
    is another one.

    *ip* is an address that somebody else may send from, and not a link-local one. What else a
    system may refuse, such as descriptors, is an ``OSError``. See connect(2), udp(7).
    """
    network = ip_network(ip.packed)
    addresses = [parse_address(address) for each in own for address in each.addresses]
    ordinary = [a for a in addresses if not (a.is_loopback or a.is_link_local)]
    refusals: list[Refusal] = []
    for sends_from in (None, *(each for each in ordinary if each.version == ip.version)):
        try:
            source = _source(ip, sends_from)
        except OSError as error:
            if (refusal := _REFUSALS.get(error.errno or 0)) is None:
                raise
            refusals.append(refusal)
        else:
            owners = [each for each in own if source in map(parse_address, each.addresses)]
            known = len(owners) == 1 and not owners[0].holds_loopback
            return Route(network, owners[0].name if known else None, source=source)
    return Route(network, refusal=refusals[0])


def _source(to: IPAddress, sends_from: IPAddress | None = None) -> IPAddress:
    """Return what the system sends from to *to*; its refusal is an ``OSError``."""
    with socket.socket(family_of(to), socket.SOCK_DGRAM) as asking:
        # Without it Linux refuses broadcast addresses by the same errno as a prohibiting route.
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        if sends_from is not None:
            asking.bind(to_sockaddr(Endpoint(sends_from, 0, "udp")))
        asking.connect(to_sockaddr(Endpoint(to, _PORT, "udp")))
        return from_sockaddr(asking.getsockname(), "udp").ip
