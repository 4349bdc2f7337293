"""Made-up topologies of what is rare: overlapping networks, odd prefixes, rules, ports, any-IP.

The same seed makes the same network, on every Python, as in random_topologies.py.
"""

import random
from collections.abc import Iterator, Mapping

from bindlab.lab import Machine, Nic

from .topologies import Topology

__all__ = ["odd_topology"]

_LINKS = ("wifi", "cable", "vpn")


def odd_topology(seed: int) -> Topology:
    """Return the topology that *seed* stands for: two or three links, one to three peers."""
    rng = random.Random(f"odd {seed}")
    links = _LINKS[: rng.choice((1, 2, 2, 2, 3))]
    # Two links may be one network by their addresses, as with two cables into one switch.
    alike = len(links) > 1 and rng.random() < 0.25
    networks = {link: 1 if alike else 1 + number for number, link in enumerate(links)}
    families = rng.choice(((4, 6), (4, 6), (4,), (6,)))
    same = alike and rng.random() < 0.3
    nics = {
        link: Nic(
            [*_addresses(rng, networks[link], 1 if same or not alike else 1 + order, families)],
            up=rng.random() > 0.06,
            carrier=rng.random() > 0.06,
            rp_filter=rng.choice((0, 0, 1, 2)),
            arp_ignore=rng.choice((0, 0, 0, 1)),
            route_localnet=rng.random() < 0.06,
        )
        for order, link in enumerate(links)
    }
    machines = {
        "laptop": Machine(
            nics,
            forwarding=rng.random() < 0.25,
            rp_filter=rng.choice((0, 0, 0, 1, 2)),
            bindv6only=rng.random() < 0.1,
        )
    }
    for number in range(rng.randint(1, 3)):
        machines[f"peer{number}"] = _peer(rng, networks, nics, 20 + number, families)
    also: list[str] = []
    setup = list(_setup(rng, nics, networks, also))
    return Topology(f"odd {seed}", machines, also=tuple(also), setup=tuple(setup))


def _addresses(
    rng: random.Random, network: int, host: int, families: tuple[int, ...]
) -> Iterator[str]:
    if 4 in families and rng.random() < 0.9:
        yield f"10.{network}.0.{host}/{rng.choice((24, 24, 24, 25, 27, 16, 32))}"
        if rng.random() < 0.2:
            yield f"10.{network}.9.{2 * host}/{rng.choice((31, 32, 30))}"
    if 6 in families:
        if rng.random() < 0.6:
            yield f"2001:db8:{network}::{host:x}/{rng.choice((64, 64, 64, 127, 128, 56))}"
        if rng.random() < 0.4:
            yield f"fd00:{network}::{host:x}/64"
    if 6 in families and rng.random() < 0.25:
        yield f"fe80::{host:x}/64"


def _peer(
    rng: random.Random,
    networks: Mapping[str, int],
    ours: Mapping[str, Nic],
    number: int,
    families: tuple[int, ...],
) -> Machine:
    """Return a sender on one link or two, with addresses of its own network or of none here."""
    joined = rng.sample(sorted(networks), rng.randint(1, min(2, len(networks))))
    nics: dict[str, Nic] = {}
    for order, link in enumerate(joined):
        number += 40 * order
        network = rng.choice((networks[link], networks[link], 7, *networks.values()))
        addresses = []
        if 4 in families:
            addresses.append(f"10.{network}.0.{number}/{rng.choice((24, 24, 16, 32))}")
        if 6 in families:
            addresses.append(f"2001:db8:{network}::{number:x}/{rng.choice((64, 64, 128))}")
            addresses.append(f"fd00:{network}::{number:x}/64")
        if rng.random() < 0.3 and 4 in families:
            addresses.append(f"172.30.{number}.1/24")
        nics[link] = Nic(addresses)
    routers = {
        address.version: str(address.ip)
        for address in ours[joined[0]].addresses
        if not address.ip.is_link_local
        and any(address.ip in theirs.network for theirs in nics[joined[0]].addresses)
    }
    through = routers.values() if rng.random() < 0.5 else ()
    return Machine(nics, gateway=through, forwarding=rng.random() < 0.3)


