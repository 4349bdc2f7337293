"""Why 0.0.0.0 works: it means every IPv4 address of the host, and cannot be dialled.

It is often said to receive from every interface. From every interface, yes, but by IPv4 alone:
it says nothing of IPv6. A laptop with both is tried from a phone with both, in the lab or on paper.
"""

from bindlab import Endpoint, Host, lab, reachable_from

WIFI = ("192.168.0.102/24", "2001:db8::102/64")
PHONE = ("192.168.0.50/24", "2001:db8::50/64")
TRIES = ("192.168.0.102:3000", "[2001:db8::102]:3000")
LAPTOP = Host.of(lo=["127.0.0.1/8", "::1/128"], wifi=WIFI)


def none_to_dial() -> None:
    print("What to type into a browser for a server on 0.0.0.0:3000?")
    try:
        print(Endpoint("0.0.0.0", 3000).url())
    except ValueError as error:
        print(f"  {error}")
    print("So which are they, on a laptop with IPv4 and IPv6?")
    for endpoint in reachable_from("0.0.0.0:3000", host=LAPTOP).endpoints:
        print(f"  {endpoint.url():28} {endpoint.reason}")


def four_and_six() -> None:
    for bound in ("0.0.0.0:3000", "[::]:3000"):
        print(f"\n{reachable_from(bound, host=LAPTOP).diagram()}")


def dialled_all_the_same(net: lab.Network) -> None:
    for address, dual_stack in (("0.0.0.0", False), ("::", True)):
        with net.laptop.listen(3000, address, dual_stack=dual_stack):
            name = f"{address}, dual-stack" if dual_stack else address
            print(f"\nA server on {name}, tried from the phone:")
            for endpoint in TRIES:
                print(f"  {net.phone.probe(endpoint)}")
    with net.laptop.listen(3000, "0.0.0.0"):
        print("\nAnd who dials 0.0.0.0 all the same? Linux takes it for the machine that dials:")
        with net.laptop.connect("0.0.0.0", 3000) as client:
            print(f"  the laptop is connected to {client.getpeername()[0]}, to itself")
        try:
            net.phone.connect("0.0.0.0", 3000, timeout=5).close()
        except OSError as error:
            print(f"  the phone, to its own: {error.strerror}")


def main() -> None:
    none_to_dial()
    four_and_six()
    try:
        with lab.network(laptop={"wifi": WIFI}, phone={"wifi": PHONE}) as net:
            dialled_all_the_same(net)
    except lab.LabError as error:
        print(f"\nNobody can try it, for there is no lab here: {error}")


if __name__ == "__main__":
    main()
