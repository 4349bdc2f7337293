"""Who else is let in: loopback keeps a server private, and the wildcard exposes it.

The promise of loopback is kept by the kernel and can be broken by a relay: a program on this
machine that is reachable itself, and connects to the private server in a stranger's name. You
may have some running: ssh -L and ssh -R, a reverse proxy, Docker Desktop, WSL, the port
forwarding of an editor, a web page in a browser on this machine, whose scripts may try
127.0.0.1. A server behind one needs what any open server needs: to ask who is there.

A NAT hides IPv4 until it forwards the port. IPv6 mostly has none, and a firewall instead, or
nothing. So "use 0.0.0.0" invites everybody on the Wi-Fi, and a debugger that is switched on
(debug=True) offers to run their code here.
"""

from collections.abc import Callable
from socket import create_connection, socket

from bindlab import INTERNET, THIS_HOST, Host, Scope, lab, listen, reachable_from

WIFI, PHONE = "192.168.0.102", "192.168.0.50"
LAPTOP = Host.of(lo=["127.0.0.1/8", "::1/128"], wifi=[f"{WIFI}/24", "2001:db8::102/64"])
Dial = Callable[[str, int], socket]


def is_private(address: str) -> bool:
    # Copy this:
    reach = reachable_from(f"{address}:3000", host=LAPTOP)
    return reach.scope <= Scope.HOST


def audiences() -> None:
    print(f"{'bound to':16}{'private':10}{'a phone on the Wi-Fi':23}the internet")
    for address in ("127.0.0.1", "[::1]", WIFI, "0.0.0.0", "[::]"):
        reach = reachable_from(f"{address}:3000", host=LAPTOP)
        phone, internet = (reach.verdict(origin).answer.value for origin in (PHONE, INTERNET))
        print(f"{address:16}{is_private(address)!s:10}{phone:23}{internet}")


def dial_here(address: str, port: int) -> socket:
    return create_connection((address, port), timeout=5)


def relay(server: socket, outside: socket, from_phone: Dial, from_laptop: Dial) -> None:
    """Let the phone ask the relay, which asks the private server."""
    phone = from_phone(*outside.getsockname()[:2])
    middle, stranger = outside.accept()
    inner = from_laptop(*server.getsockname()[:2])
    served, peer = server.accept()
    with phone, middle, inner, served:
        served.sendall(b"a secret")
        middle.sendall(inner.recv(100))  # this line is the relay
        print(f"  the relay's client is {stranger[0]}")
        print(f"  the server's client is {peer[0]}: it cannot tell")
        print(f"  and the stranger reads: {phone.recv(100).decode()}")


def main() -> None:
    audiences()
    print("\nA server on 127.0.0.1, and a relay:")
    if there := lab.available():
        with lab.network(laptop={"wifi": f"{WIFI}/24"}, phone={"wifi": f"{PHONE}/24"}) as net:
            server, outside = net.laptop.listen(3000), net.laptop.listen(8080, WIFI)
            print(f"  the phone alone: {net.phone.probe(f'{WIFI}:3000').outcome.value}")
            relay(server, outside, net.phone.connect, net.laptop.connect)
    elif THIS_HOST in reachable_from("127.0.0.1:3000"):
        print(f"  (on this machine alone, for there is no lab here: {there})")
        with listen() as server, listen() as outside:
            relay(server, outside, dial_here, dial_here)
    else:
        print(f"  nothing can be shown, without loopback, and with no lab here: {there}")


if __name__ == "__main__":
    main()
