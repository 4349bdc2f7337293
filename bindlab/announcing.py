"""What a server prints when it starts: where it is found, from here and by the network."""

from ipaddress import ip_address

from bindlab.endpoint import unmap
from bindlab.host import Host
from bindlab.page import page_width, wrapped
from bindlab.reach import BEYOND, THIS_HOST, Candidate, Reach, Scope
from bindlab.reachable import reachable_from
from bindlab.target import Target
from bindlab.url import url_of
from bindlab.value import Value

__all__ = ["Banner", "NetworkUrl", "banner"]

_INDENT = " " * len("  Network:  ")
_LOOPBACKS = (ip_address("127.0.0.1"), ip_address("::1"))


class NetworkUrl(Value):
    """A URL for other machines; ``str()`` is the URL.

    *interface* is what people call the interface that has the address, and *network* is the
    network that the address is in there; "" where none has it.
    """

    url: str
    interface: str = ""
    network: str = ""

    def __str__(self) -> str:
        return self.url


class Banner(Value):
    """Where a server is found; ``str()`` is what to print.

    - *local*: URLs for this machine; one for each port, if all is well.
    - *network*: URLs for others, the likeliest first.
    - *how_to_open*: what to do so that others get in; "" where they do.
    """

    local: tuple[str, ...]
    network: tuple[NetworkUrl, ...]
    how_to_open: str = ""

    def __str__(self) -> str:
        wide = max((len(each.url) for each in self.network), default=0)
        network = [
            f"{each.url:{wide}}   ({each.interface})" if each.interface else each.url
            for each in self.network
        ]
        how = wrapped(f"not open: {self.how_to_open}", page_width() - len(_INDENT))
        parts = (("Local:", self.local or ("-",)), ("Network:", network or how))
        return "\n".join(
            f"  {'' if n else name:8}  {line}"
            for name, lines in parts
            for n, line in enumerate(lines)
        )


def banner(
    target: Target,
    *,
    scheme: str = "http",
    path: str = "/",
    unfolded: bool = False,
    host: Host | None = None,
) -> Banner:
    """Return where *target* is found, to print it when a server starts.

    *target* and *host* are those of :func:`reachable_from`. *scheme* and *path* are those of the
    URLs: any scheme, such as ``"https"``, and a path that may have a query.

    The local URL has ``localhost`` in it where both loopback addresses are served, else the
    address that is. Bridges for containers and virtual machines are left out, unless *unfolded*,
    or where there is nothing else; a firewall may stop others all the same.

    >>> laptop = Host.of(lo="127.0.0.1/8", wlan0="192.168.0.102/24")
    >>> print(banner("0.0.0.0:3000", host=laptop))
      Local:    http://127.0.0.1:3000
      Network:  http://192.168.0.102:3000   (wlan0)
    >>> print(banner("127.0.0.1:3000", path="/docs", host=laptop))
      Local:    http://127.0.0.1:3000/docs
      Network:  not open: bind 0.0.0.0 to let others in
    """
    reach = reachable_from(target, host=host)
    for_others = {end for row in reach.rows if row.origin is not THIS_HOST for end in row.endpoints}
    network = tuple(
        NetworkUrl(each.url(scheme, path), each.interface or "", _network_of(each, reach.host))
        for each in reach.for_browsers(unfolded=unfolded)
        if each in for_others and each.audience > Scope.HOST
    )
    return Banner(_local(reach, scheme, path), network, "" if network else _how_to_open(reach))


def _local(reach: Reach, scheme: str, path: str) -> tuple[str, ...]:
    """Return a URL for this machine at each port."""
    by_port: dict[int, list[Candidate]] = {}
    for each in reach.verdict(THIS_HOST).endpoints:
        if each.has_url:
            by_port.setdefault(each.port, []).append(each)
    return tuple(
        url_of(scheme, "localhost", port, path)
        if {*_LOOPBACKS} <= {unmap(each.ip) for each in ends}
        else ends[0].url(scheme, path)
        for port, ends in by_port.items()
    )


def _network_of(candidate: Candidate, host: Host) -> str:
    """Return the network that the address is in, on the interface that has it."""
    for interface in host.interfaces:
        for address in interface.addresses:
            if interface.display_name == candidate.interface and address.ip == candidate.ip:
                return str(address.network)
    return ""


def _how_to_open(reach: Reach) -> str:
    if all(binding.endpoint.transport == "udp" for binding in reach.bindings):
        return "UDP has no URL"
    bound = [unmap(binding.endpoint.ip) for binding in reach.bindings]
    if all(ip.is_loopback for ip in bound):
        wildcard = "0.0.0.0" if any(ip.version == 4 for ip in bound) else "::"
        return f"bind {wildcard} to let others in"
    if reach.verdict(THIS_HOST) and any(ip.is_unspecified for ip in bound):
        return "this machine is on no network now"
    return reach.verdict(BEYOND).explanation
