"""Bound to loopback, 127.0.0.1: programs on this machine get in, and nobody else.

A real server on this machine is tried at each of its addresses. Then the same on the laptop of
the textbooks, which exists on paper only and obeys the same rules. http://127.0.0.1:3000 typed
on a phone is no way in either: every machine has a 127.0.0.1 of its own, and there it is the
phone.
"""

from bindlab import THIS_HOST, Endpoint, Host, interfaces, listen, probe, reachable_from

LAPTOP = Host.of(lo="127.0.0.1/8", wifi="192.168.0.102/24", ethernet="10.0.0.12/24")
PHONE = "192.168.0.50"


def on_this_machine() -> None:
    # Copy this:
    with listen(0, "127.0.0.1") as server:
        private = "192.168.0.50" not in reachable_from(server)
        port = server.getsockname()[1]

        print(f"On this machine, a private server: {private}. Tried at every address:")
        for interface in interfaces():
            for address in interface.addresses:
                if address.version == 4 and interface.is_up is not False:
                    outcome = probe(Endpoint(address.ip, port)).outcome.value
                    print(f"  {interface.display_name:10} {address.ip!s:15} {outcome}")


def on_the_laptop() -> None:
    reach = reachable_from("127.0.0.1:3000", host=LAPTOP)
    print(reach.diagram())
    print()
    print(f"its own browser opens  {reach.verdict(THIS_HOST).opens}")
    print(f"a phone on the Wi-Fi   {reach.verdict(PHONE)}")
    print(f"the widest audience    {reach.scope.name}")


if __name__ == "__main__":
    on_this_machine()
    print()
    on_the_laptop()
