"""Ports are apartment numbers: one address, many servers, and the system delivers to each.

A web server usually has port 80, its encrypted sibling 443, SSH 22, a MySQL database 3306. Here
the system chooses free numbers instead. TCP and UDP are separate mailboxes of one number.
"""

import socket
from contextlib import ExitStack

from bindlab import THIS_HOST, BindError, allocate, binding_of, listen, reachable_from

HOUSE = "127.0.0.1"
TENANTS = {"web": 80, "encrypted web": 443, "SSH": 22, "database": 3306}


def many_servers() -> None:
    print(f"One address, {HOUSE}, and four servers:")
    with ExitStack() as house:
        servers = {name: house.enter_context(listen(0, HOUSE)) for name in TENANTS}
        for name, server in servers.items():
            port = server.getsockname()[1]
            with socket.create_connection((HOUSE, port), timeout=5) as visitor:
                connection, _ = server.accept()  # only this server has a visitor in its queue
                with connection:
                    connection.sendall(f"you are at the {name} server".encode())
                print(f"  port {port} (usually {TENANTS[name]}): {visitor.recv(100).decode()}")
        taken = binding_of(servers["web"]).endpoint.port
        try:
            listen(taken, HOUSE).close()
        except BindError as error:
            print(f"  port {taken} for a fifth one: {type(error).__name__}")


def two_mailboxes() -> None:
    # Copy this:
    with allocate("127.0.0.1", transports=("tcp", "udp")) as held:
        tcp, udp = held.listen()  # one number, two sockets

    print(f"TCP and UDP, both on number {held.port}:")
    with tcp, udp:
        udp.settimeout(5)
        with socket.create_connection((HOUSE, held.port), timeout=5) as visitor:
            visitor.sendall(b"a letter by TCP")
            connection, _ = tcp.accept()
            with connection:
                print(f"  {binding_of(tcp)} got {connection.recv(100).decode()!r}")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as visitor:
            visitor.sendto(b"a letter by UDP", (HOUSE, held.port))
            print(f"  {binding_of(udp)} got {udp.recv(100).decode()!r}")


if __name__ == "__main__":
    if THIS_HOST in reachable_from("127.0.0.1:3000"):
        many_servers()
        two_mailboxes()
    else:
        print("Nothing can be shown on this machine: it cannot even reach itself.")
