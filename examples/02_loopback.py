"""Bound to loopback, 127.0.0.1: programs on this machine get in, and nobody else.

First with a real server on this machine, tried at each of its addresses. Then on the laptop of
the textbooks, which exists on paper only and obeys the same rules.
"""

from bindlab import THIS_HOST, Endpoint, Host, binding_of, interfaces, listen, probe, reachable_from

LAPTOP = Host.of(lo="127.0.0.1/8", wifi="192.168.0.102/24", ethernet="10.0.0.12/24")
PHONE = "192.168.0.50"


def on_this_machine() -> None:
    print("On this machine, a server on 127.0.0.1, tried at every IPv4 address of the machine:")
    with listen(0, "127.0.0.1") as server:
        port = binding_of(server).endpoint.port
        for interface in interfaces():
            for address in interface.addresses:
                if address.version == 4 and interface.is_up is not False:
                    met = probe(Endpoint(address.ip, port))
                    print(f"  {interface.display_name:10} {met}")
        print("Whatever addresses the machine has, the server has only this one.")


def on_the_laptop() -> None:
    print("A laptop with a server on 127.0.0.1:3000:")
    print()
    reach = reachable_from("127.0.0.1:3000", host=LAPTOP)
    print(reach.diagram())
    print()
    print(f"its own browser opens  {reach.verdict(THIS_HOST).endpoints[0].url()}")
    print(f"a phone on the Wi-Fi   {reach.verdict(PHONE)}")
    print(f"the widest audience    {reach.scope.name}: every program of every user of this machine")
    print()
    print("http://127.0.0.1:3000 typed on the phone is no way in either: every machine has a")
    print("127.0.0.1 of its own, and there it is the phone.")


if __name__ == "__main__":
    on_this_machine()
    print()
    on_the_laptop()
