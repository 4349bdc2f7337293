"""Loopback or wildcard: the same server, seen by nobody else, or by every network.

First on this machine, with real sockets, then on the laptop of the textbooks: loopback,
Wi-Fi 192.168.0.102 and Ethernet 10.0.0.12. It exists on paper only, and obeys the same rules.
"""

from bindlab import THIS_HOST, Host, listen, reachable_from

print("On this machine")
print("===============")
for address in ("127.0.0.1", "0.0.0.0"):
    with listen(0, address) as server:
        print()
        print(reachable_from(server))

laptop = Host.of(lo="127.0.0.1/8", wifi="192.168.0.102/24", ethernet="10.0.0.12/24")
phone = "192.168.0.50"

print()
print("On the laptop of the textbooks")
print("==============================")
for endpoint in ("127.0.0.1:3000", "0.0.0.0:3000"):
    reach = reachable_from(endpoint, host=laptop)
    print()
    print(reach)
    print()
    print(reach.diagram())
    print()
    print(f"a browser on the laptop opens {reach.verdict(THIS_HOST).endpoints[0].url()}")
    verdict = reach.verdict(phone)
    if verdict:
        print(f"a phone on the Wi-Fi opens   {verdict.endpoints[0].url()}")
    else:
        print(f"a phone on the Wi-Fi cannot: {verdict.explanation}")
