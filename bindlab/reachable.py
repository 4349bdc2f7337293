"""Where the edges meet the core: from whatever is asked about to the pure answer."""

from ipaddress import IPv6Address
from typing import TYPE_CHECKING, NamedTuple

from bindlab.assumption import Assumption
from bindlab.binding import Binding
from bindlab.endpoint import Endpoint, Transport, unmap
from bindlab.host import Host
from bindlab.inspect_socket import binding_here, binding_of
from bindlab.reach import Reach
from bindlab.target import Port, Target, has_bindings, one_by_one, parse_target, sockets_of

if TYPE_CHECKING:
    from bindlab.scanning import Answering


class Found(NamedTuple):
    """What is known of a target on *host*.

    - *given*: what was given, or the sockets that were.
    - *ports*: what was found out about each port number.
    - *assumptions*: what was taken for granted, in words.
    """

    host: Host
    given: tuple[Binding, ...]
    ports: "tuple[Answering, ...]"
    assumptions: tuple[str, ...]

    @property
    def bindings(self) -> tuple[Binding, ...]:
        """Everything that takes packets."""
        return (*self.given, *(binding for port in self.ports for binding in port.bindings))


def reachable_from(target: Target, *, host: Host | None = None) -> Reach:
    """Return who can reach *target*: ask the answer about origins, or print it.

    *target* is one of these, or a list, a tuple or a set of them:

    - a bound socket, or anything that holds sockets (an ``asyncio.Server``, a ``socketserver``
      server, a :class:`Reservation`): the system is asked what they are bound to;
    - a port of this machine (``3000``, ``"3000"``, ``"53/udp"``), whoever serves it:
      :func:`answering` finds out what it is bound to, and tries it for that. Where nothing
      listens, that is a ``ValueError``;
    - an :class:`Endpoint`, its text (``"0.0.0.0:3000"``), or a URL
      (``"http://127.0.0.1:3000/x"``): no socket is asked. It is taken to be listening, and
      what was assumed is said in the answer;
    - a :class:`Binding`, or what says itself what is bound (an :class:`Answering`).

    *host* is the machine to answer for; ``None`` is this one, now, in the calling thread's
    network namespace. A socket of another network namespace needs the host of that one
    (``ValueError``): interfaces here say nothing about it. A port number is tried on this
    machine, and needs a *host* that is this one.

    >>> from bindlab import Host
    >>> laptop = Host.of(lo="127.0.0.1/8", wifi="192.168.0.102/24")
    >>> "192.168.0.50" in reachable_from("127.0.0.1:3000", host=laptop)
    False
    """
    found = find(target, machine(host), is_here=host is None)
    bound = list(found.given)
    for port in found.ports:
        bound += port.bindings or port.not_listening
        if not port.bindings and not port.not_listening:
            number = port.port
            raise ValueError(
                f"nothing listens on {Port(number, port.transport)} of this machine: start the "
                f"server first, or ask about an endpoint, such as 127.0.0.1:{number} or "
                f"0.0.0.0:{number}"
            )
    return Reach(bound, found.host, found.assumptions)


def machine(host: Host | None) -> Host:
    """Return *host*, and this machine as it is now where that is ``None``."""
    if host is None:
        from bindlab.snapshot import this_host  # a machine on paper needs nothing of this

        return this_host()
    if not isinstance(host, Host):
        raise TypeError(f"host is a Host, or None for this machine, not {host!r}")
    return host


def find(
    target: Target,
    host: Host,
    *,
    is_here: bool,
    transport: Transport = "tcp",
    timeout: float = 1.0,
) -> Found:
    """Return what is known of *target*, as :func:`reachable_from` takes it, on *host*.

    *is_here* says that *host* was just read from this machine. *transport* is that of a port
    number, *timeout* how many seconds one is tried for.
    """
    given: list[Binding] = []
    ports: list[Answering] = []
    assumptions: list[str] = []
    for one in one_by_one(target):
        match parse_target(one, transport):
            case Port(number, kind):
                from bindlab.scanning import answering

                here = None if is_here else host
                ports.append(answering(number, host=here, transport=kind, timeout=timeout))
                assumptions.extend(ports[-1].assumptions)
            case Binding() as binding:
                given.append(binding)
            case Endpoint() as endpoint:
                given.append(_presumed(endpoint, host))
                assumptions.append(Assumption.LISTENING)
                if given[-1].v6only is not None:
                    assumptions.append(Assumption.V6ONLY)
            case finding if has_bindings(finding):
                given.extend(finding.bindings)
                assumptions.extend(finding.assumptions)
            case holder:
                ask = binding_here if is_here else binding_of
                given.extend(map(ask, sockets_of(holder)))
    if not given and not ports:
        raise ValueError("there is no socket to reach: give one at least")
    return Found(host, tuple(given), tuple(ports), tuple(assumptions))


def _presumed(endpoint: Endpoint, host: Host) -> Binding:
    """Return the binding that a socket on *endpoint* has by default; if unsure, the widest."""
    wildcard = isinstance(unmap(endpoint.ip), IPv6Address) and endpoint.is_unspecified
    v6only = False if wildcard and host.bindv6only is False else None
    return Binding(endpoint, v6only=v6only, listening=True)
