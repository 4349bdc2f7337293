"""Bound to one address of the LAN: reachable there, and at loopback no more.

A laptop on Wi-Fi and Ethernet serves on its Wi-Fi address alone; a phone on the Wi-Fi and a PC
on the Ethernet try. They are real in the lab; without a lab the laptop exists on paper.
"""

from socket import socket

from bindlab import Host, Route, lab, reachable_from

WIFI, ETHERNET, PHONE, PC = "192.168.0.102", "10.0.0.12", "192.168.0.50", "10.0.0.50"
BOUND = f"{WIFI}:3000"


def predict(server: socket | str, laptop: Host) -> None:
    reach = reachable_from(server, host=laptop)
    print()
    print(reach.diagram())
    print()
    for name, origin in (("the phone", PHONE), ("the PC", PC)):
        print(f"bindlab says of {name}: {reach.verdict(origin)}")


def attempts(net: lab.Network) -> None:
    print()
    print(f"the laptop tries 127.0.0.1:  {net.laptop.probe('127.0.0.1:3000')}")
    print(f"the laptop tries its Wi-Fi:  {net.laptop.probe(BOUND)}")
    print(f"the phone tries the Wi-Fi:   {net.phone.probe(BOUND)}")
    print(f"the PC tries the Ethernet:   {net.pc.probe(f'{ETHERNET}:3000')}")
    print(f"the PC tries the Wi-Fi:      {net.pc.probe(BOUND)}")
    print()
    print("The last one surprises: the PC is not on the Wi-Fi, but it has a route to the laptop's")
    print("Wi-Fi address, by the Ethernet. Linux takes a packet for any of its own addresses by")
    print("any interface: to bind an address is not to bind an interface (08 shows that).")


def main() -> None:
    print(f"A server on {BOUND}, on a laptop that has {ETHERNET} too")
    if there := lab.available():
        print("(tried with the lab's machines)")
        to_the_wifi = Route("192.168.0.0/24", gateway=ETHERNET)
        with (
            lab.network(
                laptop={"wifi": f"{WIFI}/24", "ethernet": f"{ETHERNET}/24"},
                phone={"wifi": f"{PHONE}/24"},
                pc=lab.Machine({"ethernet": f"{PC}/24"}, routes=[to_the_wifi]),
            ) as net,
            net.laptop.listen(3000, WIFI) as server,
        ):
            predict(server, net.laptop.host())
            attempts(net)
    else:
        print(f"(on paper, for there is no lab here: {there})")
        predict(BOUND, Host.of(lo="127.0.0.1/8", wifi=f"{WIFI}/24", ethernet=f"{ETHERNET}/24"))


if __name__ == "__main__":
    main()
