"""One socket on an address and a port: ``bind()`` and ``listen()``."""

import os
import socket
import struct
import sys
from collections.abc import Callable
from functools import lru_cache, wraps
from ipaddress import IPv4Address, IPv6Address
from typing import ParamSpec, TypeVar

from bindlab.endpoint import (
    IPAddress,
    Transport,
    parse_address,
    parse_port,
    parse_transport,
    unmap,
)
from bindlab.errors import AddressNotAvailableError, BindError, FamilyNotSupportedError
from bindlab.opening.advice import advised, check_device
from bindlab.opening.hints import add_hint
from bindlab.opening.one_socket import Request, open_socket
from bindlab.sockaddr import KINDS, family_of

# The kernels cut a backlog down to their own limit (net.core.somaxconn, kern.ipc.soacceptqueue;
# Windows reads this very number as "a reasonable maximum"), so the largest asks for just that.
MAX_BACKLOG = 2**31 - 1
_BROADCAST = IPv4Address("255.255.255.255")  # RFC 919
_NAME_BYTES = 15  # IFNAMSIZ without its NUL; Linux would cut a longer name silently: netdevice(7)
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

# What other libraries call an argument, and its name here.
_NAMES_ELSEWHERE = {
    "host": "address",
    "hostname": "address",
    "ip": "address",
    "interface": "device",
    "dualstack_ipv6": "dual_stack",
    "reuse_port": "share_port",
}

_TCP_INFO = struct.Struct("=B23xII")  # tcpi_state, tcpi_unacked, tcpi_sacked: tcp(7), linux/tcp.h


