"""The blocks answer the same on every Python version, awkward blocks included."""

from ipaddress import ip_address, ip_network

import pytest

from bindlab.endpoint import unmap
from bindlab.special_addresses import BLOCKS, Kind, block_of, kind_of_address


@pytest.mark.parametrize(
    ("address", "kind", "reachable"),
    [
        ("8.8.8.8", Kind.GLOBAL, True),
        ("0.0.0.0", Kind.UNSPECIFIED, False),
        ("0.1.2.3", Kind.RESERVED, False),
        ("10.255.255.255", Kind.PRIVATE, False),
        ("100.63.255.255", Kind.GLOBAL, True),
        ("100.64.0.0", Kind.SHARED, False),
        ("100.127.255.255", Kind.SHARED, False),
        ("100.128.0.0", Kind.GLOBAL, True),
        ("127.255.255.254", Kind.LOOPBACK, False),
        ("169.254.1.1", Kind.LINK_LOCAL, False),
        ("172.15.255.255", Kind.GLOBAL, True),
        ("172.31.0.1", Kind.PRIVATE, False),
        ("172.32.0.0", Kind.GLOBAL, True),
        ("192.0.0.0", Kind.PRIVATE, False),
        ("192.0.0.7", Kind.PRIVATE, False),
        ("192.0.0.8", Kind.RESERVED, False),
        ("192.0.0.9", Kind.GLOBAL, True),
        ("192.0.0.10", Kind.GLOBAL, True),
        ("192.0.0.11", Kind.RESERVED, False),
        ("192.0.0.170", Kind.RESERVED, False),
        ("192.0.2.1", Kind.DOCUMENTATION, False),
        ("192.88.99.1", Kind.RESERVED, None),
        ("198.19.0.1", Kind.PRIVATE, False),
        ("224.0.0.251", Kind.MULTICAST, False),
        ("232.1.1.1", Kind.MULTICAST, None),
        ("239.1.2.3", Kind.MULTICAST, False),
        ("240.0.0.1", Kind.RESERVED, False),
        ("255.255.255.255", Kind.BROADCAST, False),
        ("::", Kind.UNSPECIFIED, False),
        ("::1", Kind.LOOPBACK, False),
        ("::ffff:127.0.0.1", Kind.LOOPBACK, False),
        ("::ffff:8.8.8.8", Kind.GLOBAL, True),
        ("64:ff9b::808:808", Kind.TRANSLATED, True),
        ("64:ff9b:1::1", Kind.TRANSLATED, False),
        ("64:ff9b:2::1", Kind.GLOBAL, True),
        ("100::1", Kind.RESERVED, False),
        ("2001::1", Kind.TRANSLATED, None),
        ("2001:1::1", Kind.GLOBAL, True),
        ("2001:1::4", Kind.RESERVED, False),
        ("2001:20::1", Kind.GLOBAL, True),
        ("2001:db8::1", Kind.DOCUMENTATION, False),
        ("2002:808:808::1", Kind.TRANSLATED, None),
        ("2a00::1", Kind.GLOBAL, True),
        ("3fff::1", Kind.DOCUMENTATION, False),
        ("3fff:1000::1", Kind.GLOBAL, True),
        ("5f00::1", Kind.PRIVATE, False),
        ("fd00::1", Kind.PRIVATE, False),
        ("fe80::1%eth0", Kind.LINK_LOCAL, False),
        ("fec0::1", Kind.PRIVATE, False),
        ("ff02::1", Kind.MULTICAST, False),
        ("ff0e::1", Kind.MULTICAST, None),
    ],
)
def test_address(address: str, kind: Kind, reachable: bool | None) -> None:
    """Each address has the kind and the reachability of its most specific block."""
    ip = ip_address(address)
    assert kind_of_address(ip) is kind
    block = block_of(unmap(ip))
    assert (True if block is None else block.globally_reachable) is reachable


def test_mapped_addresses_have_a_row_of_their_own() -> None:
    """``::ffff:0:0/96`` is a block, seen when the address is not un-mapped."""
    block = block_of(ip_address("::ffff:8.8.8.8"))
    assert block is not None
    assert block.network == ip_network("::ffff:0:0/96")
    assert block.kind is Kind.MAPPED


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: str(block.network))
def test_block_edges(block: object) -> None:
    """The first and the last address of a block are in it, or in one inside it."""
    network = block.network  # type: ignore[attr-defined]
    for ip in (network[0], network[-1]):
        found = block_of(ip)
        assert found is not None
        assert found.network.subnet_of(network)


def test_one_row_a_block() -> None:
    """No block is listed twice, and every row names its source."""
    networks = [block.network for block in BLOCKS]
    assert len(set(networks)) == len(networks)
    assert all(block.source.startswith("RFC ") for block in BLOCKS)
