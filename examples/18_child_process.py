"""A child process that inherits its socket: the port is never free in between.

The parent opens the socket and says which descriptor it is; the child serves on it. A descriptor
does not say what it is: adopt() asks the system, where other functions believe their caller.
"""

import os
import socket
import subprocess
import sys

from bindlab import THIS_HOST, adopt, binding_of, listen, reachable_from


def child(descriptor: int) -> None:
    """Serve one client; this runs in the other process."""
    with adopt(descriptor) as server:
        connection, _ = server.accept()
        with connection:
            connection.sendall(f"process {os.getpid()} on {binding_of(server)}".encode())


def parent() -> None:
    with listen() as server:
        descriptor, address = server.fileno(), server.getsockname()
        print(f"The parent, process {os.getpid()}, listens on {binding_of(server)}")
        command = [sys.executable, __file__, str(descriptor)]
        process = subprocess.Popen(command, pass_fds=[descriptor])
    print("It has started a child with the socket, and has closed its own copy")
    with process, socket.create_connection(address, timeout=20) as client:
        client.settimeout(20)
        print(f"A client that connects reads: {client.recv(100).decode()}")


def believe_or_ask() -> None:
    print("A descriptor of an IPv4 TCP socket, as it is understood by")
    with listen() as server:
        with socket.fromfd(server.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as believed:
            print(f"  fromfd(fd, AF_UNIX)  {believed.family.name}, protocol {believed.proto}")
        with adopt(os.dup(server.fileno())) as asked:
            print(f"  adopt(fd)            {asked.family.name}, protocol {asked.proto}")
    print("Some servers do the first with a number that they are given (fd= of uvicorn 0.54 does).")
    print("asyncio knows TCP by its protocol, 6, and leaves Nagle's delay on in such a socket. So")
    print("hand the socket itself over where a server takes it, as in run(sockets=[server]).")


def main() -> None:
    here = reachable_from("127.0.0.1:3000").verdict(THIS_HOST)
    if os.name != "posix":
        print("Descriptors are inherited on POSIX systems; Windows has socket.share() for it.")
    elif not here:
        print(f"Nothing can be shown on this machine: {here.explanation}.")
    else:
        parent()
        print()
        believe_or_ask()


if __name__ == "__main__":
    if sys.argv[1:]:
        child(int(sys.argv[1]))
    else:
        main()
