"""An audit: every socket of this machine that takes what others send, and who gets that far."""

import errno
from collections.abc import Iterable, Sequence
from functools import cache
from ipaddress import IPv4Network, IPv6Network

from bindlab.binding import Binding
from bindlab.endpoint import Endpoint, Transport, address_text, parse_port, parse_transport, unmap
from bindlab.host import Host
from bindlab.linux import open_sockets, owners_of
from bindlab.page import columns, listed, page_width, wrapped
from bindlab.reach import Reach, Reason, Scope
from bindlab.snapshot import this_host
from bindlab.value import Value

_PATIENCE = 1.0  # seconds of processor time to look for the processes of all sockets
_HEADINGS = ("port", "bound to", "open to", "program")


class Listener(Value):
    """A socket that listens, or one of UDP that hears anybody.

    *scope* is the widest audience that is not shut out for certain. *program* is what its
    process calls itself, and *process* that one's id: ``None`` where it is out of sight, as
    another user's is for all but root. *user* is the id of the user who made the socket.
    """

    binding: Binding
    scope: Scope
    program: str | None = None
    process: int | None = None
    user: int = 0

    @property
    def port(self) -> str:
        """The port as :meth:`bindlab.Audit.open_beyond` takes it: ``22``, or ``53/udp``."""
        endpoint = self.binding.endpoint
        return f"{endpoint.port}{'' if endpoint.transport == 'tcp' else '/udp'}"


class Audit(Value):
    """What listens on a machine, and for whom: :func:`audit` returns this machine's.

    *host* is the machine, whose interfaces and routes decide how far each is open.
    """

    listeners: tuple[Listener, ...]
    host: Host

    def open_beyond(
        self, scope: Scope = Scope.HOST, *, allowed: Iterable[int | str] = ()
    ) -> tuple[Listener, ...]:
        """Return what is open to more than *scope*, but for the *allowed* ports.

        A port is a number, of TCP, or text such as ``"5353/udp"``. "Nothing beyond loopback
        but 22" holds where ``open_beyond(allowed=[22])`` is empty.
        """
        if not isinstance(scope, Scope):
            raise TypeError(f"scope is one of Scope, such as Scope.HOST, not {scope!r}")
        if isinstance(allowed, str) or not isinstance(allowed, Iterable):
            raise TypeError(f"allowed is a list of ports such as [22, '53/udp'], not {allowed!r}")
        excepted = set(map(_port, allowed))
        return tuple(
            each
            for each in self.listeners
            if each.scope > scope
            and (each.binding.endpoint.port, each.binding.endpoint.transport) not in excepted
        )

    def to_document(self) -> dict[str, object]:
        """Return this audit as what JSON can hold."""
        return {
            "listeners": [
                {
                    "port": each.binding.endpoint.port,
                    "transport": each.binding.endpoint.transport,
                    "binding": str(each.binding),
                    "scope": each.scope.name.lower(),
                    "open_to": _open_to([each.binding], self.host),
                    "program": each.program,
                    "process": each.process,
                    "user": each.user,
                }
                for each in self.listeners
            ]
        }

    def text(self, *, width: int | None = None) -> str:
        """Return how many are open to others, and a table of all, the widest open first.

        *width* is how many columns a line has, ``None`` as many as the terminal.
        """
        wide = page_width() if width is None else width
        servers: dict[object, list[Listener]] = {}
        for each in sorted(self.listeners, key=_order):
            is_open = each.scope > Scope.HOST
            servers.setdefault((each.port, each.program, each.user, is_open), []).append(each)
        if not servers:
            return "Nothing listens on this machine."
        count = sum(several[0].scope > Scope.HOST for several in servers.values())
        verb = "is" if count == 1 else "are"
        number = str(count) if count else "None"
        lines = wrapped(f"{number} of {len(servers)} servers {verb} open to other machines.", wide)
        rows = [_row(several, self.host) for several in servers.values()]
        lines += ["", *columns([_HEADINGS, *rows], wide)]
        guest = self.host.guest
        if count and guest is not None and guest.needs_forwarding:
            note = f"This looks like {guest.name}: others get in from other networks if"
            lines += ["", *wrapped(f"{note} {guest.forwards}.", wide)]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<Audit of {len(self.listeners)} sockets>"


