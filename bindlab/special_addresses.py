"""The special-purpose blocks of addresses, as data: loopback, private, multicast and the others.

The rows are IANA's, from the registries of special-purpose addresses (RFC 6890, RFC 8190),
of multicast addresses and of IPv6 addresses, read in November 2026:

- https://www.iana.org/assignments/iana-ipv4-special-registry
- https://www.iana.org/assignments/iana-ipv6-special-registry
- https://www.iana.org/assignments/multicast-addresses
- https://www.iana.org/assignments/ipv6-address-space

The standard ``ipaddress`` module does not do: its ``is_global`` and ``is_private`` change
between Python versions, call multicast global, and say neither of 100.64.0.0/10.
"""

import enum
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from bindlab.endpoint import IPAddress, unmap
from bindlab.value import Given, Value


class Kind(enum.Enum):
    """What the addresses of a block are, as far as delivery is concerned."""

    UNSPECIFIED = "unspecified"
    LOOPBACK = "loopback"
    LINK_LOCAL = "link-local"
    PRIVATE = "private"
    SHARED = "shared"
    MULTICAST = "multicast"
    BROADCAST = "broadcast"
    DOCUMENTATION = "documentation"
    MAPPED = "IPv4-mapped"
    TRANSLATED = "translated"
    RESERVED = "reserved"
    GLOBAL = "global"


class Block(Value):
    """One row: a block, its name, its kind, and whether the internet routes to it.

    *globally_reachable* is IANA's column of that name; ``None`` where the registry says
    "N/A", because it depends (2002::/16 on the IPv4 address inside, for example).
    """

    network: Given[str, IPv4Network | IPv6Network]
    name: str
    kind: Kind
    globally_reachable: bool | None
    source: str

    def _check(self) -> None:
        self._set(network=ip_network(self.network))


_YES, _NO, _DEPENDS = True, False, None

# fmt: off
BLOCKS: Final = (
    Block("0.0.0.0/8", "this network", Kind.RESERVED, _NO, "RFC 791, 3.2"),
    Block("0.0.0.0/32", "unspecified address", Kind.UNSPECIFIED, _NO, "RFC 1122, 3.2.1.3"),
    Block("10.0.0.0/8", "private use", Kind.PRIVATE, _NO, "RFC 1918"),
    Block("100.64.0.0/10", "shared address space (carrier NAT)", Kind.SHARED, _NO, "RFC 6598"),
    Block("127.0.0.0/8", "loopback", Kind.LOOPBACK, _NO, "RFC 1122, 3.2.1.3"),
    Block("169.254.0.0/16", "link-local", Kind.LINK_LOCAL, _NO, "RFC 3927"),
    Block("172.16.0.0/12", "private use", Kind.PRIVATE, _NO, "RFC 1918"),
    Block("192.0.0.0/24", "IETF protocol assignments", Kind.RESERVED, _NO, "RFC 6890, 2.1"),
    Block("192.0.0.0/29", "IPv4 service continuity", Kind.PRIVATE, _NO, "RFC 7335"),
    Block("192.0.0.8/32", "IPv4 dummy address", Kind.RESERVED, _NO, "RFC 7600"),
    Block("192.0.0.9/32", "port control protocol anycast", Kind.GLOBAL, _YES, "RFC 7723"),
    Block("192.0.0.10/32", "TURN anycast", Kind.GLOBAL, _YES, "RFC 8155"),
    Block("192.0.0.170/31", "NAT64/DNS64 discovery", Kind.RESERVED, _NO, "RFC 7050, RFC 8880"),
    Block("192.0.2.0/24", "documentation (TEST-NET-1)", Kind.DOCUMENTATION, _NO, "RFC 5737"),
    Block("192.31.196.0/24", "AS112-v4", Kind.GLOBAL, _YES, "RFC 7535"),
    Block("192.52.193.0/24", "AMT", Kind.GLOBAL, _YES, "RFC 7450"),
    Block("192.88.99.0/24", "6to4 relay anycast (deprecated)", Kind.RESERVED, _DEPENDS, "RFC 7526"),
    Block("192.88.99.2/32", "6a44 relay anycast", Kind.RESERVED, _NO, "RFC 6751"),
    Block("192.168.0.0/16", "private use", Kind.PRIVATE, _NO, "RFC 1918"),
    Block("192.175.48.0/24", "AS112 direct delegation", Kind.GLOBAL, _YES, "RFC 7534"),
    Block("198.18.0.0/15", "benchmarking", Kind.PRIVATE, _NO, "RFC 2544"),
    Block("198.51.100.0/24", "documentation (TEST-NET-2)", Kind.DOCUMENTATION, _NO, "RFC 5737"),
    Block("203.0.113.0/24", "documentation (TEST-NET-3)", Kind.DOCUMENTATION, _NO, "RFC 5737"),
    Block("224.0.0.0/4", "multicast", Kind.MULTICAST, _DEPENDS, "RFC 5771"),
    Block("224.0.0.0/24", "multicast, local network", Kind.MULTICAST, _NO, "RFC 5771, 4"),
    Block("239.0.0.0/8", "multicast, administratively scoped", Kind.MULTICAST, _NO, "RFC 2365"),
    Block("240.0.0.0/4", "reserved", Kind.RESERVED, _NO, "RFC 1112, 4"),
    Block("255.255.255.255/32", "limited broadcast", Kind.BROADCAST, _NO, "RFC 919, RFC 8190"),

    Block("::/128", "unspecified address", Kind.UNSPECIFIED, _NO, "RFC 4291, 2.5.2"),
    Block("::1/128", "loopback", Kind.LOOPBACK, _NO, "RFC 4291, 2.5.3"),
    Block("::ffff:0:0/96", "IPv4-mapped", Kind.MAPPED, _NO, "RFC 4291, 2.5.5.2"),
    Block("64:ff9b::/96", "IPv4/IPv6 translation", Kind.TRANSLATED, _YES, "RFC 6052"),
    Block("64:ff9b:1::/48", "local IPv4/IPv6 translation", Kind.TRANSLATED, _NO, "RFC 8215"),
    Block("100::/64", "discard only", Kind.RESERVED, _NO, "RFC 6666"),
    Block("100:0:0:1::/64", "dummy prefix", Kind.RESERVED, _NO, "RFC 9780"),
    Block("2001::/23", "IETF protocol assignments", Kind.RESERVED, _NO, "RFC 2928"),
    Block("2001::/32", "Teredo", Kind.TRANSLATED, _DEPENDS, "RFC 4380, RFC 8190"),
    Block("2001:1::1/128", "port control protocol anycast", Kind.GLOBAL, _YES, "RFC 7723"),
    Block("2001:1::2/128", "TURN anycast", Kind.GLOBAL, _YES, "RFC 8155"),
    Block("2001:1::3/128", "DNS-SD registration anycast", Kind.GLOBAL, _YES, "RFC 9665"),
    Block("2001:2::/48", "benchmarking", Kind.PRIVATE, _NO, "RFC 5180"),
    Block("2001:3::/32", "AMT", Kind.GLOBAL, _YES, "RFC 7450"),
    Block("2001:4:112::/48", "AS112-v6", Kind.GLOBAL, _YES, "RFC 7535"),
    Block("2001:10::/28", "ORCHID (deprecated)", Kind.RESERVED, _DEPENDS, "RFC 4843"),
    Block("2001:20::/28", "ORCHIDv2", Kind.GLOBAL, _YES, "RFC 7343"),
    Block("2001:30::/28", "drone remote identification", Kind.GLOBAL, _YES, "RFC 9374"),
    Block("2001:db8::/32", "documentation", Kind.DOCUMENTATION, _NO, "RFC 3849"),
    Block("2002::/16", "6to4", Kind.TRANSLATED, _DEPENDS, "RFC 3056"),
    Block("2620:4f:8000::/48", "AS112 direct delegation", Kind.GLOBAL, _YES, "RFC 7534"),
    Block("3fff::/20", "documentation", Kind.DOCUMENTATION, _NO, "RFC 9637"),
    Block("5f00::/16", "segment routing identifiers", Kind.PRIVATE, _NO, "RFC 9602"),
    Block("fc00::/7", "unique local", Kind.PRIVATE, _NO, "RFC 4193"),
    Block("fe80::/10", "link-local", Kind.LINK_LOCAL, _NO, "RFC 4291, 2.5.6"),
    Block("fec0::/10", "site-local (deprecated)", Kind.PRIVATE, _NO, "RFC 3879"),
    Block("ff00::/8", "multicast", Kind.MULTICAST, _DEPENDS, "RFC 4291, 2.7"),
    Block("ff01::/16", "multicast, interface-local", Kind.MULTICAST, _NO, "RFC 4291, 2.7"),
    Block("ff02::/16", "multicast, link-local", Kind.MULTICAST, _NO, "RFC 4291, 2.7"),
    Block("ff05::/16", "multicast, site-local", Kind.MULTICAST, _NO, "RFC 4291, 2.7"),
)
# fmt: on


