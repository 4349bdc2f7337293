"""Laws that hold for every host, binding and origin, tried on random ones."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_interface, ip_network

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bindlab import (
    BEYOND,
    INTERNET,
    THIS_HOST,
    Answer,
    Binding,
    Condition,
    Endpoint,
    Host,
    Interface,
    Reach,
    Reason,
    Route,
    Scope,
    Verdict,
)
from bindlab.endpoint import parse_address, unmap
from bindlab.host import SYSTEMS
from bindlab.reach.origin import is_internet
from bindlab.reach.verdict import Origin

TEXTS = [
    "192.168.0.102/24",
    "192.168.0.103/32",
    "192.168.1.7/16",
    "10.0.0.12/24",
    "10.9.0.1/31",
    "100.64.3.3/10",
    "169.254.9.9/16",
    "203.0.113.4/24",
    "fe80::2/64",
    "fe80::3/64",
    "fd00:1::2/64",
    "fd00:2::2/64",
    "2a00:1::3/64",
    "2a00:2::3/128",
]
PEERS = [
    "192.168.0.50",
    "192.168.9.9",
    "10.0.0.50",
    "10.9.0.0",
    "8.8.8.8",
    "100.64.0.1",
    "fe80::50",
    "fd00:1::50",
    "fd00:7::50",
    "2a00:1::50",
    "2a00:9::50",
]
NETWORKS = ["192.168.0.0/24", "192.168.0.0/16", "10.0.0.0/8", "0.0.0.0/0", "fd00:1::/64", "::/0"]

maybe = st.sampled_from([None, True, False])
lo = st.builds(
    Interface,
    st.just("lo"),
    st.just(1),
    st.none(),
    st.sampled_from([["127.0.0.1/8", "::1/128"], ["127.0.0.1/8"], ["127.0.0.1/8", "10.99.0.1/32"]]),
    st.sampled_from([None, True, True, False]),
    is_loopback=st.just(True),
)


def links(name: str, index: int) -> st.SearchStrategy[Interface]:
    """Return a strategy of interfaces called *name*."""
    return st.builds(
        Interface,
        st.just(name),
        st.just(index),
        st.none(),
        st.lists(st.sampled_from(TEXTS), max_size=4, unique=True),
        maybe,
        maybe,
        route_localnet=maybe,
        disable_ipv6=maybe,
    )


ways = st.builds(
    Route,
    st.sampled_from([*NETWORKS, *(f"{peer}/{128 if ':' in peer else 32}" for peer in PEERS)]),
    st.sampled_from([None, "eth0", "eth1", "utun0", "lo"]),
    metric=st.integers(0, 2),
)
refusals = st.builds(
    Route,
    st.sampled_from([*NETWORKS, "10.0.0.50/32", "192.168.9.0/24", "fe80::/64", "fd00:1::50/128"]),
    metric=st.integers(0, 2),
    refusal=st.sampled_from(["unreachable", "blackhole", "prohibit"]),
)
hosts = st.builds(
    Host,
    st.tuples(lo, links("eth0", 2), links("eth1", 3), links("utun0", 4)),
    st.sampled_from(SYSTEMS),
    route_localnet=maybe,
    bindv6only=maybe,
    strong_host=maybe,
    local_routes=st.sampled_from([(), None, ("198.18.0.0/15",)]),
    routes=st.one_of(st.none(), st.lists(st.one_of(ways, ways, refusals), max_size=6)),
)
bound = st.sampled_from(
    [
        "0.0.0.0",
        "::",
        "::ffff:0.0.0.0",
        "127.0.0.1",
        "127.0.0.2",
        "::1",
        "::ffff:127.0.0.1",
        "10.99.0.1",
        "198.18.0.1",
        "224.0.0.251",
        "239.1.1.1",
        "ff02::1",
        "255.255.255.255",
        "fe80::2",
        "fe80::2%eth0",
        *(str(ip_interface(text).ip) for text in TEXTS),
    ]
)
bindings = st.builds(
    Binding,
    st.builds(Endpoint, bound, st.just(80), st.sampled_from(["tcp", "udp"])),
    maybe,
    st.sampled_from([None, None, None, "lo", "eth0"]),
    st.sampled_from([None, True, True, False]),
)
origins = st.one_of(
    st.sampled_from([*PEERS, *NETWORKS, "127.0.0.1", "::1", "fe80::50%eth0", "fe80::2%eth1"]),
    st.sampled_from([THIS_HOST, BEYOND, INTERNET]),
    st.sampled_from([str(ip_interface(text).ip) for text in TEXTS]),
)


def summary(verdict: Verdict) -> tuple[object, ...]:
    """Return all of a verdict that a person would act on."""
    return (
        verdict.answer,
        verdict.reason,
        set(verdict.conditions),
        {str(endpoint) for endpoint in verdict.endpoints},
    )


@given(hosts, bindings, origins)
def test_a_verdict_is_consistent(host: Host, binding: Binding, origin: Origin | str) -> None:
    """A NO has a reason and nothing to dial; anything else the other way round."""
    verdict = Reach([binding], host).verdict(origin)
    shut = verdict.answer is Answer.NO
    assert bool(verdict) is not shut
    assert (verdict.reason is not None) is shut
    assert bool(verdict.endpoints) is not shut
    assert bool(verdict.conditions) is (verdict.answer is Answer.CONDITIONAL)
    assert verdict.explanation
    assert not any(endpoint.is_unspecified for endpoint in verdict.endpoints)
    assert {e.port for e in verdict.endpoints} <= {80}


@given(hosts, bindings, st.sampled_from([*PEERS, *NETWORKS, BEYOND, INTERNET]))
def test_only_this_machine_is_told_yes(host: Host, binding: Binding, origin: Origin | str) -> None:
    """Another machine is never promised anything: a firewall may always stop it."""
    assert Reach([binding], host).verdict(origin).answer is not Answer.YES


@given(hosts, bindings)
def test_an_own_address_is_this_host_restricted(host: Host, binding: Binding) -> None:
    """From an own address one reaches what this host reaches in that address's family."""
    reach = Reach([binding], host)
    here = reach.verdict(THIS_HOST)
    for interface in host.interfaces:
        for address in interface.addresses:
            ip = parse_address(address)
            verdict = reach.verdict(ip)
            if verdict.interface is not None or ip.is_link_local:
                continue  # not an own address now: tentative, flushed, or on several links
            from_there = {e for e in here.endpoints if e.ip.version == ip.version}
            assert set(verdict.endpoints) <= from_there or not verdict
            if binding.device is None and binding.endpoint.transport == "udp" and verdict:
                assert set(verdict.endpoints) == from_there


