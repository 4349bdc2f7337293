"""One port number on several addresses and transports, or nothing: ``allocate()``."""

import errno
from collections.abc import Iterable, Sequence

from bindlab.endpoint import (
    Endpoint,
    IPAddress,
    Transport,
    address_text,
    parse_port,
    parse_transport,
    unmap,
)
from bindlab.errors import (
    AddressInUseError,
    AddressNotAvailableError,
    BindError,
    FamilyNotSupportedError,
    bind_error,
)
from bindlab.opening.hints import add_hint
from bindlab.opening.one_socket import Request, lends, open_socket
from bindlab.opening.port_range import ephemeral_ports, gives_lent_ports
from bindlab.opening.reservation import Reservation, hold, hold_any, hold_first
from bindlab.opening.sockets import request, true_or_false

_LOCALHOST = ("127.0.0.1", "::1")  # RFC 6761 section 6.3


def allocate(
    *addresses: IPAddress | str,
    port: int = 0,
    transports: Iterable[Transport] = ("tcp",),
    within: range | None = None,
    lendable: bool = False,
) -> Reservation:
    """Return a :class:`Reservation`: one port number held on every address and transport.

    Without *addresses*, it is held on ``127.0.0.1``. The word ``"localhost"`` means ``127.0.0.1``
    and ``::1``, as far as this machine has them: each is tried by a real bind, and ``left_out``
    says why one is missing. A wildcard is of its own family only, so that
    ``allocate("0.0.0.0", "::")`` makes two sockets.

    - *port* 0 lets the system choose. Another port is taken exactly, over an earlier server's
      connections too.
    - *within*, such as ``range(8000, 8100)``, takes the first of these ports that is free on all
      addresses.
    - *lendable* holds the number for a program that is only told it, and binds by itself.

    If no port can be had, nothing is left open, and :class:`~bindlab.errors.AddressInUseError` or
    one of its siblings says why. ``ValueError`` and ``TypeError`` are as for :func:`bindlab.bind`.

    Held means, on Linux (measured): any other bind of an overlapping address is refused whatever
    options it sets (root's ``TCP_REPAIR`` aside), port 0 and outgoing connections never get the
    number, and TCP connections to it are refused. The exception is that of :func:`bindlab.bind`,
    an exact TCP *port* with connections of an earlier server: a socket with ``SO_REUSEADDR`` that
    was bound there before stays bound. While the port is held it cannot listen. When the port is
    handed over, it can be the first to listen, and then the other one is refused. Other systems
    promise what :func:`bindlab.bind` says of them.

    Lent means, on Linux (measured): the same, except for programs that set ``SO_REUSEADDR``, as
    nearly all servers do.

    - TCP: such a program can bind the port, and the first one to listen has it. A *port* with an
      earlier server's connections can be lent by two at once.
    - UDP: such a program gets every datagram. If it asks for port 0, it may be given a lent
      number.
    - Lending is an :class:`~bindlab.errors.OptionNotSupportedError` on other systems, which have
      no such hold, and on a network stack that does not heed what is set after bind() (gVisor; it
      is tried once). It is one on Linux too where port 0 would yield the lent TCP port:
      ``net.ipv4.ip_autobind_reuse`` is on, and ``net.ipv4.ip_local_port_range`` has the port.

    >>> with allocate("localhost") as held:
    ...     {endpoint.port for endpoint in held.endpoints} == {held.port}
    True
    """
    wanted, optional = _wanted(addresses, _checked_transports(transports))
    number = parse_port(port)
    ports = None if within is None else _checked_range(within, number)
    is_lent = true_or_false("lendable", lendable)
    if is_lent and not lends():
        raise _cannot_lend(wanted[0].endpoint(number), "this system cannot lend a port:")
    try:
        present, left_out = _present(wanted, optional) if optional else (wanted, ())
        if ports is not None:
            held = hold_first(present, ports, lends=is_lent)
        elif number:
            held = hold(present, number, insists=True, lends=is_lent)
        else:
            held = hold_any(present, lends=is_lent)
    except BindError as error:
        add_hint(error)
        raise
    if held is None:
        raise _exhausted(present, ephemeral_ports() if ports is None else ports)
    reservation = Reservation(held, left_out, is_lent)
    if is_lent and _is_given_away(reservation):
        reservation.close()
        raise _cannot_lend(
            reservation.endpoints[0],
            "with net.ipv4.ip_autobind_reuse=1, port 0 yields lent ports: lend one outside of "
            "net.ipv4.ip_local_port_range, or",
        )
    return reservation


