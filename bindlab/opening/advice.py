"""Calls that cannot mean what they say, and what to write instead."""

import sys
from ipaddress import IPv4Address, IPv6Address

from bindlab.endpoint import Endpoint, parse_address, unmap
from bindlab.opening.one_socket import Request


def advised(
    error: TypeError | ValueError, call: str, port: object, address: object
) -> TypeError | ValueError:
    """Return *error*, or a better one where *call* was given what does not fit together."""
    if isinstance(address, str) and address.lower() == "localhost":
        both = {"listen": "listen()", "bind": "take()"}[call]
        return ValueError(
            f'"localhost" is 127.0.0.1, ::1 or both, and {call}() opens one socket: write '
            f'{call}({port}, "127.0.0.1"), or allocate("localhost", port={port}).{both} for both'
        )
    if not isinstance(port, str | IPv4Address | IPv6Address):
        return error
    place = "127.0.0.1" if str(port).lower() == "localhost" else port
    is_number = isinstance(address, int) or str(address).isdecimal()
    for read in (parse_address, Endpoint.parse):
        try:
            found = read(str(place))
        except ValueError:
            continue
        if isinstance(found, Endpoint):
            meant = f'write {call}({found.port}, "{found.ip}")'
            return TypeError(f"port and address are two arguments: {meant}")
        if is_number:
            meant = f'write {call}({address}, "{place}")'
            return TypeError(f"port and address are swapped: {meant}")
        return TypeError(f'the port comes first: write {call}(8000, "{place}"), or 0 for any port')
    return error


def check_device(asked: Request) -> None:
    """Refuse an IPv4 loopback address on a device that no packet for it comes by (Linux).

    Packets for 127.0.0.0/8 come by loopback, by a VRF device that has such an address, or by an
    interface with ``route_localnet``. Of a device that does not exist bind() has to say it.
    """
    device, ip = asked.device, unmap(asked.ip)
    if device in (None, "lo") or ip.version != 4 or not ip.is_loopback:
        return
    if sys.platform != "linux" or _takes_loopback(device):
        return
    raise ValueError(
        f"nobody could connect to {ip} by {device}, because packets for {ip} come by loopback "
        f'alone: leave device={device!r} out, or write "0.0.0.0" as the address for all that '
        f"comes by {device}"
    )


def _takes_loopback(device: str) -> bool:
    """Return whether packets for 127.0.0.0/8 may come by *device*, as far as can be known."""
    import socket

    from bindlab.linux import Netlink, addresses, sysctl_flag

    try:
        index = socket.if_nametoindex(device)
        with Netlink() as netlink:
            here = [each.ip for each in addresses(netlink, 4) if each.ifindex == index]
    except OSError:
        return True
    settings = (f"ipv4/conf/{where}/route_localnet" for where in ("all", device))
    return any(ip.is_loopback for ip in here) or any(map(sysctl_flag, settings))
