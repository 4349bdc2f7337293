"""A socket from the service manager: systemd listens, and starts the server when it is needed.

This script plays both parts. systemd's is to put the sockets at descriptor 3 and on, and to say
so in variables; the server calls activated(), and opens a socket itself if there is none.
"""

import os
import socket
import sys

from bindlab import THIS_HOST, activated, binding_of, listen, reachable_from


def server() -> None:
    """Serve one client, on whatever socket there is; an ordinary server could begin like this."""
    sockets = activated("web", clean_environment=True) or (listen(3000),)
    print(f"  server: I was given {', '.join(str(binding_of(sock)) for sock in sockets)}")
    with sockets[0] as web:
        connection, _ = web.accept()
        with connection:
            connection.sendall(b"hello")


def start(web: socket.socket) -> int:
    """Start the server as systemd does, with FileDescriptorName=web; return its process id."""
    sys.stdout.flush()
    process = os.fork()
    if process == 0:
        os.dup2(web.fileno(), 3)
        os.set_inheritable(3, True)
        os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid()), "LISTEN_FDNAMES": "web"}
        os.execv(sys.executable, [sys.executable, __file__, "server"])
    return process


def main() -> None:
    here = reachable_from("127.0.0.1:3000").verdict(THIS_HOST)
    if not hasattr(os, "fork"):
        print("This system has no such service manager; the protocol is systemd's, for POSIX.")
        return
    if not here:
        print(f"Nothing can be shown on this machine: {here.explanation}.")
        return
    print(f"Without a service manager activated() returns {activated()}")
    with listen() as web:
        print(f"manager: I listen on {binding_of(web)}, and no server is running")
        with socket.create_connection(web.getsockname(), timeout=20) as client:
            client.settimeout(20)
            print("a client is connected, and waits")
            print("manager: there is somebody, so I start the server")
            process = start(web)
            print(f"the client reads {client.recv(100).decode()!r}")
    os.waitpid(process, 0)
    print("The port was open before the server was there, and stays open while it restarts.")


if __name__ == "__main__":
    if sys.argv[1:]:
        server()
    else:
        main()