@given(hosts, bindings, origins, links("new0", 9))
def test_another_interface_shuts_nobody_out(
    host: Host, binding: Binding, origin: Origin | str, interface: Interface
) -> None:
    """On a weak host, without a device, one more interface never turns an answer into NO."""
    assume(binding.device is None)
    known = host.local_routes or ()
    host = host.replace(system="linux", strong_host=False, local_routes=known)
    lo = host.interfaces[0]
    assume(lo.is_up is not False)
    before = Reach([binding], host).verdict(origin)
    after = Reach([binding], host.replace(interfaces=[*host.interfaces, interface])).verdict(origin)
    assert after or not before


@given(hosts, bindings, origins, st.permutations(range(4)))
def test_the_order_of_interfaces_means_nothing(
    host: Host, binding: Binding, origin: Origin | str, order: list[int]
) -> None:
    """The same interfaces in another order give the same answer.

    Of detours that are alike, the verdict names the one that the list has first.
    """
    shuffled = host.replace(interfaces=[host.interfaces[i] for i in order])
    first, second = (summary(Reach([binding], h).verdict(origin)) for h in (host, shuffled))
    *said, conditions, endpoints = first
    assert second[:-1] == (*said, conditions)
    if Condition.WEAK_HOST not in conditions:
        assert second[-1] == endpoints


