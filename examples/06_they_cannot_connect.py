"""They can't connect: a server that somebody else started, and a phone that gets no page.

Laptop and phone are real here: hosts of the lab, with this kernel's sockets and packets. Where
the system allows no namespaces, the same laptop exists on paper, and nobody can try. Find out
why, do what is said, and try again.

What the phone meets tells much. Refused: the machine is there, and no server on that address,
or a firewall says so. No answer: a firewall drops, nobody is there, or the answer finds no way
back. Unreachable: no route leads there, or nobody there has the address.
"""

import sys

from bindlab import Endpoint, Host, explain, lab, wait_until_listening

WIFI, ETHERNET, PHONE = "192.168.0.102", "10.0.0.12", "192.168.0.50"
NICS = {"wifi": f"{WIFI}/24", "ethernet": f"{ETHERNET}/24"}


def why(host: Host) -> None:
    """Ask about a laptop that is only described."""
    # Copy this (explain(3000, "192.168.0.50") asks your own machine):
    explanation = explain("127.0.0.1:3000", "192.168.0.50", host=host)
    print(explanation)


def serve(net: lab.Network, address: str) -> Endpoint | None:
    """Run Python's own web server; print what the phone meets, and why; return what to bind."""
    command = [sys.executable, "-m", "http.server", "3000", "--bind", address]
    print(f"\n$ python -m http.server 3000 --bind {address}")
    with net.laptop.run(command):
        net.laptop.call(wait_until_listening, f"{address}:3000")
        print(
            f"the phone opens http://{WIFI}:3000: {net.phone.probe(f'{WIFI}:3000').outcome.value}"
        )
        explanation = net.laptop.call(explain, 3000, PHONE)
        print(str(explanation).splitlines()[0])
    return explanation.remedies[0].bind if explanation.remedies else None


def other_mistakes(net: lab.Network) -> None:
    """Dial what people dial, when the server is right."""
    print("\nThe server is on 0.0.0.0 now, and people open ...")
    with net.laptop.listen(3000, "0.0.0.0"):
        for what, who, address in (
            ("127.0.0.1, on the phone", net.phone, "127.0.0.1"),
            ("the Ethernet address, on the Wi-Fi", net.phone, ETHERNET),
            ("the Wi-Fi address, in the guest network", net.guest, WIFI),
            ("the Wi-Fi address, on the Wi-Fi", net.phone, WIFI),
        ):
            print(f"  {what:40} {who.probe(f'{address}:3000').outcome.value}")


def main() -> None:
    why(Host.of(lo="127.0.0.1/8", **NICS))
    if there := lab.available():
        peers = {"phone": {"wifi": f"{PHONE}/24"}, "guest": {"guests": "172.16.0.50/24"}}
        with lab.network(laptop=NICS, **peers) as net:
            advice = serve(net, "127.0.0.1")
            assert advice is not None
            serve(net, str(advice.ip))
            other_mistakes(net)
    else:
        print(f"\n(on paper, for there is no lab here: {there})")


if __name__ == "__main__":
    main()
