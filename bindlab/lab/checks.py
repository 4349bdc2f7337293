"""What no network, setting or command can be: refused before anything is made."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network, ip_interface
from typing import IO, TypeGuard

from bindlab.endpoint import IPAddress
from bindlab.interface import InterfaceAddress
from bindlab.route import IPNetwork, Route

# Directories of /proc/sys/net/ipv4/conf that are no interfaces.
_NO_INTERFACES = {".", "..", "all", "default"}
# What lo has of itself, once it is up.
_GIVEN = {"127.0.0.1/8", "::1/128"}
# Of the settings that are numbers, the highest.
_HIGHEST = {"rp_filter": 2, "arp_ignore": 8}


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


def interface_address(given: object) -> InterfaceAddress:
    """Return an address with its prefix length, an object or its text."""
    if isinstance(given, IPv4Interface | IPv6Interface):
        return given
    if not isinstance(given, str):
        raise TypeError(f"an interface's address is text such as '10.0.0.1/24', not {given!r}")
    if "/" not in given:
        raise ValueError(
            f"{given!r} has no prefix length: write '192.168.0.102/24', or /32 or /128 for "
            "an address alone"
        )
    return ip_interface(given)


def check_addresses(
    name: str, addresses: Iterable[InterfaceAddress], *, up: bool, ipv6: bool
) -> None:
    """Refuse addresses that interface *name* cannot have."""
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


def check_routes(
    routes: Iterable[Route], own: Iterable[IPAddress], linked: Iterable[IPNetwork]
) -> None:
    """Refuse a route to no neighbour, as the kernel would; *linked* are the networks of links."""
    own, linked = set(own), list(linked)
    for route in routes:
        router = route.gateway
        if router is None:
            if route.refusal is None and route.interface is None:
                raise ValueError(
                    f"the route to {route.network} leads nowhere: give interface=, gateway= or both"
                )
            linked += [route.network] if route.refusal is None else []
        elif router.version == 6 and router.is_link_local:
            if route.interface is None:
                write = f"routes=[Route('{route.network}', 'wifi', '{router}')]"
                raise ValueError(
                    f"{router} is on every link: write {write}, to say which by interface="
                )
        elif router in own:
            raise ValueError(f"the router {router} is this machine itself")
        elif not any(router.version == each.version and router in each for each in linked):
            raise ValueError(f"the router {router} is on no network of an interface that is up")


def check_settings(fields: Mapping[str, object], values: Mapping[str, object]) -> None:
    """Refuse what a field that is a ``bool`` or a number cannot be."""
    for name, kind in fields.items():
        value = values[name]
        if kind is bool and not isinstance(value, bool):
            raise TypeError(f"{name} is True or False, not {value!r}")
        if kind is int:
            text = f"{name} is a number from 0 to {_HIGHEST[name]}, not {value!r}"
            if not isinstance(value, int) or isinstance(value, bool):
                raise TypeError(text)
            if not 0 <= value <= _HIGHEST[name]:
                raise ValueError(text)


def sysctl_path(key: object) -> str:
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
    return file_text(key, str(value))


def file_text(what: str, value: object) -> str:
    """Return *value* if it is text that a file can hold."""
    text = _text(what, value)
    if any(0xD800 <= ord(character) < 0xE000 for character in text):
        raise ValueError(f"{what} cannot hold a lone surrogate: {value!r}")
    return text


def path_text(what: str, value: object) -> str:
    """Return *value* as text if it is text or a path."""
    path: object = os.fspath(value) if _is_path(value) else value
    return _text(what, path)


def checked_command(command: Sequence[object]) -> list[str]:
    """Return *command* if it can be one: texts, or paths, and the first is the program."""
    if isinstance(command, str | bytes) or not isinstance(command, Sequence) or not command:
        raise TypeError(f"a command is a list such as ['ping', '10.0.0.1'], not {command!r}")
    return [path_text("an argument of a command", word) for word in command]


def checked_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return *environment* if it is variables and their values, all of them texts."""
    for name, value in environment.items():
        _text(f"the environment variable {name}", value)
        if not _text("the name of an environment variable", name) or "=" in name:
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


def _text(what: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{what} is text, not {value!r}: write {str(value)!r}")
    if "\0" in value:
        raise ValueError(f"{what} cannot hold a NUL character: {value!r}")
    return value


def _is_path(value: object) -> TypeGuard["os.PathLike[str]"]:
    return isinstance(value, os.PathLike)
