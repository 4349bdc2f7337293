"""Is a bound port reserved, so that no one else can use it? That depends on the options.

SO_REUSEADDR is for restarting a server whose last connections linger. Set before bind(), as
nearly all servers do, it also lets in another that sets it, until the first one listens.
"""

import socket
import sys

from bindlab import THIS_HOST, bind, listen, reachable_from

LOOPBACK = "127.0.0.1"


def opened(port: int, *, reuse: bool, serve: bool) -> socket.socket:
    sock = socket.socket()
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
        sock.bind((LOOPBACK, port))
        if serve:
            sock.listen()
    except OSError:
        sock.close()
        raise
    return sock


WAYS = {
    "a socket without options": lambda port, serve: opened(port, reuse=False, serve=serve),
    "SO_REUSEADDR, then bind()": lambda port, serve: opened(port, reuse=True, serve=serve),
    "bindlab's bind(), listen()": lambda port, serve: listen(port) if serve else bind(port),
}


def robbed(ours: socket.socket) -> str:
    """Let another program, with SO_REUSEADDR, want the port of *ours*, which does not listen."""
    try:
        thief = opened(ours.getsockname()[1], reuse=True, serve=True)
    except OSError as error:
        return f"is refused: {error.strerror}"
    with thief:
        try:
            ours.listen()
        except OSError as error:
            return f"gets it, and our own listen() is refused: {error.strerror}"
        return "gets it too"


def hang_up(server: socket.socket) -> int:
    """Serve one client, and hang up first: that end of the connection lingers (TIME_WAIT)."""
    with socket.create_connection(server.getsockname(), timeout=5) as client:
        connection, _ = server.accept()
        connection.close()
        client.recv(1)
    return server.getsockname()[1]


def main() -> None:
    here = reachable_from("127.0.0.1:3000").verdict(THIS_HOST)
    if not here:
        print(f"Nothing can be shown on this machine: {here.explanation}.")
        return
    print(f"On {sys.platform}:")
    for name, way in WAYS.items():
        print(f"\n{name}")
        with way(0, serve=False) as ours:
            print(f"  bound, and another program wants the port: it {robbed(ours)}")
        with way(0, serve=True) as server:
            port = hang_up(server)
        try:
            way(port, serve=True).close()
            print("  a restart right after a client: at once")
        except OSError as error:
            print(f"  a restart right after a client: refused: {error.strerror}")
    print("\nOn Windows, says its documentation, a socket with SO_REUSEADDR takes the port even of")
    print("one that listens; so bindlab sets SO_EXCLUSIVEADDRUSE there, its contrary, instead.")


if __name__ == "__main__":
    main()
