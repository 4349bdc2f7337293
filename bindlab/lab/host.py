"""A host of the lab, as the test's own process sees it."""

import contextlib
import os
import pickle
import socket
import weakref
from collections.abc import Callable, Mapping, Sequence
from io import FileIO
from typing import IO, TYPE_CHECKING, ParamSpec, TypeAlias, TypeVar

from bindlab.endpoint import Endpoint, IPAddress, Transport
from bindlab.lab.checks import checked_command, checked_environment, checked_stream, path_text
from bindlab.lab.machine import Machine
from bindlab.lab.messages import Call, Raised, Start, ask, receive, unpacked
from bindlab.lab.program import Program, end
from bindlab.sockaddr import KINDS, family_of, to_sockaddr

if TYPE_CHECKING:
    from bindlab.host import Host
    from bindlab.probing import Probe


P = ParamSpec("P")
T = TypeVar("T")
Socket: TypeAlias = socket.socket  # "socket" means the method inside LabHost
Stream: TypeAlias = IO[bytes] | IO[str] | int | None


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
        self._requests = requests
        self._sockets: weakref.WeakSet[Socket] = weakref.WeakSet()
        self._programs: list[Program] = []

    def __repr__(self) -> str:
        return f"<LabHost {self.name}, pid {self.pid}>"

    @property
    def programs(self) -> tuple[Program, ...]:
        """The programs that were started here and have not been seen to end."""
        return tuple(program for program in self._programs if program.returncode is None)

    def call(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return ``function(*args, **kwargs)``, called on this host.

        So can all of bindlab be: ``call(wait_until_listening, "192.168.0.102:8000")``.

        What it returns or raises may be anything that can be pickled, with sockets inside. A
        function that cannot be found there by its name is a ``TypeError``; one whose process
        ends before it returned, or a host that is gone, a ``LabError``. When this returns, the
        function's process has ended, with what it forked.
        """
        module: object = getattr(function, "__module__", None)
        if module == "__main__":
            raise TypeError(
                f"{function!r} is in __main__, which hosts cannot import: put it in a module"
            )
        request = ["call", module if isinstance(module, str) else "builtins"]
        try:
            channel, kind, descriptors = ask(
                self._requests, self.name, repr(function), request, Call(function, args, kwargs)
            )
        except (AttributeError, pickle.PicklingError) as error:
            text = f"hosts cannot find {function!r} by its name, or not take its arguments: {error}"
            raise TypeError(text) from error
        with channel, contextlib.suppress(EOFError, ConnectionResetError):
            receive(channel)  # that its process has ended: nobody else has its sockets any more
        if kind == "returned":
            value, sockets = unpacked(descriptors, function)
            self._sockets.update(sockets)
            return value
        raised, _ = unpacked(descriptors, Raised)
        raised.error.add_note(f"raised on {self.name}:\n{raised.traceback}")
        raise raised.error from raised.cause

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
            path_text("cwd", os.getcwd() if cwd is None else cwd),
        )
        streams = (
            checked_stream("stdin", stdin),
            checked_stream("stdout", stdout),
            checked_stream("stderr", stderr),
        )
        for program in self.programs:
            program.poll()  # what has ended is let go
        with contextlib.ExitStack() as on_failure, FileIO(os.devnull, "r+") as null:
            captured = on_failure.enter_context(FileIO(os.memfd_create("output"), "r+"))
            given = [
                default.fileno() if stream is None else stream
                for stream, default in zip(streams, (null, captured, captured), strict=True)
            ]
            channel, _, (number,) = ask(
                self._requests, self.name, start.command[0], ["run"], start, given
            )
            on_failure.enter_context(channel)
            program = Program(start.command, FileIO(number), channel, captured)
            on_failure.pop_all()
        self._programs = [*self.programs, program]
        return program

    def close(self) -> None:
        """End what runs here and close what was handed over; the network does it at its end."""
        with contextlib.ExitStack() as closing:
            closing.callback(self._requests.close)
            for sock in tuple(self._sockets):
                closing.callback(sock.close)
            end(self.programs)


def dial(
    endpoint: Endpoint, source: Endpoint | None, device: str | None, timeout: float | None
) -> Socket:
    """Return a socket connected to *endpoint*; called on a host."""
    with contextlib.ExitStack() as on_failure:
        sock = Socket(family_of(endpoint.ip), *KINDS[endpoint.transport])
        on_failure.enter_context(sock)
        sock.settimeout(timeout)
        if device is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode() + b"\0")
        if source is not None:
            sock.bind(to_sockaddr(source))
        sock.connect(to_sockaddr(endpoint))
        on_failure.pop_all()
    return sock
