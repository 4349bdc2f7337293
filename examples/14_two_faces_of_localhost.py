"""localhost is a name with two faces, 127.0.0.1 and ::1, and a server may have only one of them.

Such a server is found or not, depending on the face that a client tries first. Bind addresses,
not the name; or hold one port on all the addresses that the name stands for.
"""

import socket
from contextlib import ExitStack

from bindlab import allocate, listen, probe, reachable_from


def ask_the_system() -> None:
    answers = socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)
    found = dict.fromkeys(str(address[0]) for *_, address in answers)
    print(f"What this machine says 'localhost' is: {', then '.join(found)}")


def open_one_by_one() -> None:
    """Hold the port on both, and listen on one after the other."""
    with allocate("localhost") as held, ExitStack() as servers:
        print(f'allocate("localhost") holds {" and ".join(map(str, held.endpoints))}')
        for error in held.left_out:
            print(f"  and leaves out {error}")
        sockets = [servers.enter_context(sock) for sock in held.take()]
        for sock, bound in zip(sockets, held.endpoints, strict=True):
            sock.listen()
            print(f"A server listens on {bound.ip}; a client calls:")
            for endpoint in held.endpoints:
                print(f"  {probe(endpoint)}")
        print(f"The widest audience of all of it: {reachable_from(sockets).scope.name}")


def bind_the_word() -> None:
    print("As an address the word is refused, rather than guessed at:")
    try:
        listen(3000, "localhost").close()
    except ValueError as error:
        print(f"  {error}")


if __name__ == "__main__":
    ask_the_system()
    print()
    open_one_by_one()
    print()
    bind_the_word()
