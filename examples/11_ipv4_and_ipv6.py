"""One port for IPv4 and IPv6: one dual-stack socket, or two sockets with one number.

"::" alone says neither: the option IPV6_V6ONLY decides, and its default depends on the system
and on the library. And localhost is a name with two faces, 127.0.0.1 and ::1: a server that has
only one of them is found or not, depending on the face that a client tries first. So say which.

An f-string with a host and a port is a URL for IPv4 only: IPv6 needs brackets, and a link-local
address a zone, which is the caller's own name for its interface. Endpoint.url() knows.
"""

import socket
import textwrap
from contextlib import ExitStack

from bindlab import Binding, Endpoint, Host, allocate, lab, listen, probe, reachable_from

WIFI = ("192.168.0.102/24", "2001:db8::102/64")
PHONE = ("192.168.0.50/24", "2001:db8::50/64")
CALLS = {"192.168.0.50": "192.168.0.102:3000", "2001:db8::50": "[2001:db8::102]:3000"}
LAPTOP = Host.of(lo=["127.0.0.1/8", "::1/128"], wifi=WIFI)
# What each way binds: addresses, and whether the socket is dual-stack.
WAYS = {
    "IPv4 only": {"0.0.0.0": False},
    "IPv6 only": {"::": False},
    "one dual-stack socket": {"::": True},
    "two sockets, one number": {"0.0.0.0": False, "::": False},
}


def both_faces() -> None:
    # Copy this:
    with allocate("localhost") as held:  # one number on 127.0.0.1 and ::1
        servers = held.listen()
        urls = [endpoint.url() for endpoint in held.endpoints]

    answers = socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)
    found = dict.fromkeys(str(address[0]) for *_, address in answers)
    print(f"What this machine says 'localhost' is: {', then '.join(found)}")
    with ExitStack() as stack:
        for server in servers:
            stack.enter_context(server)
        print(f"allocate('localhost') serves {' and '.join(urls)}")
        for endpoint in held.endpoints:
            print(f"  {endpoint.ip!s:10} {probe(endpoint).outcome.value}")
        for error in held.left_out:
            print(f"  and leaves out {error}")


def show(name: str, target: object, phone: lab.LabHost | None) -> None:
    """Print what bindlab says of *target*, and what the phone meets if there is one."""
    reach = reachable_from(target, host=LAPTOP)
    for source, endpoint in CALLS.items():
        met = phone.probe(endpoint).outcome.value if phone else "nobody tried"
        print(f"{name:24} {source:13} {reach.verdict(source).answer.value:12} {met}")


def main() -> None:
    both_faces()
    print(f"\n{'bound':24} {'called from':13} {'bindlab':12} the phone")
    if there := lab.available():
        with lab.network(laptop={"wifi": WIFI}, phone={"wifi": PHONE}) as net:
            for name, ways in WAYS.items():
                made = [net.laptop.listen(3000, a, dual_stack=dual) for a, dual in ways.items()]
                show(name, tuple(made), net.phone)
                for server in made:
                    server.close()
    else:
        for name, ways in WAYS.items():
            bound = [Binding(Endpoint(a, 3000), v6only=not dual) for a, dual in ways.items()]
            show(name, tuple(bound), None)
        print(f"(on paper, for there is no lab here: {there})")
    try:
        listen(3000, "localhost").close()
    except ValueError as error:
        print()
        print(textwrap.fill(f"listen(3000, 'localhost'): {error}", 80))


if __name__ == "__main__":
    main()
