"""What no network, setting or command can be: refused before anything is made."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Interface, IPv6Network
from typing import IO, TypeGuard

from bindlab.endpoint import IPAddress
from bindlab.interface import InterfaceAddress
from bindlab.route import IPNetwork

__all__ = [
    "check_addresses",
    "check_router",
    "checked_command",
    "checked_environment",
    "checked_number",
    "checked_path",
    "checked_stream",
    "checked_switch",
    "checked_text",
    "encodable",
    "interface_name",
    "net_sysctl",
    "networks_of",
    "sysctl_value",
]


# Directories of /proc/sys/net/ipv4/conf that are no interfaces.
_NO_INTERFACES = {".", "..", "all", "default"}
# What lo has of itself, once it is up.
_GIVEN = {"127.0.0.1/8", "::1/128"}


def interface_name(name: str) -> str:
    """Return *name* if Linux takes it for an interface (dev_valid_name in the kernel).

    It fills in a ``%`` by itself, and its settings for all interfaces are called ``all`` and
    ``default``: they are refused too.
    """
    if not isinstance(name, str):
        raise TypeError(f"an interface's name is text such as 'wifi', not {name!r}")
    size = len(name.encode(errors="replace"))
    odd = any(c in "/:%" or c.isspace() or not c.isprintable() for c in name)
    if not 0 < size < 16 or odd or name in _NO_INTERFACES:
        raise ValueError(
            f"{name!r} is no interface name: write 1 to 15 characters without '/', ':', '%' and "
            "spaces, and neither 'all' nor 'default'"
        )
    return name


def checked_switch(name: str, value: object) -> bool:
    """Return *value* if it is a bool."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} is True or False, not {value!r}")
    return value


def checked_number(name: str, value: object, highest: int) -> int:
    """Return *value* if it is an int from 0 to *highest*."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} is a number from 0 to {highest}, not {value!r}")
    if not 0 <= value <= highest:
        raise ValueError(f"{name} is a number from 0 to {highest}, not {value}")
    return value


def checked_text(what: str, value: object) -> str:
    """Return *value* if it is text that the system can take."""
    if not isinstance(value, str):
        raise TypeError(f"{what} is text, not {value!r}: write {str(value)!r}")
    if "\0" in value:
        raise ValueError(f"{what} cannot hold a NUL character: {value!r}")
    return value


def encodable(what: str, value: object) -> str:
    """Return *value* if it is text that a file can hold."""
    text = checked_text(what, value)
    if any(0xD800 <= ord(character) < 0xE000 for character in text):
        raise ValueError(f"{what} cannot hold a lone surrogate: {value!r}")
    return text


def net_sysctl(key: object) -> str:
    """Return the path below /proc/sys of a setting such as ``net.ipv4.tcp_ecn``."""
    if not isinstance(key, str):
        raise TypeError(f"a setting is named by text such as net.ipv4.tcp_ecn, not {key!r}")
    path = key.replace(".", "/") if "/" not in key else key
    if not path.startswith("net/") or ".." in path or not path.isprintable():
        raise ValueError(f"{key!r} is no setting of a network: write one such as net.ipv4.tcp_ecn")
    return path


def sysctl_value(key: str, value: object) -> str:
    """Return *value* as it is written to setting *key*."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError(f"{key} is a number or text, not {value!r}")
    return encodable(key, str(value))


def checked_path(what: str, value: object) -> str:
    """Return *value* as text if it is text or a path."""
    path: object = os.fspath(value) if _is_path(value) else value
    return checked_text(what, path)


def _is_path(value: object) -> TypeGuard["os.PathLike[str]"]:
    return isinstance(value, os.PathLike)


def checked_command(command: Sequence[object]) -> list[str]:
    """Return *command* if it can be one: texts, or paths, and the first is the program."""
    if isinstance(command, str | bytes) or not isinstance(command, Sequence) or not command:
        raise TypeError(f"a command is a list such as ['ping', '10.0.0.1'], not {command!r}")
    return [checked_path("an argument of a command", word) for word in command]


def checked_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return *environment* if it is variables and their values, all of them texts."""
    for name, value in environment.items():
        checked_text(f"the environment variable {name}", value)
        if not checked_text("the name of an environment variable", name) or "=" in name:
            raise ValueError(f"{name!r} cannot be the name of an environment variable")
    return dict(environment)


def checked_stream(name: str, stream: IO[bytes] | IO[str] | int | None) -> int | None:
    """Return the descriptor of *stream*, which is open."""
    if stream is None:
        return None
    number = stream if isinstance(stream, int) else stream.fileno()
    if isinstance(stream, bool) or number < 0:
        raise ValueError(
            f"{name} is an open file or its descriptor, not {stream!r}: leave it out, or open one"
        )
    return number


def check_addresses(
    name: str, addresses: Iterable[InterfaceAddress], *, up: bool, ipv6: bool
) -> None:
    """Raise ``ValueError`` for addresses that interface *name* cannot have."""
    # IPv4 tells apart what differs in its prefix length, IPv6 does not.
    seen: set[InterfaceAddress | IPAddress] = set()
    for address in addresses:
        if address.version == 6 and not ipv6:
            raise ValueError(f"{name} cannot have {address}: disable_ipv6 is set")
        if why := _unfit(address, on_loopback=name == "lo"):
            raise ValueError(f"{name} cannot have {address}: {why}")
        if name == "lo" and up and str(address) in _GIVEN:
            raise ValueError(f"lo has {address} of itself: leave it out")
        same = address if address.version == 4 else address.ip
        if same in seen:
            raise ValueError(f"{name} has {address.ip} twice")
        seen.add(same)


def _unfit(address: InterfaceAddress, *, on_loopback: bool) -> str:
    ip, network = address.ip, address.network
    if isinstance(address, IPv6Interface) and address.scope_id is not None:
        return "its zone is the interface itself, so leave out what follows the %"
    if ip.is_unspecified:
        return "it is the unspecified address"
    if ip.is_multicast:
        return "it is a multicast group"
    if str(ip) == "255.255.255.255":
        return "it is the broadcast address"
    if on_loopback:
        return ""
    if ip.is_loopback:
        return "it is a loopback address, which belongs on lo"
    if network.version == 4 and network.prefixlen < 31 and ip == network.broadcast_address:
        return f"it is the broadcast address of {network}"
    return ""


def networks_of(address: InterfaceAddress, peers: Iterable[IPAddress]) -> Iterator[IPNetwork]:
    """Yield the networks that an interface with *address* has for neighbours."""
    ends = [peer for peer in peers if peer.version == address.version]
    made = IPv4Network if address.version == 4 else IPv6Network
    for end in ends or [address.ip]:
        yield made((int(end), address.network.prefixlen), strict=False)


def check_router(
    router: IPAddress, own: Collection[IPAddress], linked: Iterable[IPNetwork]
) -> None:
    """Raise ``ValueError`` unless *router* is another machine on one of the networks."""
    if router in own:
        raise ValueError(f"the router {router} is this machine itself")
    if not any(router.version == network.version and router in network for network in linked):
        raise ValueError(f"the router {router} is on no network of an interface that is up")
