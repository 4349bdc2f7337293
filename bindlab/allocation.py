"""One port number on several addresses and transports, or nothing: ``allocate()``.

Knows which numbers to try, and in what order. How one socket takes its port is
one_socket.py's, what can be done with them afterwards is reservation.py's.
"""

import errno
import os
import socket
from collections.abc import Iterable, Sequence
from contextlib import ExitStack

from bindlab.endpoint import IPAddress, Transport, address_text, parse_transport, unmap
from bindlab.errors import (
    AddressInUseError,
    AddressNotAvailableError,
    BindError,
    BindPermissionError,
    FamilyNotSupportedError,
    OptionNotSupportedError,
    refusal,
)
from bindlab.one_socket import RULES, exclude_others, open_socket, set_options
from bindlab.port_range import ephemeral_ports, in_random_order, reserved_ports
from bindlab.request import Request, checked_flag, checked_port, request
from bindlab.reservation import Reservation

__all__ = ["allocate"]

_LOCALHOST = ("127.0.0.1", "::1")  # RFC 6761 section 6.3


def allocate(
    *addresses: IPAddress | str,
    port: int = 0,
    transports: Iterable[Transport] = ("tcp",),
    within: range | None = None,
    lendable: bool = False,
) -> Reservation:
    """Return a :class:`Reservation`: one port number held on every address and transport.

    Without *addresses*, it is held on ``127.0.0.1``. The word ``"localhost"`` stands for
    ``127.0.0.1`` and ``::1``, as far as this machine has them: each is tried by a real
    bind, and ``left_out`` says why one is missing. A wildcard is of its own family only, so
    that ``allocate("0.0.0.0", "::")`` makes two sockets.

    *port* 0 lets the system choose; another is taken exactly, over an earlier server's
    connections too. *within*, such as ``range(8000, 8100)``, takes the first of these ports
    that nobody has on any of the addresses, by binding it. If none can be had, nothing is
    left open, and :class:`~bindlab.errors.AddressInUseError` or one of its siblings says why;
    ``ValueError`` and ``TypeError`` are as for :func:`bindlab.bind`.

    Held means, on Linux (measured): every other bind that overlaps is refused whatever
    options it sets, port 0 and outgoing connections never get the number, and who
    connects by TCP is refused. Other systems promise what :func:`bindlab.bind` says of them.

    *lendable* holds the number for a program that is only told it, and binds by itself. On
    Linux (measured), for TCP: all of the above, except that a program which sets
    ``SO_REUSEADDR``, as nearly all servers do, can bind this very port, and the first one
    to listen has it; a program that does not set it is refused. For UDP: a program that sets
    it gets every datagram, but few do. Elsewhere there is no such hold, and asking for one is
    an :class:`~bindlab.errors.OptionNotSupportedError`.

    >>> with allocate("localhost") as held:
    ...     {endpoint.port for endpoint in held.endpoints} == {held.port}
    True
    """
    wanted, optional = _wanted(addresses, _checked_transports(transports))
    number = checked_port(port)
    ports = None if within is None else _checked_range(within, number)
    if checked_flag("lendable", lendable) and not RULES.lent:
        raise OptionNotSupportedError(
            errno.EOPNOTSUPP,
            os.strerror(errno.EOPNOTSUPP),
            wanted[0].endpoint(number),
            "setsockopt",
            "this system cannot lend a port: hand the socket itself over, with take()",
        )
    try:
        present, left_out = _present(wanted, optional)
        if ports is not None:
            held = _first_held(present, ports)
        elif number:
            held = _held(present, number, insists=True)
        else:
            held = _any_held(present)
    except BindError as error:
        from bindlab.hints import explain

        explain(error)
        raise
    if held is None:
        raise _exhausted(present, ephemeral_ports() if ports is None else ports)
    with ExitStack() as undo:
        for sock in held:
            undo.enter_context(sock)
        taken = _port_of(present[0], held[0])
        if lendable:
            for asked, sock in zip(present, held, strict=True):
                _lend(asked, sock, taken)
        undo.pop_all()
    return Reservation(taken, list(zip(present, held, strict=True)), left_out, lendable)


def _wanted(
    addresses: Sequence[object], transports: Sequence[Transport]
) -> tuple[list[Request], list[IPAddress]]:
    """Return what to hold, each once, and the addresses of it that may be missing."""
    may_be_missing: dict[IPAddress, bool] = {}  # in the order asked for
    for address in addresses or _LOCALHOST[:1]:
        if isinstance(address, str) and address.lower() == "localhost":
            for text in _LOCALHOST:
                may_be_missing.setdefault(request(text).ip, True)
        else:
            may_be_missing[request(address).ip] = False
    _check_overlap([*may_be_missing])
    requests = [request(ip, transport) for ip in may_be_missing for transport in transports]
    return requests, [ip for ip, optional in may_be_missing.items() if optional]


