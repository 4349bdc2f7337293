"""Networks for a test: real hosts, of this kernel, that see each other and nothing else."""

# The test's process starts one program, the builder (builder.py). It makes the hosts, which are
# network namespaces (construction.py), and forks a process for each, its agent (agent.py). The
# agent makes one process for each call and each program. The builder ends them all (ending.py).
#
# They talk in messages.py: the test with the builder; the test with each agent, to ask; and for
# each request by a channel of its own, to be answered.

import contextlib
import io
import os
import signal
import socket
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from bindlab.endpoint import IPAddress
from bindlab.lab.ending import end_members
from bindlab.lab.errors import LabError
from bindlab.lab.host import LabHost
from bindlab.lab.machine import Machine, Wiring
from bindlab.lab.messages import packed, pair, receive, send
from bindlab.lab.program import end
from bindlab.value import Value

if TYPE_CHECKING:
    import subprocess

_PROGRAM: Final = (
    "import socket, sys; sys.path[:] = sys.argv[3:]; from bindlab.lab.builder import main; "
    "main(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))"
)
_MOST = 250  # hosts, and interfaces of one: a byte of their hardware addresses each
_PATIENCE = 5.0  # seconds for the builder to end all that it made


class Network:
    """The hosts of :func:`network`: ``net.laptop``, ``net["laptop"]``, ``for host in net``."""

    def __init__(self, hosts: Mapping[str, LabHost]) -> None:
        self._hosts = dict(hosts)

    def __getattr__(self, name: str) -> LabHost:
        hosts: Mapping[str, LabHost] = self.__dict__.get("_hosts", {})
        if name not in hosts:
            raise AttributeError(f"this network has no {name}: it has {', '.join(hosts)}")
        return hosts[name]

    def __getitem__(self, name: str) -> LabHost:
        return self._hosts[name]

    def __iter__(self) -> Iterator[LabHost]:
        return iter(self._hosts.values())

    def __len__(self) -> int:
        return len(self._hosts)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._hosts]

    def __repr__(self) -> str:
        return f"<Network of {', '.join(self._hosts)}>"


class Availability(Value):
    """True where the lab works; else false, and ``reason`` says why."""

    reason: str = ""

    def __bool__(self) -> bool:
        return not self.reason

    def __str__(self) -> str:
        return self.reason or "the lab is available"


def available() -> Availability:
    """Return whether :func:`network` works here, by trying: yes, or why not.

    It takes as long as making a small network. In a test suite:

    ``pytestmark = pytest.mark.skipif(not (lab := available()), reason=str(lab))``
    """
    try:
        with network(here=Machine({"wire": ()})):
            return Availability()
    except OSError as error:
        return Availability(str(error))


@contextlib.contextmanager
def network(**hosts: Wiring) -> Generator[Network, None, None]:
    """Make hosts and the networks between them, for the length of a ``with``.

    Each keyword is a host: a :class:`Machine`, or simply its interfaces, by name. Interfaces
    with the same name are on one shared network of that name (see :class:`Nic` for others)::

        with network(
            laptop={"wifi": "192.168.0.102/24", "ethernet": ["10.0.0.12/24", "2001:db8::c/64"]},
            phone={"wifi": "192.168.0.50/24"},
        ) as net:
            server = net.laptop.listen(3000, "0.0.0.0")
            peer = net.phone.connect("192.168.0.102", 3000)

    The hosts share this kernel, files and users, but no network with the surrounding system:
    nothing that they send leaves, and nothing outside is changed. Everything ends with the
    ``with``: programs are killed, sockets that were handed over are closed.

    Linux 5.3 or later with veth and bridge; root, or unprivileged user namespaces:
    :func:`available` says whether. A system that refuses is a :class:`LabError` which
    names the missing piece; a network that makes no sense a ``ValueError`` or a ``TypeError``,
    before anything is made.
    """
    machines = {name: _machine(name, wiring) for name, wiring in hosts.items()}
    _check(machines)
    if not sys.platform.startswith("linux"):
        raise LabError(None, f"the lab is made of Linux namespaces, and this is {sys.platform}")
    if not hasattr(os, "pidfd_open"):
        raise LabError(
            None,
            "the lab ends its processes by os.pidfd_open(), and this Python has none "
            f"({sys.implementation.name}): run the tests that need it on CPython",
        )
    made: dict[str, LabHost] = {}
    # Whatever fails while one of these is done, the others are done too.
    with contextlib.ExitStack() as closing:
        control, theirs = pair()
        closing.enter_context(control)
        with theirs:
            builder = _start_builder(theirs)
        namespaces: list[io.FileIO] = []
        closing.callback(_end, builder, control, os.getpid(), namespaces)
        try:
            with packed(machines) as descriptors:
                send(control, ["make"], descriptors)
            for name, machine in machines.items():
                pid, requests, namespace = _receive_host(control)
                namespaces.append(namespace)
                made[name] = LabHost(name, machine, pid, requests)
                closing.callback(made[name].close)
        except (EOFError, ConnectionError) as error:
            # No LabError, which available() would take for a system that has no lab.
            raise RuntimeError(
                f"the program that makes networks, run by {sys.executable}, ended early: its "
                "standard error says why"
            ) from error
        closing.callback(_end_programs, made)
        yield Network(made)


