"""A host of the lab, as the test's own process sees it."""

import contextlib
import os
import pickle
import socket
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ParamSpec, TypeAlias, TypeVar

from bindlab.endpoint import Endpoint, IPAddress, Transport
from bindlab.lab.checks import checked_command, checked_environment, checked_path, checked_stream
from bindlab.lab.client import AgentClient, reads_first
from bindlab.lab.machine import Machine
from bindlab.lab.objects import Packed, Raised, Request, pack, receive_answer, send_packed
from bindlab.lab.program import Program, Start, Stream, end, launch
from bindlab.lab.wire import Closed
from bindlab.sockaddr import family_of, kind_of, protocol_of, to_sockaddr

if TYPE_CHECKING:
    from bindlab.host import Host
    from bindlab.probing import Probe

__all__ = ["LabHost"]

P = ParamSpec("P")
T = TypeVar("T")
Socket: TypeAlias = socket.socket  # "socket" means the method inside LabHost


class LabHost:
    """A real host on the networks of a lab: what is made here has its addresses and routes.

    Sockets are made in the host's network namespace and handed over: they are plain sockets
    of this process (and can be used from any thread or event loop), but their packets come
    from and go to the host's networks. They are closed, if still open, when the network is.
    What they accept, and their ``dup()``, are other sockets: those stay open after the
    ``with``, and keep the host's namespace alive, until they are closed themselves.

    Functions are called in a process of the host, so they must be importable by name, and
    take and return what can be pickled; sockets among that are handed over. What they raise
    is raised here, with the other side's traceback as a note.
    """

    def __init__(self, name: str, machine: Machine, pid: int, requests: Socket) -> None:
        self.name = name
        self.machine = machine
        self.pid = pid
        self._client = AgentClient(name, requests)
        self._sockets: weakref.WeakSet[Socket] = weakref.WeakSet()
        self._programs: set[Program] = set()

    def __repr__(self) -> str:
        return f"<LabHost {self.name}, pid {self.pid}>"

    @property
    def programs(self) -> tuple[Program, ...]:
        """The programs that were started here and have not been seen to end."""
        return tuple(self._programs)

    def call(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return ``function(*args, **kwargs)``, called on this host.

        So can all of bindlab be: ``call(wait_until_listening, "192.168.0.102:8000")``.

        What it returns or raises may be anything that can be pickled, with sockets inside. A
        function that cannot be found there by its name is a ``TypeError``; one whose process
        ends before it returned, or a host that is gone, a ``LabError``. A process that the
        function forks has no answer to give, and ends with the function's own.
        """
        request = _packed(Request(function, args, kwargs))
        status, task = self._client.ask(f"call {_module(function)}")
        with status, task:
            try:
                send_packed(task, request)
                # A process that the function left behind may hold its end of the first open.
                if not reads_first(task, status):
                    raise self._client.failure(status, repr(function))
                answer = receive_answer(task, function, self._sockets)
            except (Closed, ConnectionError) as error:
                raise self._client.failure(status, repr(function)) from error
        if isinstance(answer, Raised):
            answer.error.add_note(f"raised on {self.name}:\n{answer.traceback}")
            raise answer.error from answer.cause
        return answer.value

    def listen(
        self,
        port: int = 0,
        address: IPAddress | str = "127.0.0.1",
        *,
        dual_stack: bool = False,
        device: str | None = None,
        share_port: bool = False,
        backlog: int | None = None,
    ) -> Socket:
        """Return a listening TCP socket of this host; see :func:`bindlab.listen`."""
        from bindlab.opening import listen

        return self.call(
            listen,
            port,
            address,
            dual_stack=dual_stack,
            device=device,
            share_port=share_port,
            backlog=backlog,
        )

    def bind(
        self,
        port: int = 0,
        address: IPAddress | str = "127.0.0.1",
        *,
        transport: Transport = "tcp",
        dual_stack: bool = False,
        device: str | None = None,
        share_port: bool = False,
    ) -> Socket:
        """Return a bound socket of this host; see :func:`bindlab.bind`."""
        from bindlab.opening import bind

        return self.call(
            bind,
            port,
            address,
            transport=transport,
            dual_stack=dual_stack,
            device=device,
            share_port=share_port,
        )

    def connect(
        self,
        address: IPAddress | str,
        port: int,
        *,
        transport: Transport = "tcp",
        source: IPAddress | str | None = None,
        device: str | None = None,
        timeout: float | None = 5.0,
    ) -> Socket:
        """Return a socket of this host that is connected to *address* and *port*.

        *source* is the address of this host to send from, *device* the interface to leave
        by (``SO_BINDTODEVICE``). *timeout* is in seconds, and stays set on the socket, as
        with :func:`socket.create_connection`. A refusal is the ``OSError`` of connect(2).
        """
        endpoint = Endpoint(address, port, transport)
        local = None if source is None else Endpoint(source, 0, transport)
        return self.call(dial, endpoint, local, device, timeout)

    def socket(
        self,
        family: int = socket.AF_INET,
        kind: int = socket.SOCK_STREAM,
        protocol: int = 0,
    ) -> Socket:
        """Return a new socket of this host, neither bound nor connected."""
        return self.call(socket.socket, family, kind, protocol)

    def host(self) -> "Host":
        """Return this host as a value: what :func:`bindlab.this_host` says there, now."""
        from bindlab.snapshot import this_host

        return self.call(this_host)

    def probe(
        self,
        endpoint: Endpoint | str,
        *,
        timeout: float = 1.0,
        source: IPAddress | str | None = None,
    ) -> "Probe":
        """Return what an attempt to reach *endpoint* from here meets; see :func:`bindlab.probe`."""
        from bindlab.probing import probe

        return self.call(probe, endpoint, timeout=timeout, source=source)

    def run(
        self,
        command: Sequence[str],
        *,
        stdin: Stream = None,
        stdout: Stream = None,
        stderr: Stream = None,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
    ) -> Program:
        """Start a program on this host and return it: a context manager that ends it.

        Its standard input is empty, and its output and errors are kept for
        :attr:`Program.output`, except where a file or a descriptor is given. *env* replaces
        this process's environment variables, *cwd* its working directory. A program that
        cannot be started is the ``OSError`` of execve(2).

        It shares this machine's files, but has the host's network, and is root of that. Of
        what is open here it inherits nothing else.
        ``/sys/class/net`` shows it the surrounding system's interfaces all the same.
        """
        start = Start(
            checked_command(command),
            checked_environment(os.environ if env is None else env),
            checked_path("cwd", os.getcwd() if cwd is None else cwd),
        )
        streams = (
            checked_stream("stdin", stdin),
            checked_stream("stdout", stdout),
            checked_stream("stderr", stderr),
        )
        for program in tuple(self._programs):
            program.poll()  # what has ended is let go
        program = launch(self._client, start, streams, self._programs.discard)
        self._programs.add(program)
        return program

    def close(self) -> None:
        """End what runs here and close what was handed over; the network does it at its end."""
        with contextlib.ExitStack() as closing:
            closing.callback(self._client.close)
            for sock in tuple(self._sockets):
                closing.callback(sock.close)
            for program in self.programs:
                closing.callback(program.release)
            end(self.programs)


def dial(
    endpoint: Endpoint, source: Endpoint | None, device: str | None, timeout: float | None
) -> Socket:
    """Return a socket connected to *endpoint*; called on a host."""
    transport = endpoint.transport
    with contextlib.ExitStack() as on_failure:
        family, kind = family_of(endpoint.ip), kind_of(transport)
        sock = on_failure.enter_context(Socket(family, kind, protocol_of(transport)))
        sock.settimeout(timeout)
        if device is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode() + b"\0")
        if source is not None:
            sock.bind(to_sockaddr(source))
        sock.connect(to_sockaddr(endpoint))
        on_failure.pop_all()
    return sock


def _packed(request: Request) -> Packed:
    function = request.function
    if _module(function) == "__main__":
        raise TypeError(
            f"{function!r} is in __main__, which hosts cannot import: put it in a module"
        )
    try:
        return pack(request)
    except (AttributeError, pickle.PicklingError) as error:
        text = f"hosts cannot find {function!r} by its name, or not take its arguments: {error}"
        raise TypeError(text) from error


def _module(function: Callable[..., object]) -> str:
    name: object = getattr(function, "__module__", None)
    return name if isinstance(name, str) else "builtins"