def names_its_arguments(
    function: Callable[_Arguments, _Result],
) -> Callable[_Arguments, _Result]:
    """Let *function* say what it calls an argument that others call differently."""

    @wraps(function)
    def checked(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        for name in kwargs.keys() & _NAMES_ELSEWHERE.keys():
            raise TypeError(
                f"{function.__name__}() has no {name}=: write {_NAMES_ELSEWHERE[name]}="
            )
        return function(*args, **kwargs)

    return checked


@names_its_arguments
def bind(
    port: int = 0,
    address: IPAddress | str = "127.0.0.1",
    *,
    transport: Transport = "tcp",
    dual_stack: bool = False,
    device: str | None = None,
    share_port: bool = False,
) -> socket.socket:
    """Return a socket bound to *address* and *port*, which nobody else then gets.

    *port* 0 lets the system choose. *address* is an IP address, as text or as an
    :mod:`ipaddress` object; the zone of a link-local one is an interface's name or index.
    The socket is a plain ``socket.socket``: blocking, not inheritable (PEP 446), and its
    protocol number set.

    - *dual_stack*: with ``"::"``, serve IPv4 as well (RFC 3493 section 5.3). Where the system
      offers no IPv6 (``EAFNOSUPPORT``), the socket is one of ``AF_INET``, bound to ``0.0.0.0``.
      Where IPv6 is only switched off (Linux, ``disable_ipv6``), it is one of ``AF_INET6`` on
      ``::`` all the same, and serves IPv4; :func:`bindlab.reachable_from` shows what is left.
    - *device*: only packets that arrive by this interface (``SO_BINDTODEVICE``, socket(7),
      Linux).
    - *share_port*: other sockets of the same user may bind the same, and the system spreads
      connections or datagrams over them (``SO_REUSEPORT``; macOS and BSD do not spread).

    Without *share_port*, the port is held:

    - Linux (measured): any other bind of an overlapping address is refused whatever options it
      sets (root's ``TCP_REPAIR`` aside), port 0 never yields this port, and outgoing connections
      never take it. One exception: where connections of an earlier server linger on an exact TCP
      *port* (TIME_WAIT), Linux admits a new socket only with ``SO_REUSEADDR``, and beside any
      other that sets it and does not listen. Then the first to listen has the port, and the
      other one is refused.
    - macOS and BSD (from documentation): the identical address is refused. A socket that sets
      ``SO_REUSEADDR`` can bind a wildcard beside a specific address.
    - Windows (from documentation): the identical address is refused (``SO_EXCLUSIVEADDRUSE``).

    If the system refuses, that is a :class:`~bindlab.errors.BindError`. Anything else that is
    wrong is a ``ValueError`` or ``TypeError``, raised before any system call.

    To serve TCP, prefer :func:`listen`: the server can be restarted while its connections
    linger, because ``SO_REUSEADDR`` is set *after* ``listen()``. Where a network stack heeds only
    what is set before bind() (gVisor; it is tried once), a listener sets it there. Then another
    one that sets it can listen on a wildcard beside a specific address, as on BSD.
    """
    try:
        asked = request(address, transport, dual_stack, device, share_port)
        number = parse_port(port)
    except (TypeError, ValueError) as error:
        raise advised(error, "bind", port, address) from None
    return _open(asked, number, None)


@names_its_arguments
def listen(
    port: int = 0,
    address: IPAddress | str = "127.0.0.1",
    *,
    dual_stack: bool = False,
    device: str | None = None,
    share_port: bool = False,
    backlog: int | None = None,
) -> socket.socket:
    """Return a TCP socket that listens on *address* and *port*; see :func:`bind` for those.

    *backlog* is how many connections may wait to be accepted; ``None`` is as many as the
    system allows, and it silently cuts a higher number (listen(2)): :func:`backlog_of`
    tells. 0 is allowed, and means 1 on Linux.

    No other socket ever listens on the port while this one does, and a restart over connections
    that an earlier server left (TIME_WAIT, RFC 9293 section 3.6.1) works at once if that
    server set ``SO_REUSEADDR``, as one made by ``listen()`` does. A port that is lent
    (``allocate(lendable=True)``) can be taken.

    >>> with listen() as server:
    ...     server.getsockname()[0]
    '127.0.0.1'
    """
    try:
        asked = request(address, "tcp", dual_stack, device, share_port)
        number = parse_port(port)
    except (TypeError, ValueError) as error:
        raise advised(error, "listen", port, address) from None
    limit = MAX_BACKLOG if backlog is None else checked_backlog(backlog)
    return _open(asked, number, limit)


def backlog_of(sock: socket.socket) -> int | None:
    """Return how many connections may wait on a listening TCP *sock*, as the kernel has it.

    ``None`` where the system does not say: only Linux does (``TCP_INFO``, tcp(7)), and not every
    network stack that passes for Linux. A socket
    that does not listen, is closed, or is not TCP, is a ``ValueError``.
    """
    if not sys.platform.startswith("linux"):
        return None
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
    except OSError as error:
        raise ValueError("this is no open TCP socket: only a listener has a backlog") from error
    from bindlab.linux import TCP_LISTEN

    state, _, limit = _TCP_INFO.unpack(info)
    if state != TCP_LISTEN:
        raise ValueError("this socket does not listen: call its listen() first, or use listen()")
    return int(limit) if limit or _tells_backlogs() else None


def _tells_backlogs() -> bool:
    """Return whether a 0 is true: gVisor says so of each listener."""
    with listen(backlog=1) as known:
        info = known.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
    return bool(_TCP_INFO.unpack(info)[2])


def _open(asked: Request, port: int, backlog: int | None) -> socket.socket:
    if asked.device is not None:
        check_device(asked)
    try:
        return open_socket(asked, port, backlog)
    except BindError as error:
        if asked.dual_stack and isinstance(
            error, FamilyNotSupportedError | AddressNotAvailableError
        ):
            ipv4 = request("0.0.0.0", asked.transport, False, asked.device, asked.share_port)
            return _open(ipv4, port, backlog)
        add_hint(error, asked.device)
        raise


def request(
    address: object,
    transport: object = "tcp",
    dual_stack: object = False,
    device: object = None,
    share_port: object = False,
) -> Request:
    """Return the checked request; ``ValueError`` or ``TypeError`` say what to write instead."""
    try:
        return _remembered(address, transport, dual_stack, device, share_port)
    except TypeError:  # one of them cannot even be hashed
        return _checked(address, transport, dual_stack, device, share_port)


def checked_backlog(value: object) -> int:
    """Return *value* if ``listen()`` takes it: an int from 0 to 2**31 - 1."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"backlog is an int, or None for the system's maximum, not {value!r}")
    if not 0 <= value <= MAX_BACKLOG:
        raise ValueError(f"backlog {value} is out of range: write None for the system's maximum")
    return value


def true_or_false(name: str, value: object) -> bool:
    """Return *value* if it is a bool: 1 and "yes" may be mistakes for another argument."""
    if isinstance(value, bool):
        return value
    raise TypeError(f"{name} is True or False, not {value!r}")


def _checked(
    address: object, transport: object, dual_stack: object, device: object, share_port: object
) -> Request:
    ip = parse_address(address)
    kind = parse_transport(transport)
    if kind == "tcp" and (unmap(ip).is_multicast or unmap(ip) == _BROADCAST):
        what = "a multicast group" if unmap(ip).is_multicast else "the broadcast address"
        raise ValueError(
            f"nobody can connect to {ip}, {what}: TCP is served on an address of this host; for "
            'what is sent to all of a group, write bind(..., transport="udp")'
        )
    host, _, zone = str(ip).partition("%")
    if zone.isascii() and zone.isdigit() and int(zone) >= 2**32:
        raise ValueError(f"{ip}: {zone} is no zone: write an interface's name or its index")
    dual = true_or_false("dual_stack", dual_stack)
    if dual and ip != IPv6Address("::"):
        raise ValueError(
            f'dual_stack=True serves both families on every address, not on {ip}: write "::" '
            'as the address, or allocate("127.0.0.1", "::1") for loopback alone'
        )
    # Always set for IPv6, because the default differs between systems, and administrators can
    # change it. With it, an IPv4-mapped address is refused (ipv6(7)).
    v6only = not dual and unmap(ip) is ip if isinstance(ip, IPv6Address) else None
    return Request(
        ip=ip,
        transport=kind,
        family=family_of(ip),
        kind=KINDS[kind][0],
        protocol=KINDS[kind][1],
        host=host,
        zone=zone,
        v6only=v6only,
        dual_stack=dual,
        may_be_broadcast=kind == "tcp" and _may_be_broadcast(unmap(ip)),
        device=_checked_device(device),
        share_port=true_or_false("share_port", share_port),
    )


# The checks cost half of the system calls that follow, and callers ask for the same again.
_remembered = lru_cache(maxsize=256, typed=True)(_checked)


def _may_be_broadcast(ip: IPAddress) -> bool:
    """Return whether some network has *ip* as its broadcast address: its last two bits are set."""
    return ip.version == 4 and int(ip) & 3 == 3 and not ip.is_loopback


def _checked_device(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError(f'device is the name of an interface, such as "eth0", not {value!r}')
    if not 0 < len(os.fsencode(value)) <= _NAME_BYTES or "\0" in value or "/" in value:
        raise ValueError(f'{value!r} is no interface: write the name of one, such as "eth0"')
    return value
