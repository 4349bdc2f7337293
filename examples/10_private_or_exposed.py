"""Who else is let in: loopback keeps a server private, and the wildcard exposes it.

The promise of loopback is kept by the kernel and can be broken by a relay: a program on this
machine that is reachable itself, and connects to the private server in a stranger's name.
"""

from collections.abc import Callable
from socket import create_connection, socket

from bindlab import INTERNET, THIS_HOST, Host, Verdict, lab, listen, reachable_from

WIFI, PHONE = "192.168.0.102", "192.168.0.50"
LAPTOP = Host.of(lo=["127.0.0.1/8", "::1/128"], wifi=[f"{WIFI}/24", "2001:db8::102/64"])
RELAYS = {
    "ssh -L, by who may log in here, and ssh -R": "a tunnel that ends at 127.0.0.1",
    "a reverse proxy or development proxy": "made to pass requests on",
    "Docker Desktop, WSL, an editor's port forwarding": "a relay to or from a container",
    "a web page in a browser on this machine": "its scripts may try 127.0.0.1",
}
Dial = Callable[[str, int], socket]


def answer(verdict: Verdict) -> str:
    """Return the answer, with what it depends on."""
    depends = ", ".join(condition.value for condition in verdict.conditions)
    return f"{verdict.answer.value}{depends and f' ({depends})'}"


def show_audiences() -> None:
    for address in ("127.0.0.1", "[::1]", WIFI, "0.0.0.0", "[::]"):
        reach = reachable_from(f"{address}:3000", host=LAPTOP)
        print(f"bound to {address}")
        print(f"  a phone on the Wi-Fi: {answer(reach.verdict(PHONE))}")
        print(f"  the internet:         {answer(reach.verdict(INTERNET))}")
    print("A NAT hides IPv4 until it forwards the port. IPv6 mostly has none, and a firewall")
    print("instead, or nothing.")
    print("So 'use 0.0.0.0' invites everybody on the Wi-Fi, and a debugger that is switched on")
    print("(debug=True) offers to run their code here.")


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
    show_audiences()
    print("\nA server on 127.0.0.1, and a relay:")
    if there := lab.available():
        with lab.network(laptop={"wifi": f"{WIFI}/24"}, phone={"wifi": f"{PHONE}/24"}) as net:
            server, outside = net.laptop.listen(3000), net.laptop.listen(8080, WIFI)
            print(f"  the phone alone: {net.phone.probe(f'{WIFI}:3000')}")
            relay(server, outside, net.phone.connect, net.laptop.connect)
    elif THIS_HOST in reachable_from("127.0.0.1:3000"):
        print(f"  (on this machine alone, for there is no lab here: {there})")
        with listen() as server, listen() as outside:
            relay(server, outside, dial_here, dial_here)
    else:
        print(f"  nothing can be shown, without loopback, and with no lab here: {there}")
    print("\nRelays that you may have running:")
    for name, what in RELAYS.items():
        print(f"  {name}: {what}")
    print("A server behind one needs what any open server needs: to ask who is there.")


if __name__ == "__main__":
    main()
