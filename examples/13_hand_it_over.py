"""A socket for another process: the port is never free in between.

A parent opens the socket and says which descriptor it is; the child serves on it. A descriptor
does not say what it is: adopt() asks the system, where other functions believe their caller. A
service manager such as systemd does the same with descriptor 3 and on, and says so in variables:
activated() takes those. The port is open before the server is there, and stays open while it
restarts.
"""

import os
import socket
import subprocess
import sys

from bindlab import THIS_HOST, activated, adopt, binding_of, listen, reachable_from


def a_server_of_systemd() -> socket.socket:
    # Copy this:
    sockets = activated("web", clean_environment=True) or (listen(3000),)
    return sockets[0]


def child(server: socket.socket) -> None:
    """Serve one client; this runs in the other process."""
    with server:
        connection, _ = server.accept()
        with connection:
            connection.sendall(f"process {os.getpid()} on {binding_of(server)}".encode())


def ask(address: tuple[str, int]) -> str:
    with socket.create_connection(address, timeout=20) as client:
        client.settimeout(20)
        return client.recv(100).decode()


def by_a_parent() -> None:
    with listen() as server:
        descriptor, address = server.fileno(), server.getsockname()
        print(f"The parent, process {os.getpid()}, listens on {binding_of(server)}")
        command = [sys.executable, __file__, str(descriptor)]
        process = subprocess.Popen(command, pass_fds=[descriptor])
    with process:
        print(f"  a client reads: {ask(address)}")


def by_a_service_manager() -> None:
    print(f"Without a service manager activated() returns {activated()}")
    with listen() as web:
        print(f"The manager listens on {binding_of(web)}, and starts the server")
        sys.stdout.flush()
        process = os.fork()
        if process == 0:
            os.dup2(web.fileno(), 3)
            os.set_inheritable(3, True)
            told = {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid()), "LISTEN_FDNAMES": "web"}
            os.environ |= told
            os.execv(sys.executable, [sys.executable, __file__, "activated"])
        print(f"  a client reads: {ask(web.getsockname())}")
    os.waitpid(process, 0)


if __name__ == "__main__":
    if sys.argv[1:]:
        child(a_server_of_systemd() if sys.argv[1] == "activated" else adopt(int(sys.argv[1])))
    elif os.name != "posix":
        print("Descriptors are inherited on POSIX systems; Windows has socket.share() for it.")
    elif THIS_HOST in reachable_from("127.0.0.1:3000"):
        by_a_parent()
        by_a_service_manager()
    else:
        print("Nothing can be shown on this machine: it cannot even reach itself.")