def _is_given_away(lent: Reservation) -> bool:
    """Return whether port 0 may yield a lent port; for UDP it always may."""
    of_tcp = any(endpoint.transport == "tcp" for endpoint in lent.endpoints)
    return of_tcp and gives_lent_ports() and lent.port in ephemeral_ports()


def _wanted(
    addresses: Sequence[object], transports: Sequence[Transport]
) -> tuple[tuple[Request, ...], tuple[IPAddress, ...]]:
    """Return what to hold, each once, and the addresses of it that may be missing."""
    may_be_missing: dict[IPAddress, bool] = {}  # in the order asked for
    for address in addresses or _LOCALHOST[:1]:
        if isinstance(address, str) and address.lower() == "localhost":
            for text in _LOCALHOST:
                may_be_missing.setdefault(request(text, transports[0]).ip, True)
        else:
            may_be_missing[request(address, transports[0]).ip] = False
    _check_overlap([*may_be_missing])
    requests = [request(ip, transport) for ip in may_be_missing for transport in transports]
    return tuple(requests), tuple(ip for ip, optional in may_be_missing.items() if optional)


def _check_overlap(ips: Sequence[IPAddress]) -> None:
    seen: list[IPAddress] = []
    for ip in ips:
        for other in seen:
            if _overlap(unmap(ip), unmap(other)):
                raise ValueError(
                    f"{address_text(other)} and {address_text(ip)} overlap, so that no two sockets "
                    "can have one port on both: leave one of them out"
                )
        seen.append(ip)


def _overlap(one: IPAddress, other: IPAddress) -> bool:
    if one.version != other.version:
        return False
    if one.is_unspecified or other.is_unspecified:
        return True
    # A zone means something in a link-local address only: RFC 4007 section 6.
    return one == other or (int(one) == int(other) and not one.is_link_local)


def _checked_transports(transports: Iterable[Transport]) -> tuple[Transport, ...]:
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
    return tuple(checked)


def _checked_range(within: object, port: int) -> range:
    if not isinstance(within, range):
        raise TypeError(f"within is a range: write range(8000, 8100), not {within!r}")
    if port != 0:
        raise ValueError(f"port={port} and within={within} are two answers: give one of them")
    if not within:
        raise ValueError(f"{within} is empty: write ports from 1 to 65535, as in range(8000, 8100)")
    if not (0 < within[0] <= 65535 and 0 < within[-1] <= 65535):
        raise ValueError(f"{within} is not a range of ports: write one from 1 to 65535")
    return within


def _present(
    wanted: tuple[Request, ...], optional: tuple[IPAddress, ...]
) -> tuple[tuple[Request, ...], tuple[BindError, ...]]:
    """Return what of *wanted* this machine has, and the errors for what it has not."""
    left_out: dict[IPAddress, BindError] = {}
    for ip in optional:
        try:
            open_socket(next(asked for asked in wanted if asked.ip == ip), 0).close()
        except (AddressNotAvailableError, FamilyNotSupportedError) as error:
            add_hint(error)
            left_out[ip] = _without_frames(error)
        except AddressInUseError:
            continue  # every port is taken there, but the machine has the address
    present = tuple(asked for asked in wanted if asked.ip not in left_out)
    if not present:
        raise next(iter(left_out.values()))
    return present, tuple(left_out.values())


def _without_frames(error: BindError) -> BindError:
    """Return *error*, to be kept for long: its traceback would keep this call's frames alive."""
    if error.__cause__ is not None:
        error.__cause__.__traceback__ = None
    return error.with_traceback(None)


def _cannot_lend(endpoint: Endpoint, why: str) -> BindError:
    hint = f"{why} hand the socket itself over, with take()"
    return bind_error(errno.EOPNOTSUPP, endpoint, "setsockopt", hint)


def _exhausted(requests: Sequence[Request], ports: range) -> BindError:
    span = f"{ports[0]}-{ports[-1]}" if ports.step == 1 else str(ports)
    where = ", ".join(f"{address_text(asked.ip)} ({asked.transport})" for asked in requests)
    error = bind_error(
        errno.EADDRINUSE,
        requests[0].endpoint(0),
        "bind",
        f"no port of {span} is free on all of {where}: close some sockets, or take another range",
    )
    error.ports = ports
    return error
