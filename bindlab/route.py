"""A route of a machine as a value: where packets for a network leave, or that they do not."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Literal, TypeAlias, get_args

from bindlab.endpoint import IPAddress, parse_address
from bindlab.printable import printable
from bindlab.value import Given, Value, check_number, checked_name

IPNetwork: TypeAlias = IPv4Network | IPv6Network
Refusal: TypeAlias = Literal["unreachable", "blackhole", "prohibit", "throw"]
_REFUSALS: tuple[Refusal, ...] = get_args(Refusal)


class Route(Value):
    """One line of a routing table: the way to *network*, as ip-route(8) lists it.

    *network* is ``"0.0.0.0/0"`` or ``"::/0"`` for the default route, a ``/32`` or ``/128`` for
    one address. *interface* is the name of the one by which packets leave, ``None`` where it
    is not known; *gateway* the router's address, ``None`` where the network is on the link;
    *source* the address that this machine prefers to send from on this route (``src``,
    RTA_PREFSRC), ``None`` where the system chooses. Of routes to one network the lowest
    *metric* wins; the several next hops of one route are several routes with one metric.

    *refusal* is set on a route that leads nowhere: ``"unreachable"``, ``"blackhole"`` or
    ``"prohibit"``. Such a route has neither interface nor gateway. Nor has a ``"throw"``: there
    the search in its table ends, and goes on in the next one.

    *lookup* is the place of its table in the order of ip-rule(8), from 0: a later table has a
    say only for addresses to which no earlier one has a route. Many VPNs bring such a table.

    >>> print(Route("0.0.0.0/0", "wifi", "192.168.0.1", metric=600))
    0.0.0.0/0 via 192.168.0.1 dev wifi metric 600
    """

    network: Given[str | IPNetwork, IPNetwork]
    interface: str | None = None
    gateway: Given[str | IPAddress | None, IPAddress | None] = Given(default=None)
    source: Given[str | IPAddress | None, IPAddress | None] = Given(default=None)
    metric: int = 0
    refusal: Refusal | None = None
    lookup: int = 0

    def _check(self) -> None:
        network = parse_network(self.network)
        gateway = None if self.gateway is None else parse_address(self.gateway)
        source = None if self.source is None else parse_address(self.source)
        if self.interface is not None:
            checked_name("interface", self.interface)
        check_number("metric", self.metric, 0, (1 << 32) - 1)  # RTA_PRIORITY is an u32
        check_number("lookup", self.lookup, 0, (1 << 32) - 1)  # no more rules than priorities
        if self.refusal is not None:
            if self.refusal not in _REFUSALS:
                known = ", ".join(_REFUSALS)
                raise ValueError(f"{self.refusal!r} is no refusal: write one of {known}")
            if (self.interface, gateway, source) != (None, None, None):
                raise ValueError(
                    f"the {self.refusal} route to {network} leads nowhere: leave out the rest"
                )
        if source is not None and source.version != network.version:
            raise ValueError(f"nothing is sent to {network} from {source}: their families differ")
        # RFC 8950: a network of IPv4 may be behind a router that is known by IPv6.
        if gateway is not None and gateway.version < network.version:
            raise ValueError(f"{gateway} is no router to {network}: give its IPv6 address")
        self._set(network=network, gateway=gateway, source=source)

    def __str__(self) -> str:
        words = (
            *((self.refusal,) if self.refusal else ()),
            str(self.network),
            *(("via", str(self.gateway)) if self.gateway else ()),
            *(("dev", printable(self.interface)) if self.interface else ()),
            *(("src", str(self.source)) if self.source else ()),
            *(("metric", str(self.metric)) if self.metric else ()),
            *(("lookup", str(self.lookup)) if self.lookup else ()),
        )
        return " ".join(words)


def parse_network(network: object) -> IPNetwork:
    """Return *network*, an object or its text: no host bits are set, and it has no zone."""
    if not isinstance(network, str | IPv4Network | IPv6Network):
        raise TypeError(f"{network!r} is no network: write '192.168.0.0/24'")
    try:
        found = ip_network(network) if isinstance(network, str) else network
    except ValueError as error:
        raise ValueError(
            f"{network!r} is no network: {error}; the default routes are '0.0.0.0/0' and '::/0'"
        ) from None
    # Its zone would count in some comparisons of ipaddress and not in others.
    if isinstance(found, IPv6Network) and found.network_address.scope_id is not None:
        raise ValueError(f"a network has no zone: write {str(found).partition('%')[0]}/...")
    return found
