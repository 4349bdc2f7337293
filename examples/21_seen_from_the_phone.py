"""The other machine: a laptop's server, seen from a phone on the same Wi-Fi.

Listening on 0.0.0.0 is not being reachable: that takes the right address, a shared network, and
a firewall that lets it pass. Tried with real machines in the lab; without it, told on paper.
"""

from socket import socket

from bindlab import Host, lab, reachable_from

WIFI, ETHERNET, PHONE = "192.168.0.102", "10.0.0.12", "192.168.0.50"
NICS = {"wifi": f"{WIFI}/24", "ethernet": f"{ETHERNET}/24"}
LAPTOP = Host.of(lo="127.0.0.1/8", wifi=NICS["wifi"], ethernet=NICS["ethernet"])
FIREWALLS = {"drops": lab.firewall("drop"), "rejects, as firewalld does": lab.firewall("reject")}
PEERS = {"phone": {"wifi": f"{PHONE}/24"}, "guest": {"guests": "172.16.0.50/24"}}


def dial(phone: lab.LabHost, what: str, address: str) -> None:
    print(f"{what}:")
    print(f"  {phone.probe(f'{address}:3000')}")


def talk(server: socket, phone: lab.LabHost) -> None:
    """Let the phone ask for something, as its browser would."""
    with server, phone.connect(WIFI, 3000) as browser:
        connection, (address, _) = server.accept()
        with connection:
            connection.sendall(b"hello, phone")
        print(
            f"  the laptop sees a visitor from {address}, who reads {browser.recv(100).decode()!r}"
        )


def try_addresses(net: lab.Network) -> None:
    """Dial what people dial."""
    with net.laptop.listen(3000, "0.0.0.0"):
        dial(net.phone, "127.0.0.1, which is the phone itself", "127.0.0.1")
        dial(net.phone, "the Ethernet address, to which it has no route", ETHERNET)
        dial(net.guest, "the Wi-Fi address, as a guest in another network", WIFI)
        dial(net.phone, "the Wi-Fi address", WIFI)
    talk(net.laptop.listen(3000, "0.0.0.0"), net.phone)


def behind_firewalls() -> None:
    for name, rules in FIREWALLS.items():
        laptop = lab.Machine(NICS, firewall=rules)
        try:
            with lab.network(laptop=laptop, **PEERS) as net, net.laptop.listen(3000, "0.0.0.0"):
                dial(net.phone, f"the same, when the laptop's firewall {name}", WIFI)
        except lab.LabError as error:
            print(f"(no firewall can be shown: {error})")
            return


def main() -> None:
    reach = reachable_from("0.0.0.0:3000", host=LAPTOP)
    print("A laptop serves on 0.0.0.0:3000. bindlab says of a phone on its Wi-Fi:")
    print(f"  {reach.verdict(PHONE)}")
    if there := lab.available():
        print("\nAnd what does the phone meet, when it opens ...")
        with lab.network(laptop=NICS, **PEERS) as net:
            try_addresses(net)
        behind_firewalls()
    else:
        print(f"Nobody can try it, for there is no lab here: {there}")
    print("\nRefused: the machine is there, and no server on that address (or a firewall says so).")
    print("No answer: a firewall that drops, nobody there, or the answer finds no way back.")
    print("Unreachable: no route leads there, or nobody there has the address.")
    print("Forbidden: a firewall says so. Other programs call that 'No route to host' too.")


if __name__ == "__main__":
    main()
