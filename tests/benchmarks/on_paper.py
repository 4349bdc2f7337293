"""Hosts with many networks; none of them exist."""

from bindlab import Host, Interface, Route

__all__ = ["LAYOUTS", "host_with"]

EACH, ONE = "one on each interface", "all on one interface"  # where the networks are
LAYOUTS = (EACH, ONE)


def host_with(networks: int, layout: str = EACH) -> Host:
    """Return a host that is on so many networks, has an address on each, and a default route."""
    addresses = [f"10.{number >> 8}.{number & 255}.1/24" for number in range(networks)]
    per_interface = 1 if layout == EACH else networks
    links = [
        Interface(f"eth{number}", number + 2, addresses=addresses[start : start + per_interface])
        for number, start in enumerate(range(0, networks, per_interface))
    ]
    routes = [Route(address.network, link.name) for link in links for address in link.addresses]
    return Host(
        [Interface("lo", 1, addresses=["127.0.0.1/8"], is_loopback=True), *links],
        routes=[*routes, Route("0.0.0.0/0", "eth0", "10.0.0.254")],
    )
