"""Bound to the wildcard, 0.0.0.0: reachable at every IPv4 address that the machine has.

0.0.0.0 is no address to open: it stands for all that the machine has. So what do people type?
Each of them another address, the one that this machine has on *their* network. Well-known
recipes cannot know that: to look up the machine's own name finds what somebody wrote into a
file, and to pretend to connect to 8.8.8.8 finds the way out to the internet.
"""

import textwrap

from bindlab import THIS_HOST, Endpoint, Host, reachable_from

LAPTOP = Host.of(lo=["127.0.0.1/8", "::1/128"], wifi="192.168.0.102/24", ethernet="10.0.0.12/24")
PEOPLE = {
    "the laptop's own browser": THIS_HOST,
    "a phone on the Wi-Fi": "192.168.0.50",
    "a PC on the Ethernet": "10.0.0.50",
}


def on_the_laptop() -> None:
    # Copy this (leave host=LAPTOP out for your own machine):
    reach = reachable_from("0.0.0.0:3000", host=LAPTOP)
    print(reach)
    their_address = reach.verdict("192.168.0.50").opens

    print(f"\nA phone on the Wi-Fi opens {their_address}\n")
    print(reach.diagram())
    # "Conditional" is as far as anybody can know from here: the server lets them in, and a
    # firewall, a router or the Wi-Fi itself may still be in the way.
    for person, origin in PEOPLE.items():
        verdict = reach.verdict(origin)
        print(f"{person:24} {verdict.answer.value:11} {verdict.opens}")


def no_address_to_open() -> None:
    try:
        Endpoint("0.0.0.0", 3000).url()
    except ValueError as error:
        print("\nEndpoint('0.0.0.0', 3000).url() is a ValueError:")
        print(textwrap.fill(str(error), 78, initial_indent="  ", subsequent_indent="  "))


def both_families() -> None:
    # It is often said to receive from everywhere. By IPv4 alone: it says nothing of IPv6.
    for bound in ("0.0.0.0:3000", "[::]:3000"):
        endpoints = reachable_from(bound, host=LAPTOP).endpoints
        print(f"{bound:13} means {', '.join(str(endpoint.ip) for endpoint in endpoints)}")


if __name__ == "__main__":
    on_the_laptop()
    no_address_to_open()
    both_families()
