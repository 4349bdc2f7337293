"""What serves on a port of this machine, seen from outside of its process."""

from bindlab.assumption import Assumption
from bindlab.binding import Binding
from bindlab.endpoint import Transport, address_text, parse_port, parse_transport
from bindlab.host import Host
from bindlab.linux import ListedSocket
from bindlab.markup import html_table
from bindlab.page import columns, page_width, wrapped
from bindlab.printable import printable
from bindlab.probing import Outcome
from bindlab.scanning.addresses import LocalAddress, local_addresses, told_of_vrfs
from bindlab.scanning.deduction import deduce
from bindlab.scanning.observing import Attempt, observe
from bindlab.snapshot import interfaces, this_host
from bindlab.value import Value

__all__ = ["Answering", "answering"]

_LINGER = 0.1  # seconds; a relay on this machine knows sooner that nobody is behind it


class Answering(Value):
    """Where a port of this machine answers, and what it must be bound to.

    ``reachable_from()`` takes it, and says who can reach the port. True if anything is bound
    there, as far as can be seen.

    - *bindings*: what the port is bound to; empty where nothing is.
    - *attempts*: each address that was tried, with its interface, and what was met there.
    - *listed*: the sockets that the system itself lists before or after the attempts, each
      with its user's id and its inode, those that do not listen among them (Linux 6.8);
      ``None`` where it does not tell.
    - *evidence*: in sentences, why the bindings must be those.
    - *host*: the machine as it was when it was tried.
    - *ended*: those of *bindings* whose server stopped while it was tried.
    - *redirected*: those of *bindings* that no socket here has: their packets are redirected
      (DNAT), as those for a published port of a container are.
    """

    port: int
    transport: Transport
    bindings: tuple[Binding, ...]
    attempts: tuple[Attempt, ...]
    listed: tuple[ListedSocket, ...] | None
    evidence: tuple[str, ...]
    host: Host
    ended: tuple[Binding, ...] = ()
    redirected: tuple[Binding, ...] = ()

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What is taken for granted in ``bindings``: nothing, where the system lists them."""
        return () if self.listed is not None else (Assumption.DEDUCED,)

    @property
    def not_listening(self) -> tuple[Binding, ...]:
        """What else is bound to the port, and does not listen, as far as the system lists it."""
        listed = self.listed or ()
        return tuple(dict.fromkeys(one.binding for one in listed if not one.is_open))

    @property
    def closed_at_once(self) -> tuple[LocalAddress, ...]:
        """Where a connection was accepted, and ended at once with nothing said."""
        ended = (one for one in self.attempts if one.probe.outcome is Outcome.CLOSED_AT_ONCE)
        return tuple(one.address for one in ended)

    def __bool__(self) -> bool:
        return bool(self.bindings)

    def __repr__(self) -> str:
        return f"<Answering: {printable(self._headline)}>"

    def __str__(self) -> str:
        tried = [
            (each.address.name, address_text(each.address.ip), each.probe.outcome.value)
            for each in self.attempts
        ]
        width = page_width()
        notes = (line for note in self._notes for line in wrapped(note, width))
        return "\n".join([self._headline, *columns(tried, width), *notes])

    def _repr_html_(self) -> str:
        urls = {
            each.probe.endpoint: each.probe.endpoint.url()
            for each in self.attempts
            if each.probe.accepted and self.transport == "tcp" and "%" not in str(each.address.ip)
        }
        rows = [
            (
                each.address.name,
                urls.get(each.probe.endpoint, address_text(each.address.ip)),
                each.probe.outcome.value,
            )
            for each in self.attempts
        ]
        headings = ("interface", "address", "met")
        return html_table([self._headline], headings, rows, self._notes, urls.values())

    @property
    def _headline(self) -> str:
        name = f"port {self.port}{'' if self.transport == 'tcp' else '/udp'}"
        bound = " and ".join(map(str, self.bindings))
        return f"{name} is bound to {bound}" if bound else f"nothing answers on {name}"

    @property
    def _notes(self) -> tuple[str, ...]:
        idle = (f"{one.endpoint} is bound, without listening" for one in self.not_listening)
        return (*self.evidence, *idle)


def answering(
    port: int, *, host: Host | None = None, transport: Transport = "tcp", timeout: float = 1.0
) -> Answering:
    """Return where *port* of this machine answers, and what it is bound to, by any program.

    Really connects, to a few addresses of this machine at a time: the loopbacks, those of each
    interface, IPv4 and IPv6, link-local ones with their zone, and on Linux to one of
    127.0.0.0/8 that nobody uses, where only a wildcard answers. What is bound follows from
    where it answers. Where the system lists sockets to anybody (Linux, sock_diag(7)) that is
    believed, and says more: the device, whether a wildcard is dual-stack. Then each socket is
    dialled by loopback and by one other address, and so is each address where none is listed,
    to see whether something redirects it.
    Silence is tried again alone, and each connection is watched for 0.1 s: who ends it at once
    is named in ``closed_at_once``. No privilege is needed, and nothing is read of processes.
    Sockets are listed before the attempts and after them, so that a server which stops
    meanwhile, as one that accepts once, is found all the same; it is named in the evidence and
    in ``ended``.

    For UDP one empty datagram goes to each address that no listed socket serves, to 512 at
    most, and silence counts as a socket that took it, because this machine refuses at once for
    a port that nobody has (ICMP port unreachable); a firewall that drops looks the same.

    *host* is this machine as :func:`this_host` gave it, and a ``ValueError`` if it has an address
    that this machine does not have now; ``None`` asks anew. *port* is from 1 to 65535.
    *timeout* is in seconds, for each address. It proves what answers from here: no firewall or
    router on somebody else's way is seen.
    """
    number = parse_port(port)
    if number == 0:
        raise ValueError("port 0 is not the port of a server: give the number that the server has")
    kind = parse_transport(transport)
    where = this_host() if host is None else _checked(host)
    addresses = tuple(local_addresses(where))
    seen = observe(addresses, number, timeout, kind, linger=_LINGER, sparing=True)
    told = deduce(number, kind, seen)
    return Answering(
        number,
        kind,
        told.bindings,
        seen.attempts,
        seen.listed,
        (*told.evidence, *told_of_vrfs(where)),
        where,
        told.ended,
        told.redirected,
    )


def _checked(host: object) -> Host:
    """Return *host* if it is this machine: another's addresses would be another's to answer."""
    if not isinstance(host, Host):
        raise TypeError(f"host is a Host, or None for this machine, not {host!r}")
    if not host.interfaces:
        raise ValueError("a host without interfaces is not this machine, where ports are tried")
    here = {address.ip for interface in interfaces() for address in interface.addresses}
    for interface in host.interfaces:
        for address in interface.addresses:
            if address.ip not in here and not address.is_loopback:
                raise ValueError(
                    f"{address.ip} is no address of this machine, where ports are tried: of "
                    "another machine give an endpoint, such as 0.0.0.0:3000, and no port number"
                )
    return host
