"""Listing the interfaces of this machine, in a network where it has as many addresses as said."""

import subprocess
from collections.abc import Iterator

import ifaddr

from bindlab import interfaces, this_host

from .figures import Line, amount
from .network import apart
from .peers import present
from .scale import Scale
from .timing import compare, repeated

__all__ = ["lines"]

GOAL = "interfaces() ≤ 1.3, this_host() ≤ 2 (from 10 on)"


def lines(scale: Scale) -> Iterator[Line]:
    """Return a line for each number of addresses, half of them IPv4, half IPv6."""
    for count in scale.addresses:
        yield apart(_line, count, scale.rounds)


def _line(count: int, rounds: int) -> Line:
    add_addresses(count)
    asked = {
        "ifaddr": ifaddr.get_adapters,
        "interfaces()": interfaces,
        "this_host()": this_host,
    }
    if present("psutil"):
        import psutil

        asked["psutil"] = psutil.net_if_addrs
    samplers = {name: repeated(ask) for name, ask in asked.items()}
    compared = compare(samplers, rounds if count <= 100 else max(2, rounds // 4))
    return Line(
        f"list {count:,} address{'es' if count > 1 else ''}",
        f"`ifaddr.get_adapters()`: {amount(compared.seconds)}",
        compared.of("interfaces()", "this_host()"),
        GOAL,
        compared.of("psutil"),
    )


def add_addresses(count: int) -> None:
    """Make this network have *count* addresses, those of loopback counted."""
    if count == 1:
        commands = ["addr del ::1/128 dev lo"]
    else:
        commands = [
            "link add near type veth peer name far",
            "link set near addrgenmode none",
            "link set far addrgenmode none",
            "link set near up",
            "link set far up",
        ]
        more = range(count - 2)
        commands += [
            f"addr add fd00::{each:x}/64 dev near nodad"
            if each % 2
            else f"addr add 10.{each >> 8}.{each & 255}.1/24 dev near"
            for each in more
        ]
    subprocess.run(
        ["ip", "-batch", "-"], input="\n".join(commands), text=True, check=True, timeout=120
    )
