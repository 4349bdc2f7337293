"""One port for IPv4 and IPv6: one dual-stack socket, or two sockets with one number.

"::" alone says neither: the option IPV6_V6ONLY decides, and its default depends on the system
and on the library. A phone calls a laptop by both families, in the lab or on paper.
"""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from socket import socket

from bindlab import Binding, Endpoint, Host, lab, reachable_from

WIFI = ("192.168.0.102/24", "2001:db8::102/64")
PHONE = ("192.168.0.50/24", "2001:db8::50/64")
CALLS = {"192.168.0.50": "192.168.0.102:3000", "2001:db8::50": "[2001:db8::102]:3000"}
LAPTOP = Host.of(lo=["127.0.0.1/8", "::1/128"], wifi=WIFI)

# What each way binds: addresses, and whether the socket is dual-stack.
WAYS = {
    "IPv4 only": {"0.0.0.0": False},
    "IPv6 only": {"::": False},
    "One dual-stack socket": {"::": True},
    "Two sockets, one number": {"0.0.0.0": False, "::": False},
}
ASYNCIO = """
import asyncio, bindlab
async def main():
    async with await asyncio.start_server(print, "::", 3000) as server:
        print(*map(bindlab.binding_of, server.sockets))
asyncio.run(main())
"""


def show(name: str, target: Sequence[socket | Binding], phone: lab.LabHost | None) -> None:
    """Print what bindlab says of *target*, and what the phone meets if there is one."""
    reach = reachable_from(tuple(target), host=LAPTOP)
    print(f"\n{name}: {' and '.join(map(str, reach.bindings))}")
    for source, endpoint in CALLS.items():
        met = phone.probe(endpoint).outcome.value if phone else "nobody tried"
        print(f"  from {source:12} bindlab: {reach.verdict(source).answer.value:11}  phone: {met}")


def on_paper() -> None:
    for name, sockets in WAYS.items():
        bound = [Binding(Endpoint(a, 3000), v6only=not dual) for a, dual in sockets.items()]
        show(name, bound, None)


def in_the_lab(net: lab.Network) -> None:
    for name, sockets in WAYS.items():
        with ExitStack() as servers:
            made = (net.laptop.listen(3000, a, dual_stack=dual) for a, dual in sockets.items())
            show(name, [servers.enter_context(sock) for sock in made], net.phone)
    with net.laptop.run([sys.executable, "-c", ASYNCIO]) as program:
        program.wait(timeout=20)
    print(f'\nasyncio.start_server(..., "::", 3000) makes this of it: {program.output.strip()}')


def main() -> None:
    print("A phone calls a laptop, by IPv4 and by IPv6.")
    try:
        with lab.network(laptop={"wifi": WIFI}, phone={"wifi": PHONE}) as net:
            in_the_lab(net)
    except lab.LabError as error:
        print(f"On paper, for there is no lab here: {error}")
        on_paper()
    print('\nSo say which: listen(3000, "::", dual_stack=True), or allocate("0.0.0.0", "::").')


if __name__ == "__main__":
    main()
