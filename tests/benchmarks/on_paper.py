"""Hosts with many networks, and origins that ask about them; none of them exist."""

import random
from ipaddress import IPv4Address

from bindlab import Host, Interface

__all__ = ["host_with", "neighbours"]

PER_INTERFACE = 50


def host_with(networks: int) -> Host:
    """Return a host that is on so many networks, and has an address on each."""
    addresses = [f"10.{number >> 8}.{number & 255}.1/24" for number in range(networks)]
    chunks = range(0, networks, PER_INTERFACE)
    links = [
        Interface(f"eth{number}", number + 2, None, addresses[start : start + PER_INTERFACE])
        for number, start in enumerate(chunks)
    ]
    return Host([Interface("lo", 1, None, ["127.0.0.1/8"], is_loopback=True), *links])


def neighbours(networks: int, count: int, seed: int = 1) -> list[IPv4Address]:
    """Return *count* origins: most of them on the networks of that host, some beyond."""
    dice = random.Random(seed)
    found: list[IPv4Address] = []
    for _ in range(count):
        number = dice.randrange(networks + networks // 8 + 1)
        found.append(IPv4Address(0x0A000000 + (number << 8) + dice.randrange(2, 255)))
    return found
