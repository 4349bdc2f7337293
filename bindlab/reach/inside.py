"""What is true of a packet that never leaves this machine: facts of a path inside.

Such a packet goes through loopback, whatever address it is for; sockets that are bound to a
device see, and answer by, another interface (measured on Linux).
"""

from ipaddress import IPv6Address

from bindlab.reach.path import Path


def loopback_is_live(path: Path) -> bool:
    """Return whether this machine can reach itself, which takes loopback for every address."""
    loopback = path.topology.loopback
    ipv6_off = path.destination.version == 6 and loopback.disable_ipv6 is True
    return loopback.is_up is not False and not ipv6_off


def sent_by_loopback(path: Path) -> bool:
    """Return whether the program must send by loopback to an address of another interface."""
    loopback = path.topology.loopback
    return path.arrival is loopback and path.owner is not loopback and not path.is_group


def leaves_own_vrf(path: Path) -> bool:
    """Return whether the program's own address is of another VRF, or of none, than the path's."""
    return path.place.source is not None and path.vrf not in _vrfs_of_source(path)


def _vrfs_of_source(path: Path) -> set[str | None]:
    """Return the VRFs that have the program's own address; ``None`` among them for none."""
    source, vrfs = path.place.source, path.topology.vrfs
    owners = [own.owner for own in path.topology.has(source) if own.owner] if source else []
    return {vrfs[owner.name].name if owner.name in vrfs else None for owner in owners}


def leaves_source_zone(path: Path) -> bool:
    """Return whether the program would have to leave the link that its source is pinned to."""
    source = path.place.source
    if not isinstance(source, IPv6Address) or source.scope_id is None:
        return False
    return path.owner is None or not path.owner.has_zone(source.scope_id)


def may_come_by_another_interface(path: Path) -> bool:
    """Return whether the address has a local route that may be another interface's.

    Packets from inside come by the interface of that route: one of those that have the address,
    and any, where the address is not listed (``ip route add local``).
    """
    if path.arrival is path.topology.loopback:
        return False
    return path.owner is not path.arrival or len(path.topology.has(path.destination)) > 1


def answers_nowhere(path: Path) -> bool:
    """Return whether answers would have to leave by a device that is down."""
    down = path.arrival is not None and path.arrival.is_up is False
    return down and path.device is not None and path.destination.version == 4


def answers_elsewhere(path: Path) -> bool:
    """Return whether a pinned socket would send its answer out of its device, to nobody.

    So it does with the answer to an address that this machine has on another interface. IPv4
    pinned to loopback is the exception. A TCP client of a link-local address is pinned itself.
    """
    source, arrival = path.place.source, path.arrival
    pinned = path.device is not None or (path.has_zone and not path.is_udp)
    if source is None or arrival is None or not pinned:
        return False
    on_loopback = arrival is path.topology.loopback
    if on_loopback and (path.destination.version == 4 or source.is_loopback):
        return False
    in_vrf = path.vrf is not None and path.device == path.vrf
    if in_vrf and path.vrf in _vrfs_of_source(path):
        return False
    # Of several interfaces with that address one has the local route, and nobody tells which.
    return any(own.owner is not arrival for own in path.topology.has(source))


def loses_answers(path: Path) -> bool:
    """Return whether those answers are lost for certain: by IPv6 a router may bring them back."""
    source, arrival = path.place.source, path.arrival
    if source is None or arrival is None or not answers_elsewhere(path):
        return False
    if any(own.owner is arrival for own in path.topology.has(source)):
        return False
    # Within a VRF Linux 5.10 finds the way from one member to another, and 6.1 does not (measured).
    if path.vrf is not None and path.vrf in _vrfs_of_source(path):
        return False
    return (
        path.destination.version == 4
        or path.has_zone
        or arrival is path.topology.loopback
        or source.is_loopback
        or path.routing.leads_by(int(source), 6, arrival) is False
    )
