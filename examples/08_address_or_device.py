"""What an interface is, what loopback is, and what "bound to the lo interface" would be.

bind() picks an *address*. To be bound to an interface, a device, is another thing, which Linux
calls SO_BINDTODEVICE; both are shown here side by side, with what each lets in.
"""

from bindlab import Binding, Endpoint, Host, Interface, interfaces, lab, reachable_from

WIFI, PHONE = "192.168.0.102", "192.168.0.50"
BINDINGS = (("127.0.0.1", None), ("0.0.0.0", "lo"), (WIFI, None), ("0.0.0.0", "wifi"))
DOORS = ("127.0.0.1", "127.0.0.2", WIFI)


def state(interface: Interface) -> str:
    up = {True: "up", False: "down", None: "in an unknown state"}[interface.is_up]
    return f"{up}, loopback" if interface.holds_loopback else up


def show_interfaces() -> None:
    print("An interface is where packets come in and go out. It has addresses. This machine has:")
    for interface in interfaces():
        addresses = ", ".join(map(str, interface.addresses)) or "no address"
        print(f"  {interface.display_name:12} {addresses} ({state(interface)})")
    print("Loopback has no wire: what goes out there comes in again, inside the kernel.")


def try_each(net: lab.Network) -> None:
    print("Servers on the lab's laptop, each tried by the laptop, then by the phone:")
    for address, device in BINDINGS:
        with net.laptop.listen(3000, address, device=device) as server:
            (binding,) = reachable_from(server, host=net.laptop.host()).bindings
            print(f"\nbound to {binding}")
            for door in DOORS:
                print(f"  the laptop at {door:14} {net.laptop.probe(f'{door}:3000').outcome.value}")
            print(f"  the phone at  {WIFI:14} {net.phone.probe(f'{WIFI}:3000').outcome.value}")


def on_paper() -> None:
    laptop = Host.of(lo="127.0.0.1/8", wifi=f"{WIFI}/24")
    for address, device in BINDINGS:
        binding = Binding(Endpoint(address, 3000), device=device, listening=True)
        print(f"\n{reachable_from(binding, host=laptop).diagram()}")


def main() -> None:
    show_interfaces()
    print()
    if there := lab.available():
        with lab.network(laptop={"wifi": f"{WIFI}/24"}, phone={"wifi": f"{PHONE}/24"}) as net:
            try_each(net)
    else:
        print(f"On paper, for there is no lab here: {there}")
        on_paper()
    print()
    print("So a server on 127.0.0.1 is bound to an address. It may have come to be called 'bound")
    print("to lo'; a server that really is answers on 127.0.0.2 too. And one bound to the device")
    print("wifi is shut to 127.0.0.1, but open to its own machine at the Wi-Fi address. Whom a")
    print("binding shuts out is refused at once; who waits in vain has met something else (21).")


if __name__ == "__main__":
    main()
