"""``python -m tests.systems.links``: a no is held against real connections, over each kind of link.

Two hosts of the lab on two cables, ``one`` and ``two``. Each kind of link is ip(8)'s commands
for the server's host and for its peer; one that this kernel cannot make is told, and left out.
"""

import sys
from collections.abc import Sequence
from typing import NamedTuple

from bindlab import lab, reachable_from
from bindlab.lab import LabHost, Machine
from tests.agreement.commands import run_ip

_HERE, _THERE = ("10.5.0.1", "fd05::1"), ("10.5.0.2", "fd05::2")


class Link(NamedTuple):
    """What makes a kind of link on each side, and the interfaces that get the addresses then."""

    device: str = "one"
    peer: str = "one"
    here: Sequence[str] = ()
    there: Sequence[str] = ()
    afterwards: Sequence[str] = ()
    """Commands of the server's side when addresses are there already."""


def _tagged(number: int) -> list[str]:
    return [f"link add link one name tagged type vlan id {number}"]


def _double_tagged() -> list[str]:
    return [*_tagged(5), "link set tagged up", "link add link tagged name inner type vlan id 6"]


def _bond(mode: str) -> list[str]:
    commands = [f"link add bond type bond mode {mode} miimon 100"]
    for port in ("one", "two"):
        commands += [f"link set {port} down", f"link set {port} master bond"]
    return [*commands, "link set bond up", "link set one up", "link set two up"]


def _tunnel(kind: str, options: str = "local {own} remote {other}", *, by: int = 4) -> Link:
    """Return a tunnel between addresses of the cable, of IP version *by*."""
    ends, more = (("172.31.0.1", "172.31.0.2"), "/24 dev one")
    if by == 6:
        ends, more = (("fd31::1", "fd31::2"), "/64 dev one nodad")
    sides = []
    for own, other in (ends, ends[::-1]):
        told = options.format(own=own, other=other)
        sides.append([f"addr add {own}{more}", f"link add tunnel type {kind} {told}"])
    return Link("tunnel", "tunnel", *sides)


def _macsec() -> Link:
    """Return a link whose frames are encrypted, with one key for each direction (IEEE 802.1AE)."""
    ends = ("02:00:00:00:00:01", "02:00:00:00:00:02")
    keys = ("0" * 31 + "1", "0" * 31 + "2")
    sides = []
    for own in (0, 1):
        other = 1 - own
        peer = f"sec rx port 1 address {ends[other]}"
        sides.append(
            [
                f"link set one address {ends[own]}",
                "link add link one name sec type macsec encrypt on",
                f"macsec add sec tx sa 0 pn 1 on key 0{own} {keys[own]}",
                f"macsec add {peer}",
                f"macsec add {peer} sa 0 pn 1 on key 0{other} {keys[other]}",
            ]
        )
    return Link("sec", "sec", *sides)


_VRF = ["link add red type vrf table 10", "link set red up", "link set one master red"]
_L3MDEV = [f"sysctl net/ipv4/{protocol}_l3mdev_accept=1" for protocol in ("tcp", "udp")]
_BRIDGE = ["link add bridge type bridge", "link set bridge up"]

