"""They can't connect: a server that somebody else started, and a phone that gets no page.

Laptop and phone are real here: hosts of the lab, with this kernel's sockets and packets. Where
the system allows no namespaces, the same laptop exists on paper, and nobody can try.
"""

import sys

from bindlab import Endpoint, Host, explain, lab, wait_until_listening
from bindlab.lab import LabHost

WIFI, PHONE = "192.168.0.102", "192.168.0.50"


def serve(laptop: LabHost, phone: LabHost, address: str) -> Endpoint | None:
    """Run Python's own web server; print what the phone meets, and why; return what to bind."""
    command = [sys.executable, "-m", "http.server", "3000", "--bind", address]
    print(f"\n$ python -m http.server 3000 --bind {address}")
    with laptop.run(command) as server:
        laptop.call(wait_until_listening, f"{WIFI if address == WIFI else '127.0.0.1'}:3000")
        print(f"the phone opens http://{WIFI}:3000: {phone.probe(f'{WIFI}:3000').outcome.value}")
        explanation = laptop.call(explain, 3000, PHONE)
        print(f"\n>>> print(explain(3000, {PHONE!r}))\n{explanation}")
        assert server.poll() is None
    return explanation.remedies[0].bind if explanation.remedies else None


def on_the_lab() -> None:
    """Find out why, do what is said, and try again."""
    with lab.network(
        laptop={"wifi": f"{WIFI}/24", "ethernet": "10.0.0.12/24"},
        phone={"wifi": f"{PHONE}/24"},
    ) as net:
        advice = serve(net.laptop, net.phone, "127.0.0.1")
        assert advice is not None
        serve(net.laptop, net.phone, str(advice.ip))


def on_paper() -> None:
    """Ask the same of a laptop that is only described."""
    laptop = Host.of(lo="127.0.0.1/8", wifi=f"{WIFI}/24", ethernet="10.0.0.12/24")
    for address in ("127.0.0.1", WIFI):
        print(f"\n>>> print(explain('{address}:3000', {PHONE!r}, host=laptop))")
        print(explain(f"{address}:3000", PHONE, host=laptop))


def main() -> None:
    if there := lab.available():
        print("A laptop and a phone on one Wi-Fi, made of network namespaces")
        on_the_lab()
    else:
        print(f"A laptop on paper, for there is no lab here: {there}")
        on_paper()


if __name__ == "__main__":
    main()