@given(hosts, bindings, st.sampled_from([p for p in PEERS if "." in p] + ["127.0.0.1"]))
def test_unmapping_changes_nothing(host: Host, binding: Binding, origin: str) -> None:
    """An IPv4-mapped origin is the IPv4 origin."""
    reach = Reach([binding], host)
    assert reach.verdict(f"::ffff:{origin}") == reach.verdict(origin)


@given(hosts, bindings, origins)
def test_a_mapped_binding_is_the_ipv4_one(
    host: Host, binding: Binding, origin: Origin | str
) -> None:
    """A socket bound to ``::ffff:a`` takes what one bound to ``a`` takes."""
    ip = binding.endpoint.ip
    assume(isinstance(ip, IPv4Address))
    endpoint = binding.endpoint.replace(ip=f"::ffff:{ip}")
    mapped = binding.replace(endpoint=endpoint, v6only=False)
    assert unmap(endpoint.ip) == ip
    verdicts = [Reach([b], host).verdict(origin) for b in (binding, mapped)]
    assert summary(verdicts[0]) == summary(verdicts[1])


@given(hosts, bindings, origins)
def test_unknown_widens(host: Host, binding: Binding, origin: Origin | str) -> None:
    """To know less never turns an answer into NO."""
    if not Reach([binding], host).verdict(origin):
        return
    unknown = Host(
        [i.replace(is_up=None, is_running=None) for i in host.interfaces],
        host.system,
        route_localnet=None,
        bindv6only=None,
        strong_host=None,
        local_routes=host.local_routes,
        routes=None,
    )
    forgotten = binding.replace(v6only=None, device=None, listening=None)
    assert Reach([forgotten], unknown).verdict(origin)


def _slow_best(routes: Iterable[Route], ip: IPv4Address | IPv6Address) -> list[Route]:
    """Return the routes that win for *ip*, by looking at each of them."""
    fitting = [r for r in routes if r.network.version == ip.version and ip in r.network]
    longest = max((r.network.prefixlen for r in fitting), default=0)
    fitting = [r for r in fitting if r.network.prefixlen == longest]
    least = min((r.metric for r in fitting), default=0)
    return [r for r in fitting if r.metric == least]


@given(hosts, bindings, st.sampled_from([p for p in PEERS if not p.startswith("fe80")]))
def test_no_way_back_is_what_the_routes_say(host: Host, binding: Binding, peer: str) -> None:
    """NO_WAY_BACK is said where the winning routes lead nowhere, and else never."""
    assume(binding.device is None and "%" not in str(binding.endpoint.ip))
    ip = parse_address(peer)
    verdict = Reach([binding], host).verdict(ip)
    best = _slow_best(host.routes or (), ip)
    lost = host.routes is not None and all(route.refusal for route in best)
    if verdict.reason is Reason.NO_WAY_BACK:
        assert lost
        assert binding.endpoint.transport == "tcp"
    elif verdict.interface is not None and verdict.answer is Answer.CONDITIONAL:
        assert not lost or binding.endpoint.transport == "udp" or binding.endpoint.ip.is_link_local


WIRED = Host.of(
    lo=["127.0.0.1/8", "::1/128"],
    eth0=["192.168.0.102/24", "fd00:1::2/64"],
    eth1=["10.0.0.12/24", "2a00:1::3/64"],
    utun0="100.64.3.3/10",
)
SOMEBODY = [p for p in PEERS if not p.startswith("fe80")] + ["10.200.0.1", "2a00:77::1"]


