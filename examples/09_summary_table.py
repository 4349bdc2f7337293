"""The summary: bound to, accessible from, used for. The library fills it in; nothing is typed in.

For the laptop of the textbooks, for a rented server, which has an address of the internet, and
for this machine: the same binding lets other people in on another machine. An address is what
to open from there, - is shut out for certain, and ? means unless a firewall, a router or the
network itself is in the way; "forwarded" is by a router, at its own address. A text cannot say
whether [::] is dual-stack: it is taken to be as the system has it by default.
"""

from collections.abc import Iterator

from bindlab import INTERNET, Host, Reach, Scope, Verdict, reachable_from, this_host

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
        for address in interface.addresses[:1]:
            if address.version == 4 and not interface.holds_loopback:
                yield str(address.ip)
    yield from ("0.0.0.0", "[::]")


def cell(verdict: Verdict) -> str:
    """Return the address to open from there, with a ? if something may be in the way."""
    if not verdict:
        return "-"
    at = str(verdict.endpoints[0].ip) if verdict.opens else "forwarded"
    return f"{at}{'?' if verdict.conditions else ''}"


def purpose(reach: Reach) -> str:
    if reach.scope <= Scope.HOST:
        return "development" if reach.scope else "nothing"
    return "everybody" if reach.verdict(INTERNET).opens else "colleagues"


def row(address: str, host: Host) -> tuple[str, ...]:
    # Copy this (without host= for your own machine):
    reach = reachable_from(f"{address}:3000", host=host)
    here, neighbour, *_, internet = reach.rows

    neighbours = [verdict for verdict in reach.rows[1:-2] if verdict]
    best = neighbours[0] if neighbours else neighbour
    return (address, cell(here), cell(best), cell(internet), purpose(reach))


def main() -> None:
    for name, host in HOSTS.items():
        rows = [("bound to", "this machine", "a neighbour", "the internet", "used for")]
        rows += [row(address, host) for address in addresses(host)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        print(f"On {name}, accessible from:")
        for cells in rows:
            padded = zip(cells, widths, strict=True)
            print("  ".join(f"{text:{width}}" for text, width in padded).rstrip())
        print()


if __name__ == "__main__":
    main()
