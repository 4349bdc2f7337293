"""A port that nobody else takes: hold it, instead of looking for one that is free.

The usual helpers return a number and let the port go, or see whether a connection is refused.
Both answers are out of date when they are used. allocate() keeps the port until it is served.

Is a bound port reserved? Not with SO_REUSEADDR, which is for restarts: set before bind(), as
nearly all servers do, it lets in another that sets it, until the first one listens. On Windows it
takes the port even of one that listens; so bindlab sets SO_EXCLUSIVEADDRUSE there instead.
"""

import socket
import sys
from subprocess import DEVNULL, Popen

from bindlab import BindError, allocate, bind, probe, wait_until_listening


def find_free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def attempt(port: int, *, reuse: bool = False) -> str:
    try:
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
            other.bind(("127.0.0.1", port))
            other.listen()
            return "gets it"
    except OSError as error:
        return f"is refused ({error.strerror})"


def looking() -> None:
    found = len({find_free_port() for _ in range(1000)})
    print(f"1000 calls of find_free_port() gave {found} numbers; the rest were repeats")


def holding() -> None:
    # Copy this:
    with allocate() as held:  # port 0: any; within=range(8000, 9000): the first free one
        print(f"{held.port} is held; another program {attempt(held.port)}")
        (server,) = held.listen()

    with server:
        print(f"{held.port} is served, by the socket that held it: it was never free")


def options() -> None:
    with socket.socket() as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        plain.bind(("127.0.0.1", 0))
        print("bound with SO_REUSEADDR: another", attempt(plain.getsockname()[1], reuse=True))
    with bind() as ours:
        print("bound by bindlab:        another", attempt(ours.getsockname()[1], reuse=True))


def lending() -> None:
    # For a program that takes only a number, and binds by itself (Linux).
    try:
        with allocate(lendable=True) as held:
            command = [sys.executable, "-m", "http.server", "-b", "127.0.0.1", str(held.port)]
            with Popen(command, stdout=DEVNULL, stderr=DEVNULL) as program:
                try:
                    wait_until_listening(held.endpoints[0], timeout=20)
                    print(f"{held.port} was lent to http.server, which serves on it")
                finally:
                    program.terminate()
    except BindError as error:
        print(error)


if __name__ == "__main__":
    looking()
    holding()
    options()
    if probe("127.0.0.1:1").outcome.value == "refused":
        lending()
