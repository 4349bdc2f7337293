"""The other machine: a laptop's server, seen from a phone on the same Wi-Fi.

Listening on 0.0.0.0 is not being reachable: that takes the right address, a shared network, and
a firewall that lets it pass. Tried with real machines in the lab; without it, told on paper.
"""

from bindlab import Host, lab, reachable_from

WIFI, ETHERNET, PHONE = "192.168.0.102", "10.0.0.12", "192.168.0.50"
NICS = {"wifi": f"{WIFI}/24", "ethernet": f"{ETHERNET}/24"}
LAPTOP = Host.of(lo="127.0.0.1/8", wifi=NICS["wifi"], ethernet=NICS["ethernet"])
PEERS = {"phone": {"wifi": f"{PHONE}/24"}, "guest": {"guests": "172.16.0.50/24"}}


def dial(net: lab.Network) -> None:
    """Try the addresses that people try."""
    with net.laptop.listen(3000, "0.0.0.0"):
        print("itself, which 127.0.0.1 is on a phone:")
        print(f"  {net.phone.probe('127.0.0.1:3000')}")
        print("the laptop's address on the Ethernet, where the phone is not:")
        print(f"  {net.phone.probe(f'{ETHERNET}:3000')}")
        print("the laptop's address on the Wi-Fi:")
        print(f"  {net.phone.probe(f'{WIFI}:3000')}")
        print("the same, from a phone on the guests' network:")
        print(f"  {net.guest.probe(f'{WIFI}:3000')}")


def talk(net: lab.Network) -> None:
    with net.laptop.listen(3000, "0.0.0.0") as server, net.phone.connect(WIFI, 3000) as phone:
        connection, (address, _) = server.accept()
        with connection:
            connection.sendall(b"hello, phone")
        print(f"(the laptop has a visitor from {address}, who reads {phone.recv(100).decode()!r})")


def behind_a_firewall() -> None:
    laptop = lab.Machine(NICS, firewall=lab.firewall("drop"))
    try:
        with lab.network(laptop=laptop, **PEERS) as net, net.laptop.listen(3000, "0.0.0.0"):
            print("the laptop's address on the Wi-Fi, when the laptop's firewall is on:")
            print(f"  {net.phone.probe(f'{WIFI}:3000')}")
    except lab.LabError as error:
        print(f"(no firewall can be shown: {error})")


def main() -> None:
    reach = reachable_from("0.0.0.0:3000", host=LAPTOP)
    print("A laptop serves on 0.0.0.0:3000. bindlab says of a phone on its Wi-Fi:")
    print(f"  {reach.verdict(PHONE)}")
    if there := lab.available():
        print("\nAnd what does the phone meet, when it opens ...")
        with lab.network(laptop=NICS, **PEERS) as net:
            dial(net)
            talk(net)
        behind_a_firewall()
    else:
        print(f"Nobody can try it, for there is no lab here: {there}")
    print("\nRefused: the machine is there, and no server on that address. No answer: a firewall,")
    print("or nobody. Unreachable: the phone knows no way there. Each has another remedy.")


if __name__ == "__main__":
    main()
