"""They can't connect: a server on a laptop, and a phone on the same Wi-Fi that gets no answer.

Laptop and phone are real here: hosts of the lab, with this kernel's sockets and packets. Where
the system allows no namespaces, the same laptop exists on paper, and nobody can try.
"""

from socket import socket

from bindlab import Host, lab, reachable_from
from bindlab.lab import LabHost

WIFI, ETHERNET, PHONE = "192.168.0.102", "10.0.0.12", "192.168.0.50"
TRIES = {
    "127.0.0.1": "as many servers do unless told otherwise",
    WIFI: "the address that the laptop has on the phone's network",
    "0.0.0.0": "every address that the laptop has",
}


def show(laptop: Host, server: socket | str, phone: LabHost | None, itself: LabHost | None) -> None:
    """Print what bindlab says of *server*, and what is met when it is tried."""
    verdict = reachable_from(server, host=laptop).verdict(PHONE)
    print(f"  bindlab on the phone:  {verdict}")
    if verdict:
        print(f"  it opens               {verdict.endpoints[0].url()}")
    if phone and itself:
        print(f"  the phone, trying:     {phone.probe(f'{WIFI}:3000')}")
        print(f"  the laptop, trying:    {itself.probe('127.0.0.1:3000')}")


def on_the_lab() -> None:
    """Try each address with real hosts, the phone's connections included."""
    with lab.network(
        laptop={"wifi": f"{WIFI}/24", "ethernet": f"{ETHERNET}/24"},
        phone={"wifi": f"{PHONE}/24"},
    ) as net:
        for address, why in TRIES.items():
            print(f"\nserving on {address}:3000, {why}")
            with net.laptop.listen(3000, address) as server:
                show(net.laptop.host(), server, net.phone, net.laptop)


def on_paper() -> None:
    """Ask the same of a laptop that is only described."""
    laptop = Host.of(lo="127.0.0.1/8", wifi=f"{WIFI}/24", ethernet=f"{ETHERNET}/24")
    for address, why in TRIES.items():
        print(f"\nserving on {address}:3000, {why}")
        show(laptop, f"{address}:3000", None, None)


if available := lab.available():
    print("A laptop and a phone, made of network namespaces")
    on_the_lab()
else:
    print(f"A laptop on paper (no real one: {available})")
    on_paper()