def _start_builder(channel: socket.socket) -> "subprocess.Popen[bytes]":
    """Start the program that makes the hosts, and ends with this process at the latest."""
    # Heavy to import, and not needed where the lab is only imported.
    import subprocess

    # No site: sys.path is handed over complete. Nothing is inherited but one socket. A session
    # of its own, so that Ctrl-C at the terminal ends it through us alone.
    options = ["-I", "-S", *(["-B"] if sys.dont_write_bytecode else [])]
    arguments = [str(channel.fileno()), str(os.getpid()), *sys.path]
    return subprocess.Popen(
        [sys.executable, *options, "-c", _PROGRAM, *arguments],
        stdin=subprocess.DEVNULL,
        pass_fds=[channel.fileno()],
        start_new_session=True,
    )


def _receive_host(control: socket.socket) -> tuple[int, socket.socket, io.FileIO]:
    """Return a host's process, the socket that takes its requests, and its namespace."""
    match receive(control):
        case ["host", int(pid)], [requests, namespace]:
            return pid, socket.socket(fileno=requests), io.FileIO(namespace)
        case ["failed", int() | None as number, str(text)], _:
            raise LabError(number, text)
        case unknown, _:
            raise RuntimeError(f"the program that makes networks said {unknown}")


def _end_programs(hosts: Mapping[str, LabHost]) -> None:
    end([program for host in hosts.values() for program in host.programs])


def _end(
    builder: "subprocess.Popen[bytes]",
    control: socket.socket,
    owner: int,
    namespaces: Sequence[io.FileIO],
) -> None:
    with contextlib.ExitStack() as closing:
        for namespace in namespaces:
            closing.enter_context(namespace)
        if os.getpid() != owner:  # a forked child closes its copies, and ends nothing
            builder.returncode = 0  # no child of this process, which need not wait for it
            return
        builder.send_signal(signal.SIGCONT)  # it may be stopped
        try:
            control.shutdown(socket.SHUT_WR)  # not only closed: a forked child may hold a copy
            control.settimeout(_PATIENCE)
            while control.recv(1):  # until the other end closes, which is when it ends
                pass
        except TimeoutError:
            builder.kill()
        except ConnectionError:
            pass
        if builder.wait() != 0:
            end_members([namespace.fileno() for namespace in namespaces])


def _machine(name: str, wiring: Wiring) -> Machine:
    if isinstance(wiring, Machine):
        return wiring
    if not isinstance(wiring, Mapping):
        raise TypeError(
            f"{name} is described by its interfaces, not by {wiring!r}: write "
            f"{name}={{'wifi': '192.168.0.102/24'}}"
        )
    return Machine(wiring)


def _check(machines: Mapping[str, Machine]) -> None:
    """Raise ``ValueError`` for what no network can be."""
    if not machines:
        raise ValueError('a network has hosts: write network(laptop={"wifi": "192.168.0.102/24"})')
    if len(machines) > _MOST:
        raise ValueError(f"a network has at most {_MOST} hosts")
    bridges: dict[str, str] = {}
    owners: dict[tuple[str, IPAddress], str] = {}
    for host, machine in machines.items():
        if host.startswith("_"):
            raise ValueError(f"{host!r} is no name for a host: begin it with a letter")
        if len(machine.nics) > _MOST:
            raise ValueError(f"{host} has more than {_MOST} interfaces")
        names = {"lo", *(name for name, _ in machine.nics)}
        for name, nic in machine.nics:
            network_name = nic.network or name
            if (network_name == "lo") != (name == "lo") or (name == "lo" and nic.bridge):
                raise ValueError(f"{host}: lo is a path inside the host, and no network")
            if nic.bridge and bridges.setdefault(network_name, host) != host:
                raise ValueError(
                    f"{network_name} cannot be a bridge of {host}: it is one of "
                    f"{bridges[network_name]}"
                )
            for address in nic.addresses if nic.up and nic.carrier and name != "lo" else ():
                other = owners.setdefault((network_name, address.ip), host)
                if other != host:
                    raise ValueError(f"{address.ip} is both {other} and {host} on {network_name}")
        for route in machine.routes:
            if route.interface is not None and route.interface not in names:
                raise ValueError(f"{host} has no interface {route.interface} to route through")