def _setup(
    rng: random.Random, nics: Mapping[str, Nic], networks: Mapping[str, int], also: list[str]
) -> Iterator[str]:
    """Yield what ip(8) is told on the laptop, once all is made."""
    live = [name for name, nic in nics.items() if nic.up and nic.carrier]
    choices = (
        _rules,
        _routes_back,
        _refusals,
        _any_ip,
        _dummy,
        _port,
        _deprecated,
        _prefix_on_loopback,
    )
    for kind in choices:
        if rng.random() < 0.3 and live:
            yield from kind(rng, rng.choice(live), networks, also)


def _rules(
    rng: random.Random, link: str, networks: Mapping[str, int], also: list[str]
) -> Iterator[str]:
    del also
    network = networks[link]
    yield f"route add default dev {link} table 100"
    yield f"-6 route add default dev {link} table 100"
    yield rng.choice(
        (
            f"rule add from 10.{network}.0.1 lookup 100",
            f"rule add iif {link} lookup 100",
            "rule add lookup 100 priority 40000",
            f"rule add to 10.{network}.0.20 blackhole",
            f"rule add from 10.{network}.0.0/24 prohibit",
            f"-6 rule add from 2001:db8:{network}::1 lookup 100",
            f"-6 rule add to 2001:db8:{network}::14 unreachable",
        )
    )


def _routes_back(
    rng: random.Random, link: str, networks: Mapping[str, int], also: list[str]
) -> Iterator[str]:
    del networks, also
    yield f"route append {rng.choice(('172.30.0.0/16', '10.7.0.0/16', 'default'))} dev {link}"
    to = rng.choice(("2001:db8:7::/64", "fd00:7::/64", "default"))
    yield f"-6 route append {to} dev {link}"


def _refusals(
    rng: random.Random, link: str, networks: Mapping[str, int], also: list[str]
) -> Iterator[str]:
    del also
    network = networks[link]
    refusal = rng.choice(("unreachable", "blackhole", "prohibit"))
    yield f"route append {refusal} 10.{network}.0.{rng.randint(20, 22)}/32"
    yield f"-6 route append {refusal} 2001:db8:{network}::{rng.randint(20, 22):x}/128"


def _any_ip(
    rng: random.Random, link: str, networks: Mapping[str, int], also: list[str]
) -> Iterator[str]:
    del networks
    yield f"route add local 10.66.0.0/24 dev {rng.choice((link, 'lo'))}"
    yield "-6 route add local 2001:db8:66::/64 dev lo"
    also += ["10.66.0.7", "2001:db8:66::7"]


def _dummy(
    rng: random.Random, link: str, networks: Mapping[str, int], also: list[str]
) -> Iterator[str]:
    del link, networks, also
    yield "link add ifb7 type ifb"  # a dummy, which every kernel here has
    if rng.random() < 0.7:
        yield "link set ifb7 up"
    yield "address add 10.88.0.1/24 dev ifb7"
    yield "-6 address add 2001:db8:88::1/64 dev ifb7 nodad"


def _port(
    rng: random.Random, link: str, networks: Mapping[str, int], also: list[str]
) -> Iterator[str]:
    del networks, also
    yield "link add br7 type bridge"
    yield "link set br7 addrgenmode none"
    if rng.random() < 0.8:
        yield "link set br7 up"
    if rng.random() < 0.7:
        yield "address add 10.77.0.1/24 dev br7"
        yield "-6 address add 2001:db8:77::1/64 dev br7 nodad"
    yield f"link set {link} master br7"


def _deprecated(
    rng: random.Random, link: str, networks: Mapping[str, int], also: list[str]
) -> Iterator[str]:
    del also
    network = networks[link]
    lifetime = rng.choice(("preferred_lft 0", "noprefixroute", ""))
    yield f"-6 address add 2001:db8:{network}::99/64 dev {link} nodad {lifetime}".strip()
    yield f"address add 10.{network}.0.99/{rng.choice((24, 32))} dev {link}"


def _prefix_on_loopback(
    rng: random.Random, link: str, networks: Mapping[str, int], also: list[str]
) -> Iterator[str]:
    del link
    prefix = rng.choice((f"10.{next(iter(networks.values()))}.0.200/29", "10.99.0.1/24"))
    yield f"address add {prefix} dev lo"
    if prefix.startswith("10.99"):
        also.append("10.99.0.9")