LINKS = {
    "cable": Link(),
    "VLAN": Link("tagged", "tagged", _tagged(5), _tagged(5)),
    "VLAN in a VLAN": Link("inner", "inner", _double_tagged(), _double_tagged()),
    "VLANs that differ": Link("tagged", "tagged", _tagged(5), _tagged(6)),
    "macvlan": Link("mac", here=["link add link one name mac type macvlan mode bridge"]),
    "macvlan, private": Link("mac", here=["link add link one name mac type macvlan mode private"]),
    "ipvlan": Link("ipv", here=["link add link one name ipv type ipvlan mode l2"]),
    "macvtap": Link("mac", here=["link add link one name mac type macvtap mode bridge"]),
    "bond": Link("bond", "bond", _bond("active-backup"), _bond("active-backup")),
    "bond, in turn": Link("bond", "bond", _bond("balance-rr"), _bond("balance-rr")),
    "team": Link(
        "team",
        here=["link add team type team", "link set one down", "link set one master team"],
    ),
    "dummy, through a cable": Link(
        "dummy",
        here=["link add dummy type dummy", "addr add 10.6.0.1/24 dev one", "link set one up"],
        there=["addr add 10.6.0.2/24 dev one", "link set one up"],
    ),
    "MACsec": _macsec(),
    "address on a bond's port": Link(
        here=["link add bond type bond mode active-backup", "link set one down"],
        afterwards=["link set one down", "link set one master bond", "link set bond up"],
    ),
    "bridge": Link("bridge", here=[*_BRIDGE, "link set one master bridge"]),
    "address on a bridge's port": Link(here=_BRIDGE, afterwards=["link set one master bridge"]),
    "VRF": Link(here=_VRF),
    "VRF, sockets of all": Link(here=[*_VRF, *_L3MDEV]),
    "GRE": _tunnel("gre"),
    "IP in IP": _tunnel("ipip"),
    "IPv6 in IPv4": _tunnel("sit"),
    "IPv6 in IPv6": _tunnel("ip6tnl", "mode any local {own} remote {other}", by=6),
    "GRE by IPv6": _tunnel("ip6gre", by=6),
    "Ethernet in GRE": _tunnel("gretap"),
    "VXLAN": _tunnel("vxlan", "id 9 dstport 4789 remote {other}"),
    "Geneve": _tunnel("geneve", "id 9 remote {other}"),
}


def _addressed(device: str, addresses: tuple[str, str]) -> list[str]:
    v4, v6 = addresses
    return [
        f"link set {device} up",
        f"addr add {v4}/24 dev {device}",
        f"addr add {v6}/64 dev {device} nodad",
    ]


def _connects(peer: LabHost, address: str, port: int) -> bool:
    try:
        peer.connect(address, port, timeout=0.7).close()
    except OSError:
        return False
    return True


def examine(link: Link) -> tuple[int, int, list[str]]:
    """Return how many verdicts on *link* there were, how many got in, and what is contradicted."""
    wrong: list[str] = []
    count = reached = 0
    cables: dict[str, tuple[str, ...]] = {"one": (), "two": ()}
    with lab.network(here=Machine(cables), there=Machine(cables)) as net:
        net.here.call(run_ip, [*link.here, *_addressed(link.device, _HERE), *link.afterwards])
        net.there.call(run_ip, [*link.there, *_addressed(link.peer, _THERE)])
        host = net.here.host()
        devices = {None, link.device, "one"} | {"red"} & {each.name for each in host.interfaces}
        for number, origin in enumerate(_THERE):
            own = _HERE[number]
            loopback, wildcard = ("127.0.0.1", "0.0.0.0") if number == 0 else ("::1", "::")
            for device in sorted(devices, key=str):
                for address in (wildcard, own) if device else (wildcard, own, loopback):
                    try:
                        server = net.here.listen(0, address, device=device)
                    except OSError:
                        continue
                    with server:
                        verdict = reachable_from(server, host=host).verdict(origin)
                        got_in = _connects(net.there, own, server.getsockname()[1])
                    count += 1
                    reached += got_in
                    if got_in and not verdict:
                        wrong.append(f"{address} on {device}, from {origin}: {verdict}")
    return count, reached, wrong


def main(names: Sequence[str]) -> int:
    """Try the links with these names, or all of them; return 1 if there is a contradiction."""
    status = 0
    for name in names or LINKS:
        try:
            count, reached, wrong = examine(LINKS[name])
        except RuntimeError as error:
            print(f"{name}: not made: {str(error).splitlines()[0]}", flush=True)
            continue
        print(
            f"{name}: {count} verdicts, {reached} got in, {len(wrong)} contradictions", flush=True
        )
        print(*(f"  {each}\n" for each in wrong), sep="", end="", flush=True)
        status |= bool(wrong)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
