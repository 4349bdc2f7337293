"""Starting a server, step by step, and what the system says at each step.

The code asks the system for a socket: an IP address, a port and a protocol, here TCP. The
system binds it, so that nobody else gets the port, lets it listen, and hands it its clients.
"""

import socket

from bindlab import THIS_HOST, BindError, bind, binding_of, listen, probe, reachable_from


def attempt(port: int) -> str:
    """Return how it goes for another server that wants *port*."""
    try:
        with listen(port, "127.0.0.1") as server:
            return f"listens on {binding_of(server)}"
    except BindError as error:
        return f"{type(error).__name__}: {error}"


def accept(server: socket.socket) -> None:
    """Let a client connect, and only then look at it."""
    client = socket.create_connection(server.getsockname(), timeout=5)
    print("   a client        is connected, though no code has looked at it yet:")
    print("                   connected does not mean that the server is ready")

    print("3. Accept. The code takes the first client from the queue, and serves it.")
    connection, peer = server.accept()
    with connection:
        with client:
            print(f"   the server      has a client at {peer[0]}, port {peer[1]}")
            connection.sendall(b"hello")
            print(f"   the client      reads {client.recv(100)!r}")
        connection.recv(1)  # the client hangs up first: whoever does keeps its port for a while


def start_one() -> None:
    print("1. Bind. The code asks for 127.0.0.1 and any port; the system chooses one.")
    with bind(0, "127.0.0.1") as server:
        endpoint = binding_of(server).endpoint
        print(f"   this socket is  {binding_of(server)}")
        print(f"   another server  {attempt(endpoint.port)}")
        print(f"   a client        {probe(endpoint)}")

        print("2. Listen. From now on the system takes connections, and queues them for the code.")
        server.listen()
        print(f"   this socket is  {binding_of(server)}")
        accept(server)

        print(f"4. Who can connect?\n\n{reachable_from(server)}\n")

    print("5. Close. The port is free again, for whoever asks first.")
    print(f"   a client        {probe(endpoint)}")
    print(f"   another server  {attempt(endpoint.port)}")


def main() -> None:
    here = reachable_from("127.0.0.1:3000").verdict(THIS_HOST)
    if not here:
        print(f"Nothing can be shown on this machine: {here.explanation}.")
        return
    start_one()
    print('\nSteps 1 and 2 are one call in bindlab: listen(3000, "127.0.0.1")')
    print(f"   such a server   {attempt(3000)}")


if __name__ == "__main__":
    main()