def _check_overlap(ips: Sequence[IPAddress]) -> None:
    seen: list[IPAddress] = []
    for ip in map(unmap, ips):
        for other in seen:
            if ip.version == other.version and (
                ip == other or ip.is_unspecified or other.is_unspecified
            ):
                raise ValueError(
                    f"{address_text(other)} and {address_text(ip)} overlap, so that no two sockets "
                    "can have one port on both: leave one of them out"
                )
        seen.append(ip)


def _checked_transports(transports: Iterable[Transport]) -> list[Transport]:
    if isinstance(transports, str) or not isinstance(transports, Iterable):
        raise TypeError(
            f'transports are several: write ("tcp",) or ("tcp", "udp"), not {transports!r}'
        )
    checked: list[Transport] = []
    for transport in transports:
        if parse_transport(transport) not in checked:
            checked.append(transport)
    if not checked:
        raise ValueError('transports are empty: write ("tcp",) or ("tcp", "udp")')
    return checked


def _checked_range(within: object, port: int) -> range:
    if not isinstance(within, range):
        raise TypeError(f"within is a range: write range(8000, 8100), not {within!r}")
    if port != 0:
        raise ValueError(f"port={port} and within={within} are two answers: give one of them")
    if len(within) == 0 or not (0 < within[0] <= 65535 and 0 < within[-1] <= 65535):
        raise ValueError(f"{within} is not a range of ports: write one from 1 to 65535")
    return within


def _present(
    wanted: list[Request], optional: Sequence[IPAddress]
) -> tuple[list[Request], tuple[BindError, ...]]:
    """Return what of *wanted* this machine has, and the errors for what it has not."""
    left_out: dict[IPAddress, BindError] = {}
    for ip in optional:
        try:
            open_socket(next(asked for asked in wanted if asked.ip == ip), 0).close()
        except (AddressNotAvailableError, FamilyNotSupportedError) as error:
            from bindlab.hints import explain

            explain(error)
            left_out[ip] = _without_frames(error)
        except AddressInUseError:
            continue  # every port is taken there, but the machine has the address
    present = [asked for asked in wanted if asked.ip not in left_out]
    if not present:
        raise next(iter(left_out.values()))
    return present, tuple(left_out.values())


def _without_frames(error: BindError) -> BindError:
    """Return *error*, to be kept for long: its traceback would keep this call's frames alive."""
    if error.__cause__ is not None:
        error.__cause__.__traceback__ = None
    return error.with_traceback(None)


def _held(requests: list[Request], port: int, *, insists: bool = False) -> list[socket.socket]:
    """Return sockets that all have *port*, or for 0 the one that the first of them is given."""
    with ExitStack() as undo:
        sockets: list[socket.socket] = []
        for asked in requests:
            sock = undo.enter_context(open_socket(asked, port, insists=insists))
            sockets.append(sock)
            if port == 0:
                port = _port_of(asked, sock)
            elif insists:
                exclude_others(asked, sock, port)
        undo.pop_all()
    return sockets


def _any_held(requests: list[Request]) -> list[socket.socket] | None:
    """Return sockets on a port of the system's choice; ``None`` if none is free for all of them.

    Each in its turn asks the system for a port, and if that is full, ``AddressInUseError``
    says so at once. After that the ports of the range are tried in random order.
    """
    for turn in range(len(requests)):
        try:
            sockets = _held(requests[turn:] + requests[:turn], 0)
        except AddressInUseError as error:
            if error.endpoint is not None and error.endpoint.port == 0:
                raise
            continue
        return sockets[len(sockets) - turn :] + sockets[: len(sockets) - turn]
    reserved = reserved_ports()
    candidates = in_random_order(ephemeral_ports())
    return _first_held(requests, (port for port in candidates if port not in reserved))


def _first_held(requests: list[Request], ports: Iterable[int]) -> list[socket.socket] | None:
    """Return sockets on the first of *ports* that they can all have; ``None`` if all are taken."""
    denied: BindPermissionError | None = None
    for port in ports:
        try:
            return _held(requests, port)
        except AddressInUseError:
            continue
        except BindPermissionError as error:  # one of several may be privileged, or excluded
            if error.stage != "bind":
                raise
            denied = error
    if denied is not None:
        raise denied
    return None


def _exhausted(requests: list[Request], ports: range) -> AddressInUseError:
    where = ", ".join(f"{address_text(asked.ip)} ({asked.transport})" for asked in requests)
    return AddressInUseError(
        errno.EADDRINUSE,
        os.strerror(errno.EADDRINUSE),
        requests[0].endpoint(0),
        "bind",
        f"no port of {ports[0]}-{ports[-1]} is free on all of {where}: "
        "close some sockets, or take another range",
    )


def _lend(asked: Request, sock: socket.socket, port: int) -> None:
    try:
        set_options(sock, RULES.lent)
    except OSError as error:
        raise refusal(error, asked.endpoint(port), "setsockopt") from error


def _port_of(asked: Request, sock: socket.socket) -> int:
    try:
        return int(sock.getsockname()[1])
    except OSError as error:
        raise refusal(error, asked.endpoint(0), "getsockname") from error