@given(
    st.lists(st.one_of(ways, refusals), max_size=4),
    st.sampled_from([*NETWORKS, "10.0.0.0/24", "100.64.0.0/16", INTERNET, BEYOND]),
)
def test_many_have_a_way_back_if_one_has(routes: list[Route], many: Origin | str) -> None:
    """A network or a vantage is not without a way back while one of its addresses has one."""
    host = WIRED.replace(routes=routes)
    reach = Reach([Binding(Endpoint("::", 80), v6only=False, listening=True)], host)
    if reach.verdict(many).reason is not Reason.NO_WAY_BACK:
        return
    for ip in map(parse_address, SOMEBODY):
        if isinstance(many, str):
            belongs = ip in ip_network(many)
        else:
            attached = any(ip in a.network for i in host.interfaces for a in i.addresses)
            belongs = not attached and (many is BEYOND or is_internet(ip))
        assert not belongs or reach.verdict(ip).reason is Reason.NO_WAY_BACK


@given(st.lists(st.one_of(ways, refusals), max_size=4), st.sampled_from(NETWORKS))
def test_a_network_is_sure_of_its_way_back_if_all_are(routes: list[Route], network: str) -> None:
    """The condition is gone for a network only where it is for each of its addresses."""
    host = WIRED.replace(routes=routes)
    reach = Reach([Binding(Endpoint("::", 80), v6only=False, listening=True)], host)
    whole = reach.verdict(network)
    if Condition.ROUTE_BACK in whole.conditions or not whole:
        return
    for ip in map(parse_address, SOMEBODY):
        if ip in ip_network(network):
            assert reach.verdict(ip).reason is not Reason.NO_WAY_BACK


@given(hosts, bindings, st.lists(origins, max_size=5))
def test_scope_is_never_too_narrow(host: Host, binding: Binding, asked: list[Origin | str]) -> None:
    """``scope`` covers the widest row, and every origin that is not shut out."""
    reach = Reach([binding], host)
    this, *attached, beyond, internet = reach.rows
    widest = max(
        Scope.HOST if this else Scope.NOBODY,
        Scope.LINK if any(attached) else Scope.NOBODY,
        Scope.PRIVATE if beyond else Scope.NOBODY,
        Scope.GLOBAL if internet else Scope.NOBODY,
    )
    assert reach.scope >= widest
    if reach.scope <= Scope.HOST:
        outsiders = [v for v in map(reach.verdict, asked) if v]
        assert all(v.interface is None for v in outsiders)


@settings(max_examples=30)
@given(hosts, st.lists(bindings, min_size=2, max_size=3), origins)
def test_several_sockets_let_in_what_each_does(
    host: Host, several: list[Binding], origin: Origin | str
) -> None:
    """Of several sockets, an origin reaches whatever it reaches of each, detours aside."""
    together = Reach(several, host).verdict(origin)
    each = [Reach([binding], host).verdict(origin) for binding in several]
    detours = {Condition.WEAK_HOST, Condition.OTHER_LINK}
    straight = [v for v in each if v and detours.isdisjoint(v.conditions)]
    offered = {e for verdict in straight or each for e in verdict.endpoints}
    assert set(together.endpoints) <= offered
    assert set(together.endpoints) == offered or not straight
    assert bool(together) is any(each)


@given(hosts, bindings)
def test_output_is_text_without_wildcard_urls(host: Host, binding: Binding) -> None:
    """Table and picture come out for every host, and no URL in them is a wildcard."""
    reach = Reach([binding], host)
    for text in (str(reach), reach.diagram()):
        assert "://0.0.0.0" not in text
        assert "://[::]" not in text
    box = [line for line in reach.diagram().splitlines() if line.startswith(("|", "+"))]
    right = {max(line[: len(box[0])].rfind("|"), line[: len(box[0])].rfind("+")) for line in box}
    assert right == {len(box[0]) - 1}
    assert "0.0.0.0" not in "".join(reach.urls())


@given(hosts)
def test_hosts_travel_as_json(host: Host) -> None:
    """A host comes back from its JSON as it was."""
    assert Host.from_json(host.to_json()) == host
