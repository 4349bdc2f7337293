"""A port that nobody else takes: hold it, instead of looking for one that is free.

The usual helpers return a number and let the port go, or see whether a connection is refused.
Both answers are out of date when they are used. allocate() keeps the port until it is served.
"""

import socket
import subprocess
import sys

from bindlab import (
    THIS_HOST,
    BindError,
    allocate,
    bind,
    listen,
    probe,
    reachable_from,
    wait_until_listening,
)


def find_free_port() -> int:
    """Return a port that was free a moment ago, as the function of this name does elsewhere."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def attempt(port: int) -> str:
    try:
        with listen(port, "127.0.0.1"):
            return "gets it"
    except BindError as error:
        return f"{type(error).__name__} at {error.stage}()"


def looking() -> None:
    print("Look for a port:")
    found = len({find_free_port() for _ in range(1000)})
    print(f"  1000 calls of find_free_port() gave {found} numbers; the rest were repeats")
    with bind() as taken:
        port = taken.getsockname()[1]
        print(f"  {probe(f'127.0.0.1:{port}')}")
        print(f"  refused, so free? a program that wants {port}: {attempt(port)}")


def holding() -> None:
    print("Hold a port:")
    with allocate() as held:
        print(f"  {held.port} is held; another program: {attempt(held.port)}")
        (server,) = held.listen()
    with server:
        print(f"  {held.port} is served, by the socket that held it: it was never free")
    with allocate(within=range(8000, 9000)) as held:
        print(f"  the first from 8000 up that can be had, and is held: {held.port}")


def lending() -> None:
    print("Hold a port for a program that takes only a number, and binds by itself:")
    try:
        with allocate(lendable=True) as held:
            command = [sys.executable, "-m", "http.server", "-b", "127.0.0.1", str(held.port)]
            quiet = subprocess.DEVNULL
            with subprocess.Popen(command, stdout=quiet, stderr=quiet) as program:
                try:
                    print(f"  {wait_until_listening(held.endpoints[0], timeout=20)}")
                finally:
                    program.terminate()
    except BindError as error:
        print(f"  {error}")


if __name__ == "__main__":
    if THIS_HOST in reachable_from("127.0.0.1:3000"):
        looking()
        holding()
        lending()
    else:
        print("Nothing can be shown on this machine: it cannot even reach itself.")
