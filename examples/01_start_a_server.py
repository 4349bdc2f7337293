"""Starting a server, step by step, and what the system says at each step.

The code asks the system for a socket: an IP address, a port and a protocol, here TCP. The
system binds it, so that nobody else gets the port, lets it listen, and hands it its clients.
Steps 1 and 2 are one call in bindlab, listen().
"""

import socket

from bindlab import THIS_HOST, BindError, bind, binding_of, listen, probe, reachable_from


def in_one_call() -> None:
    # Copy this:
    server = listen(0, "127.0.0.1")  # 3000 for port 3000; 0 lets the system choose
    print(binding_of(server))
    server.close()


def another_server(port: int) -> str:
    """Return how it goes for another server that wants *port*."""
    try:
        with listen(port, "127.0.0.1") as server:
            return f"listens on {binding_of(server)}"
    except BindError as error:
        return type(error).__name__


def step_by_step() -> None:
    # 1. The code asks for 127.0.0.1 and any port; the system chooses one.
    with bind(0, "127.0.0.1") as server:
        endpoint = binding_of(server).endpoint
        print(f"1. bound       {binding_of(server)}")
        print(f"   a client    {probe(endpoint).outcome.value}")
        print(f"   another     {another_server(endpoint.port)}")

        # 2. From now on the system takes connections, and queues them for the code. A client
        # is connected before any code has looked at it: connected is not yet served.
        server.listen()
        client = socket.create_connection(server.getsockname(), timeout=5)
        print(f"2. listens     {binding_of(server)}")
        print("   a client    connected")

        # 3. The code takes the first client from the queue, and serves it.
        connection, peer = server.accept()
        with connection, client:
            connection.sendall(b"hello")
            print(f"3. accepts     a client at {peer[0]}, port {peer[1]}")
            print(f"   the client  reads {client.recv(100)!r}")

        # 4. Who else could connect?
        print(f"4. reachable   by {reachable_from(server).scope.name}: this machine alone")

    # 5. Closed, the port is free again, for whoever asks first.
    print(f"5. closed      a client: {probe(endpoint).outcome.value}")
    print(f"   another     {another_server(endpoint.port)}")


if __name__ == "__main__":
    if THIS_HOST in reachable_from("127.0.0.1:3000"):
        in_one_call()
        step_by_step()
    else:
        print("Nothing can be shown on this machine: it cannot even reach itself.")
