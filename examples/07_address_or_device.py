"""Bound to one address of the LAN, or to an interface: two things, that let in others.

bind() picks an *address*. To be bound to an interface, a device, is another thing, which Linux
calls SO_BINDTODEVICE. A server on 127.0.0.1 is often said to be "bound to lo"; one that really
is answers on 127.0.0.2 too. A server on the Wi-Fi address alone is shut to 127.0.0.1, and open
to its own machine at the Wi-Fi address.

A laptop on Wi-Fi and Ethernet, a phone on the Wi-Fi, and a PC on the Ethernet which has a route
to the laptop's Wi-Fi address. Linux takes a packet for any of its own addresses by any
interface, so that the PC gets in there: to bind an address is not to bind an interface.
"""

import textwrap

from bindlab import Binding, Endpoint, Host, Route, interfaces, lab, reachable_from

WIFI, ETHERNET, PHONE, PC = "192.168.0.102", "10.0.0.12", "192.168.0.50", "10.0.0.50"
LAPTOP = Host.of(lo="127.0.0.1/8", wifi=f"{WIFI}/24", ethernet=f"{ETHERNET}/24")
BINDINGS = ((WIFI, None), ("127.0.0.1", None), ("0.0.0.0", "lo"), ("0.0.0.0", "wifi"))
TRIES = (
    ("laptop", "127.0.0.1"),
    ("laptop", "127.0.0.2"),
    ("laptop", WIFI),
    ("phone", WIFI),
    ("pc", WIFI),
)


def one_address() -> None:
    # Copy this:
    reach = reachable_from(f"{WIFI}:3000", host=LAPTOP)
    print(reach.diagram())
    print(textwrap.fill(f"a PC on the Ethernet: {reach.verdict(PC)}", 80))


def show_interfaces() -> None:
    # An interface is where packets come in and go out. It has addresses. Loopback has no wire:
    # what goes out there comes in again, inside the kernel.
    print("\nThis machine has:")
    for interface in interfaces():
        addresses = ", ".join(str(address.ip).partition("%")[0] for address in interface.addresses)
        print(f"  {interface.display_name:12} {addresses or 'no address'}"[:79])


def in_the_lab() -> None:
    route = Route("192.168.0.0/24", gateway=ETHERNET)
    with lab.network(
        laptop={"wifi": f"{WIFI}/24", "ethernet": f"{ETHERNET}/24"},
        phone={"wifi": f"{PHONE}/24"},
        pc=lab.Machine({"ethernet": f"{PC}/24"}, routes=[route]),
    ) as net:
        for address, device in BINDINGS:
            print(f"\nbound to {address}{f', to the device {device}' if device else ''}")
            with net.laptop.listen(3000, address, device=device):
                for who, to in TRIES:
                    print(f"  the {who:6} at {to:14} {net[who].probe(f'{to}:3000').outcome.value}")


def on_paper() -> None:
    for address, device in BINDINGS[1:]:
        binding = Binding(Endpoint(address, 3000), device=device, listening=True)
        print(f"\n{reachable_from(binding, host=LAPTOP).diagram()}")


if __name__ == "__main__":
    one_address()
    show_interfaces()
    if there := lab.available():
        in_the_lab()
    else:
        print(f"\n(on paper, for there is no lab here: {there})")
        on_paper()
