"""Starting a server, step by step, and what the system says at each step.

Code asks the system for a socket; the system allocates one, binds it to an IP address and a
port, which nobody else gets from then on, and listens. Then it waits for connections.
"""

import socket
import threading
from http.server import BaseHTTPRequestHandler
from urllib.request import urlopen

from bindlab import BindError, bind, binding_of, listen, reachable_from


def refused(sock: socket.socket) -> bool:
    """Return whether a connection to the address of *sock* is refused."""
    with socket.socket() as client:
        client.settimeout(5)
        return client.connect_ex(sock.getsockname()) != 0


class Hello(BaseHTTPRequestHandler):
    """Answers every request with one line."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello from " + str(self.connection.getsockname()[0]).encode())

    def log_message(self, *_: object) -> None:
        """Keep quiet: the example does the talking."""


print("1. Bind: the system chooses a free port on loopback, and holds it.")
with bind(0, "127.0.0.1") as sock:
    print(f"   this socket is {binding_of(sock)}")
    print(f"   a connection is {'refused' if refused(sock) else 'accepted'}: nobody listens yet")
    port = sock.getsockname()[1]
    try:
        listen(port, "127.0.0.1").close()
    except BindError as error:
        print(f"   a second server on that port: {type(error).__name__} at {error.stage}")

print("2. Listen: bound and listening in one call.")
with listen(0, "127.0.0.1") as server:
    print(f"   this socket is {binding_of(server)}")

    print("3. Accept: a client connects, asks, and is answered.")

    def serve_one() -> None:
        connection, client = server.accept()
        with connection:
            Hello(connection, client, None)  # type: ignore[arg-type]

    (url,) = reachable_from(server).urls()
    thread = threading.Thread(target=serve_one, daemon=True)
    thread.start()
    with urlopen(url, timeout=5) as response:
        print(f"   {url} says: {response.read().decode()}")
    thread.join(timeout=5)

    print("4. Who can reach it?")
    print()
    print(reachable_from(server))

print()
print("5. Closed: the port is free again.")