def audit(*, host: Host | None = None) -> Audit:
    """Return every socket of this machine that listens, and how far each is open.

    Those of TCP that listen, and those of UDP that are not connected, in the calling thread's
    network namespace, as Linux lists them to anybody: neither root nor a privilege is needed.
    Elsewhere it is an ``OSError``, because a list that lacks some would call a machine private
    that is not. What another namespace has, such as a container, is not listed, nor is what a
    firewall sends there (DNAT), or what other protocols receive.

    *host* is this machine as :func:`this_host` gave it; ``None`` asks anew.
    """
    where = this_host() if host is None else host
    if not isinstance(where, Host):
        raise TypeError(f"host is a Host, or None for this machine, not {host!r}")
    try:
        sockets = open_sockets()
    except OSError as error:
        raise OSError(
            error.errno or errno.EOPNOTSUPP,
            "this system does not list the sockets of all programs (Linux does, sock_diag(7)): "
            f"an audit cannot be made here: {error.strerror}",
        ) from error
    found = owners_of([one.inode for one in sockets], _PATIENCE).found

    @cache
    def scope_of(binding: Binding) -> Scope:
        return Reach([binding], where).scope

    listeners: list[Listener] = []
    for one in sockets:
        process = found.get(one.inode)
        name, pid = (process.name, process.pid) if process else (None, None)
        scope = scope_of(_on_any_port(one.binding))
        listeners.append(Listener(one.binding, scope, name, pid, one.uid))
    return Audit(tuple(sorted(listeners, key=_order)), where)


def _port(allowed: int | str) -> tuple[int, Transport]:
    if not isinstance(allowed, str):
        return parse_port(allowed), "tcp"
    number, _, transport = allowed.partition("/")
    if not (number.isascii() and number.isdecimal()):
        raise ValueError(f"{allowed!r} is no port: write 22, '22' or '53/udp'")
    return parse_port(int(number)), parse_transport(transport or "tcp")


def _order(listener: Listener) -> tuple[object, ...]:
    endpoint = listener.binding.endpoint
    ip = endpoint.ip
    return -listener.scope, endpoint.port, endpoint.transport, ip.version, int(ip)


def _row(several: Sequence[Listener], host: Host) -> tuple[str, str, str, str]:
    first = several[0]
    bindings = [each.binding for each in several]
    bound = dict.fromkeys(address_text(each.endpoint.ip) for each in bindings)
    processes = dict.fromkeys(str(each.process) for each in several)
    program = f"of user {first.user}, out of sight"
    if first.program is not None:
        program = f"{first.program} ({', '.join(processes)})"
    return first.port, ", ".join(bound), _open_to(bindings, host), program


def _open_to(bindings: Sequence[Binding], host: Host) -> str:
    """Return in words who is not shut out of all *bindings*."""
    inside, *networks, beyond, internet = Reach(bindings, host).rows
    if not any((*networks, beyond, internet)):
        return "this machine" if inside else "nobody"
    versions = {version for each in bindings for version in _versions(each)}
    shut_out = [
        row
        for row in networks
        if isinstance(row.origin, IPv4Network | IPv6Network)
        and not row
        and row.origin.version in versions
        and row.reason is not Reason.LINK_DOWN
    ]
    if beyond and not shut_out:
        return "every network" if len(versions) == 2 else f"every IPv{versions.pop()} network"
    let_in = [row.who for row in networks if row]
    return listed([*let_in, *(["other networks"] if beyond else [])])


def _versions(binding: Binding) -> Iterable[int]:
    ip = unmap(binding.endpoint.ip)
    is_dual = ip.version == 6 and ip.is_unspecified and binding.v6only is not True
    return (4, 6) if is_dual else (ip.version,)


def _on_any_port(binding: Binding) -> Binding:
    """Return *binding* on one port for all, because who gets in does not depend on it."""
    endpoint = binding.endpoint
    return binding.replace(endpoint=Endpoint(endpoint.ip, 1, endpoint.transport))
