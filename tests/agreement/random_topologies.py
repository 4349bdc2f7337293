"""Made-up topologies: the same seed makes the same network, on every Python."""

import random
from collections.abc import Iterator, Mapping

from bindlab import Route
from bindlab.lab import Machine, Nic

from .topologies import Topology

__all__ = ["random_topology"]

_NAMES = ("wifi", "ethernet", "vpn")


def random_topology(seed: int) -> Topology:
    """Return the topology that *seed* stands for: one to three networks, up to four peers."""
    rng = random.Random(seed)
    networks = _NAMES[: rng.randint(1, 3)]
    laptop = {name: _nic(rng, name, 1) for name in networks}
    if rng.random() < 0.3:
        laptop["lo"] = Nic([f"10.99.{rng.randrange(4)}.1/32", "2001:db8:99::1/128"])
    machines = {
        "laptop": Machine(
            laptop,
            forwarding=rng.random() < 0.3,
            rp_filter=rng.choice((0, 0, 0, 1, 2)),
            arp_ignore=rng.choice((0, 0, 0, 1)),
            route_localnet=rng.random() < 0.15,
            disable_ipv6=False,
            bindv6only=rng.random() < 0.2,
        )
    }
    for number in range(rng.randint(1, 3)):
        machines[f"peer{number}"] = _peer(rng, networks, laptop, 10 + number)
    if rng.random() < 0.4:
        machines |= _far(networks[0])
        if rng.random() < 0.6:
            nic = laptop[networks[0]]
            attached = {
                address.version
                for address in nic.addresses
                if address.network.prefixlen in (24, 64) and not address.ip.is_link_local
            }
            routers = {4: f"{_prefix4(networks[0])}.9", 6: f"{_prefix6(networks[0])}::9"}
            if nic.up:
                back = [router for version, router in routers.items() if version in attached]
                machines["laptop"] = machines["laptop"].replace(gateway=back)
    setup = tuple(_routes(rng, laptop)) if rng.random() < 0.5 else ()
    return Topology(f"random {seed}", machines, setup=setup)


def _routes(rng: random.Random, laptop: Mapping[str, Nic]) -> Iterator[str]:
    """Yield what ip(8) is told of routes that help, mislead or refuse."""
    live = [name for name, nic in laptop.items() if name != "lo" and nic.up]
    for number in range(rng.randint(1, 4)):
        version, at = rng.choice((4, 6)), rng.choice(_NAMES)
        prefix, family = (_prefix4(at), "") if version == 4 else (f"{_prefix6(at)}:", "-6 ")
        length = 32 if version == 4 else 128
        to = rng.choice(
            (
                "default",
                f"{prefix}.{rng.randint(9, 12)}/32" if length == 32 else f"{prefix}:{10:x}/128",
                f"{prefix}.0/24" if length == 32 else f"{prefix}:/64",
                "203.0.113.0/24" if length == 32 else "2001:db8:fa::/64",
            )
        )
        metric = f"metric {rng.choice((0, 10, 2000)) + number}"
        refusal = rng.choice(("unreachable", "blackhole", "prohibit"))
        if live and rng.random() < 0.6:
            yield f"{family}route append {to} dev {rng.choice(live)} {metric}"
        else:
            yield f"{family}route append {refusal} {to} {metric}"
    for name in live:
        prefixes = {a.network for a in laptop[name].addresses if a.network.prefixlen in (24, 64)}
        for network in sorted(prefixes, key=str):
            if laptop[name].carrier and not network.is_link_local and rng.random() < 0.15:
                yield f"{'-6 ' if network.version == 6 else ''}route flush {network} dev {name}"


def _nic(rng: random.Random, name: str, number: int) -> Nic:
    addresses: list[str] = []
    if rng.random() < 0.85:
        addresses.append(f"{_prefix4(name)}.{number}/24")
        if rng.random() < 0.25:
            addresses.append(f"{_prefix4(name)}.{number + 100}/{rng.choice((24, 32))}")
    if rng.random() < 0.7:
        addresses.append(f"{_prefix6(name)}::{number:x}/64")
    if rng.random() < 0.2:
        addresses.append(f"fe80::{number:x}/64")
    state = rng.random()
    return Nic(
        addresses,
        up=state > 0.1,
        carrier=not 0.1 < state < 0.18,
        rp_filter=rng.choice((0, 0, 0, 1, 2)),
        route_localnet=rng.random() < 0.1,
    )


def _peer(
    rng: random.Random, networks: tuple[str, ...], laptop: Mapping[str, Nic], number: int
) -> Machine:
    joined = rng.sample(networks, rng.randint(1, min(2, len(networks))))
    nics = {
        name: Nic([f"{_prefix4(name)}.{number}/24", f"{_prefix6(name)}::{number:x}/64"])
        for name in joined
    }
    through = laptop[joined[0]]
    routers = [
        str(address.ip)
        for address in through.addresses
        if address.network.prefixlen < address.max_prefixlen and not address.ip.is_link_local
    ]
    by_version = {":" in router: router for router in routers}
    return Machine(nics, gateway=by_version.values() if rng.random() < 0.6 else ())


def _far(name: str) -> Mapping[str, Machine]:
    """Return a router at ``.9`` of the network, and a host behind it."""
    return {
        "router": Machine(
            {
                name: [f"{_prefix4(name)}.9/24", f"{_prefix6(name)}::9/64"],
                "wan": ["203.0.113.1/24", "2001:db8:fa::1/64"],
            },
            forwarding=True,
        ),
        "far": Machine(
            {"wan": ["203.0.113.9/24", "2001:db8:fa::9/64"]},
            routes=[
                Route("0.0.0.0/0", gateway="203.0.113.1"),
                Route("::/0", gateway="2001:db8:fa::1"),
            ],
        ),
    }


def _prefix4(name: str) -> str:
    return f"10.{1 + _NAMES.index(name)}.0"


def _prefix6(name: str) -> str:
    return f"fd00:{1 + _NAMES.index(name)}"
