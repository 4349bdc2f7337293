"""Which address do I tell them? The one that this machine has on *their* network.

Two well-known recipes cannot know that: to look up the machine's own name, and to pretend to
connect to 8.8.8.8 and see from which address. Tried on a laptop of the lab, or told on paper.
"""

import socket

from bindlab import Host, lab, reachable_from

WIFI, ETHERNET, PHONE = "192.168.0.102", "10.0.0.12", "192.168.0.50"


def on_this_machine() -> None:
    print("This machine has these addresses for a server on [::]:3000, IPv4 and IPv6:")
    endpoints = reachable_from("[::]:3000").endpoints
    for endpoint in endpoints:
        print(f"  {endpoint!s:42} {endpoint.reason}")
    if not endpoints:
        print("  none: it has no network, not even its own loopback")


def ask_bindlab(laptop: Host) -> str:
    """Return what *laptop* has to tell the phone."""
    return str(reachable_from("0.0.0.0:3000", host=laptop).verdict(PHONE).endpoints[0])


def look_up_the_name(laptop: lab.LabHost) -> str:
    try:
        return laptop.call(socket.gethostbyname, socket.gethostname())
    except OSError as error:
        return f"nothing ({error.strerror})"


def recipes(net: lab.Network) -> None:
    """Try each recipe on the laptop, and its answer from the phone."""
    print(f"its name, looked up, stands for {look_up_the_name(net.laptop)}")
    print("  so a file or a name server says, whatever addresses the laptop has")
    with net.laptop.connect("8.8.8.8", 53, transport="udp") as towards_the_internet:
        guess = f"{towards_the_internet.getsockname()[0]}:3000"
    with net.laptop.listen(3000, "0.0.0.0"):
        print(f"to 8.8.8.8 it would go from {guess}")
        print(f"  the phone: {net.phone.probe(guess)}")
        answer = ask_bindlab(net.laptop.host())
        print(f"for a phone at {PHONE} bindlab says {answer}")
        print(f"  the phone: {net.phone.probe(answer)}")


def main() -> None:
    on_this_machine()
    print(f"\nA laptop has {WIFI} on the Wi-Fi and {ETHERNET} on the Ethernet, its way out.")
    if there := lab.available():
        with lab.network(
            laptop=lab.Machine(
                {"wifi": f"{WIFI}/24", "ethernet": f"{ETHERNET}/24"}, gateway="10.0.0.1"
            ),
            router=lab.Machine({"ethernet": "10.0.0.1/24"}, forwarding=True),
            phone={"wifi": f"{PHONE}/24"},
        ) as net:
            recipes(net)
    else:
        print(f"(on paper, for there is no lab here: {there})")
        laptop = Host.of(lo="127.0.0.1/8", wifi=f"{WIFI}/24", ethernet=f"{ETHERNET}/24")
        print(f"for a phone at {PHONE} bindlab says {ask_bindlab(laptop)}")
    print(
        "A name tells what somebody wrote down, 8.8.8.8 the way out; ask about who is to connect."
    )


if __name__ == "__main__":
    main()
