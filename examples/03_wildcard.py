"""Bound to the wildcard, 0.0.0.0: reachable at every IPv4 address that the machine has.

On the laptop of the textbooks: loopback, Wi-Fi 192.168.0.102 and Ethernet 10.0.0.12. Then the
same question about this machine; no port is opened, because asking takes no socket.
"""

from bindlab import THIS_HOST, Host, Verdict, reachable_from

LAPTOP = Host.of(lo="127.0.0.1/8", wifi="192.168.0.102/24", ethernet="10.0.0.12/24")
PEOPLE = {
    "the laptop's browser": THIS_HOST,
    "a phone on the Wi-Fi": "192.168.0.50",
    "a PC on the Ethernet": "10.0.0.50",
}


def opens(verdict: Verdict) -> str:
    """Return what somebody types into the browser."""
    return verdict.endpoints[0].url() if verdict else f"nothing: {verdict.explanation}"


def on_the_laptop() -> None:
    print("A laptop with a server on 0.0.0.0:3000:")
    print()
    reach = reachable_from("0.0.0.0:3000", host=LAPTOP)
    print(reach.diagram())
    print()
    print(reach)
    print()
    for person, origin in PEOPLE.items():
        print(f"{person} opens {opens(reach.verdict(origin))}")
    print()
    print("A 'maybe' is as far as anybody can know from here: the server lets them in, and a")
    print("firewall, a router or the Wi-Fi itself may still be in the way.")


def on_this_machine() -> None:
    print("This machine, if a server were on 0.0.0.0:3000:")
    print()
    print(reachable_from("0.0.0.0:3000"))


if __name__ == "__main__":
    on_the_laptop()
    print()
    on_this_machine()
