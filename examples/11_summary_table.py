"""The summary: bound to, accessible from, used for. The library fills it in; nothing is typed in.

For the laptop of the textbooks, for a rented server, which has an address of the internet, and
for this machine: the same binding lets other people in on another machine.
"""

from collections.abc import Iterator

from bindlab import (
    INTERNET,
    THIS_HOST,
    Condition,
    Host,
    Reach,
    Scope,
    Verdict,
    reachable_from,
    this_host,
)

LOOPBACK = ["127.0.0.1/8", "::1/128"]
HOSTS = {
    "the laptop": Host.of(lo=LOOPBACK, wifi="192.168.0.102/24", ethernet="10.0.0.12/24"),
    "the rented server": Host.of(lo=LOOPBACK, eth0=["203.0.113.7/24", "2001:db8::7/64"]),
    "this machine": this_host(),
}


def addresses(host: Host) -> Iterator[str]:
    """Yield what a server there can be bound to."""
    yield from ("127.0.0.1", "[::1]")
    for interface in host.interfaces:
        for address in interface.addresses:
            if address.version == 4 and not interface.holds_loopback:
                yield str(address.ip)
    yield from ("0.0.0.0", "[::]")


def cell(verdict: Verdict) -> str:
    """Return the address to open from there, with a ? if something may be in the way."""
    if not verdict:
        return "-"
    at = "by NAT" if Condition.NAT in verdict.conditions else str(verdict.endpoints[0].ip)
    return f"{at}{'?' if verdict.conditions else ''}"


def purpose(reach: Reach) -> str:
    if reach.scope <= Scope.HOST:
        return "development, tests, a database" if reach.scope else "nothing, as it is"
    if Condition.NAT in reach.verdict(INTERNET).conditions or reach.scope < Scope.GLOBAL:
        return "colleagues, a phone"
    return "everybody"


def table(host: Host) -> Iterator[tuple[str, ...]]:
    links = [each for each in host.interfaces if each.addresses and not each.holds_loopback]
    names = ["this machine", *(link.display_name for link in links), "the internet"]
    yield ("bound to", *names, "used for")
    for address in addresses(host):
        reach = reachable_from(f"{address}:3000", host=host)
        origins = [THIS_HOST, *links, INTERNET]
        yield (address, *(cell(reach.verdict(origin)) for origin in origins), purpose(reach))


def main() -> None:
    for name, host in HOSTS.items():
        rows = list(table(host))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        print(f"On {name}, accessible from:")
        for row in rows:
            cells = zip(row, widths, strict=True)
            print("  ".join(f"{text:{width}}" for text, width in cells).rstrip())
        print()
    print("An address is what to open from there, - is shut out for certain, and ? means unless a")
    print("firewall, a router or the network itself is in the way. A text cannot say whether [::]")
    print("is dual-stack: it is taken to be as the system has it by default (15).")


if __name__ == "__main__":
    main()