TAILNETS: Final = (ip_network("100.64.0.0/10"), ip_network("fd7a:115c:a1e0::/48"))
"""Where machines of a Tailscale network have their addresses, each a /32 or a /128.

https://tailscale.com/kb/1015/100.x-addresses, https://tailscale.com/kb/1033/ip-and-dns-addresses
"""


def block_of(ip: IPAddress) -> Block | None:
    """Return the most specific block that *ip* is in; ``None`` for an ordinary global one.

    Zones play no part. An IPv4-mapped address is in ``::ffff:0:0/96``: un-map first
    (:func:`bindlab.endpoint.unmap`) to ask about the IPv4 address.
    """
    return _most_specific(ip, 0)


def block_around(network: IPv4Network | IPv6Network) -> Block | None:
    """Return the most specific block that holds the whole of *network*, if one does."""
    return _most_specific(network.network_address, network.max_prefixlen - network.prefixlen)


def kind_of_address(ip: IPAddress) -> Kind:
    """Return the kind of *ip*, un-mapped; addresses in no block are global.

    >>> from ipaddress import ip_address
    >>> kind_of_address(ip_address("::ffff:127.0.0.1")), kind_of_address(ip_address("8.8.8.8"))
    (<Kind.LOOPBACK: 'loopback'>, <Kind.GLOBAL: 'global'>)
    """
    block = _most_specific(unmap(ip), 0)
    return Kind.GLOBAL if block is None else block.kind


def _most_specific(ip: IPAddress, free_bits: int) -> Block | None:
    """Return the smallest block around *ip* and all that differs in its last *free_bits*."""
    bits = int(ip)
    for host_bits, blocks in _by_host_bits(ip.version):
        if host_bits >= free_bits and (block := blocks.get(bits >> host_bits)) is not None:
            return block
    return None


@cache
def _by_host_bits(version: int) -> tuple[tuple[int, dict[int, Block]], ...]:
    """Return the blocks of one size together, by the bits that precede; small ones first."""
    sizes: dict[int, dict[int, Block]] = {}
    for block in BLOCKS:
        network = block.network
        if network.version == version:
            host_bits = network.max_prefixlen - network.prefixlen
            sizes.setdefault(host_bits, {})[int(network.network_address) >> host_bits] = block
    return tuple(sorted(sizes.items()))
