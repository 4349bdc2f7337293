"""The hard cases of reachability: where the obvious answer is wrong."""

from ipaddress import IPv6Address

import pytest

from bindlab import (
    INTERNET,
    THIS_HOST,
    AddressState,
    Answer,
    Binding,
    Condition,
    Endpoint,
    Host,
    Interface,
    Reason,
    Scope,
)
from bindlab.reach.reach import Reach
from bindlab.reach.verdict import Origin, Verdict

HOME = Host.of(
    lo=["127.0.0.1/8", "::1/128"],
    eth0=["192.168.0.102/24", "fe80::1/64"],
    eth1=["10.20.0.1/24", "fe80::1/64"],
)


def ask(bound: str, origin: Origin | str, host: Host = HOME, **options: object) -> Verdict:
    """Return the verdict for one listening socket."""
    binding = Binding(Endpoint.parse(bound), listening=True).replace(**options)
    return Reach([binding], host).verdict(origin)


def dials(verdict: Verdict) -> list[str]:
    """Return what a verdict says to dial, as text."""
    return [str(endpoint) for endpoint in verdict.endpoints]


def test_1_identical_text_two_answers() -> None:
    """``[::]`` with IPV6_V6ONLY off lets an IPv4 neighbour in; with it on, never."""
    assert ask("[::]:80", "192.168.0.50", v6only=False).answer is Answer.CONDITIONAL
    assert ask("[::]:80", "192.168.0.50", v6only=True).reason is Reason.FAMILY


@pytest.mark.parametrize(
    ("system", "name", "entry"),
    [
        ("linux", "eth1", {Condition.WEAK_HOST, Condition.ROUTE_THERE, Condition.FIREWALL}),
        ("windows", "eth1", Condition.OTHER_LINK),
        ("macos", "eth1", {Condition.WEAK_HOST, Condition.ROUTE_THERE, Condition.FIREWALL}),
        ("macos", "utun3", Condition.OTHER_LINK),
    ],
)
def test_2_the_address_of_another_interface(system: str, name: str, entry: object) -> None:
    """Whether eth0's neighbours reach eth1's address is a matter of the host model.

    A strong host lets them in only where they send by the other link too.
    """
    host = Host.of(
        system=system,  # type: ignore[arg-type]
        lo="127.0.0.1/8",
        eth0="192.168.0.102/24",
        **{name: "10.20.0.1/24"},
    )
    verdict = ask("10.20.0.1:80", "192.168.0.50", host)
    if entry is Condition.OTHER_LINK:
        assert Condition.OTHER_LINK in verdict.conditions
        assert ask("10.20.0.1:80", host.interface("eth0"), host).reason is Reason.STRONG_HOST
    else:
        assert set(verdict.conditions) == entry


def test_3_an_own_address_is_this_machine() -> None:
    """From 192.168.0.102 itself a loopback server is reached, at 127.0.0.1."""
    verdict = ask("127.0.0.1:3000", "192.168.0.102")
    assert verdict.answer is Answer.YES
    assert dials(verdict) == ["127.0.0.1:3000"]


def test_4_this_machine_dials_what_was_bound() -> None:
    """A server on 192.168.0.102 is not on localhost."""
    verdict = ask("192.168.0.102:3000", THIS_HOST)
    assert verdict.answer is Answer.YES
    assert dials(verdict) == ["192.168.0.102:3000"]


def test_5_an_address_on_lo_is_not_loopback() -> None:
    """10.99.0.1/32 on lo is a service address, which the network may well route here."""
    host = Host.of(lo=["127.0.0.1/8", "10.99.0.1/32"], eth0="192.168.0.102/24")
    assert Condition.WEAK_HOST in ask("10.99.0.1:80", "192.168.0.50", host).conditions
    assert Reach([Binding(Endpoint("10.99.0.1", 80))], host).scope > Scope.HOST


@pytest.mark.parametrize(
    ("bound", "system", "inside", "outside"),
    [
        ("10.40.0.1:80", "linux", Answer.YES, Answer.CONDITIONAL),
        ("[fd00:4::1]:80", "linux", Answer.NO, Answer.NO),
        ("10.40.0.1:80", "windows", Answer.NO, Answer.NO),
    ],
)
def test_6_addresses_of_an_interface_that_is_down(
    bound: str, system: str, inside: Answer, outside: Answer
) -> None:
    """Down, Linux keeps IPv4 addresses at work and flushes IPv6 ones; Windows drops both."""
    down = Interface("eth4", 4, None, ["10.40.0.1/24", "fd00:4::1/64"], is_up=False)
    live = Interface("eth0", 2, None, ["192.168.0.102/24", "fd00::2/64"], is_up=True)
    host = Host([live, down], system)  # type: ignore[arg-type]
    assert ask(bound, THIS_HOST, host).answer is inside
    peer = "192.168.0.50" if "." in bound else "fd00::50"
    assert ask(bound, peer, host).answer is outside


def test_6_a_listed_state_is_believed() -> None:
    """An IPv6 address that Linux lists as usable on a downed interface is reached from inside."""

    for state, answer in (
        (AddressState.PREFERRED, Answer.YES),
        (AddressState.TENTATIVE, Answer.NO),
    ):
        down = Interface(
            "eth4",
            4,
            None,
            ["fd00:4::1/64"],
            is_up=False,
            states={IPv6Address("fd00:4::1"): state},
        )
        assert ask("[fd00:4::1]:80", THIS_HOST, Host([down])).answer is answer


def test_7_a_device_is_not_an_address() -> None:
    """``0.0.0.0`` on eth0 answers at eth0's address from inside, and not at 127.0.0.1."""
    assert dials(ask("0.0.0.0:80", THIS_HOST, device="eth0")) == ["192.168.0.102:80"]
    assert dials(ask("0.0.0.0:80", THIS_HOST, device="lo")) == ["127.0.0.1:80"]
    everybody = Reach([Binding(Endpoint("127.0.0.1", 80), device="eth0")], HOME)
    assert everybody.scope is Scope.NOBODY


def test_8_one_link_local_address_on_two_links() -> None:
    """fe80::1 here on eth0 and on eth1 are two addresses, and so are they to others."""
    bound = "[fe80::1%eth0]:80"
    assert ask(bound, "fe80::1%eth0").answer is Answer.YES
    assert ask(bound, "fe80::5%eth0").answer is Answer.CONDITIONAL
    assert ask(bound, "fe80::5%eth1").reason is Reason.ZONE
    assert ask(bound, "fe80::5").answer is Answer.CONDITIONAL
    assert Condition.LOCATION in ask(bound, "fe80::5").conditions
    assert ask(bound, "fe80::5%2").answer is Answer.CONDITIONAL  # eth0 by its index
    assert ask(bound, "fe80::5%3").reason is Reason.ZONE
    unzoned = ask("[fe80::1]:80", THIS_HOST)
    assert dials(unzoned) == ["[fe80::1%eth0]:80", "[fe80::1%eth1]:80"]
    with pytest.raises(ValueError, match="no interface 'eth7': it has lo, eth0, eth1"):
        ask(bound, "fe80::5%eth7")


def test_9_route_localnet_opens_loopback() -> None:
    """With route_localnet the network can send to 127.0.0.1; unknown is not "no"; ::1 never."""
    assert ask("127.0.0.1:80", "192.168.0.50").reason is Reason.LOOPBACK
    for setting in (True, None):
        host = HOME.replace(route_localnet=setting)
        verdict = ask("127.0.0.1:80", "192.168.0.50", host)
        assert Condition.ROUTE_LOCALNET in verdict.conditions
        assert ask("[::1]:80", "fe80::5%eth0", host).reason is Reason.LOOPBACK
    one = HOME.interfaces[1].replace(route_localnet=True)
    host = HOME.replace(interfaces=[HOME.interfaces[0], one, HOME.interfaces[2]])
    assert ask("127.0.0.1:80", "192.168.0.50", host).answer is Answer.CONDITIONAL
    other = ask("127.0.0.1:80", "10.20.0.50", host)
    assert {Condition.ROUTE_LOCALNET, Condition.OTHER_LINK} <= set(other.conditions)
    assert ask("127.0.0.1:80", HOME.interfaces[2], host).reason is Reason.LOOPBACK
    assert ask("127.0.0.1:80", "192.168.0.50", host, device="lo").reason is Reason.DEVICE
    assert ask("127.0.0.1:80", "192.168.0.50", host, device="eth0").answer is Answer.CONDITIONAL
    windows = Host.of(system="windows", eth0="192.168.0.102/24", route_localnet=True)
    assert ask("127.0.0.1:80", "192.168.0.50", windows).reason is Reason.LOOPBACK


def test_10_no_nat_shields_ipv6() -> None:
    """A global IPv6 address is open to the internet where the private IPv4 one needs a forward."""
    host = Host.of(eth0=["192.168.0.102/24", "2a00:1::2/64"], tun="100.64.0.9/10")
    ipv6 = ask("[::]:80", "2a00:9::9", host, v6only=False)
    assert Condition.NAT not in ipv6.conditions
    assert "with no NAT before it" in ipv6.explanation
    assert Condition.NAT in ask("[::]:80", "8.8.8.8", host, v6only=False).conditions
    assert Condition.NAT in ask("100.64.0.9:80", "8.8.8.8", host).conditions
    assert dials(ask("[::]:80", INTERNET, host, v6only=False))[0] == "[2a00:1::2]:80"
    for nobody in ("224.0.0.1", "0.0.0.0", "255.255.255.255", "::", "ff02::1", "192.168.0.255"):
        with pytest.raises(ValueError, match="write an address"):
            ask("[::]:80", nobody, host)


def test_11_groups_and_peers() -> None:
    """Groups take datagrams on links where somebody joined; a connected socket hears its peer."""
    group = "239.1.1.1:80"
    assert ask(group, "192.168.0.50").reason is Reason.GROUP
    assert Condition.GROUP_MEMBERSHIP in ask(f"{group}/udp", "192.168.0.50").conditions
    joined = {"groups": [("239.1.1.1", "eth1")]}
    assert ask(f"{group}/udp", HOME.interfaces[1], **joined).reason is Reason.GROUP
    assert Condition.OTHER_LINK in ask(f"{group}/udp", "192.168.0.50", **joined).conditions
    assert ask(f"{group}/udp", "10.20.0.50", **joined).answer is Answer.CONDITIONAL
    peer = {"peer": Endpoint("192.168.0.50", 9, "udp")}
    assert ask("0.0.0.0:80/udp", "192.168.0.50", **peer).answer is Answer.CONDITIONAL
    assert ask("0.0.0.0:80/udp", "192.168.0.0/24", **peer).answer is Answer.CONDITIONAL
    assert ask("0.0.0.0:80/udp", "192.168.0.51", **peer).reason is Reason.OTHER_PEER
    assert ask("0.0.0.0:80/udp", THIS_HOST, **peer).reason is Reason.OTHER_PEER


def test_12_a_network_that_is_partly_here() -> None:
    """A network wider than the attached one stands in several places, and that is said."""
    host = Host.of(
        lo="127.0.0.1/8", wifi="192.168.0.102/24", docker0="172.17.0.1/16", vpn="172.17.5.1/24"
    )
    wide = ask("0.0.0.0:80", "192.168.0.0/16", host)
    assert wide.answer is Answer.CONDITIONAL
    assert Condition.LOCATION in wide.conditions
    assert Condition.LOCATION not in ask("0.0.0.0:80", "192.168.0.0/24", host).conditions
    both = ask("0.0.0.0:80", "172.17.5.9", host)
    assert {Condition.LOCATION, Condition.ROUTE_BACK} <= set(both.conditions)
    assert {"172.17.0.1:80", "172.17.5.1:80"} <= set(dials(both))


def test_a_link_local_source_stays_on_its_link() -> None:
    """From fe80::1%eth0 one dials eth0's own addresses, and neither ::1 nor those of eth1."""
    host = Host.of(
        lo=["127.0.0.1/8", "::1/128"],
        eth0=["fe80::1/64", "fd00:1::1/64"],
        eth1=["fe80::2/64", "fd00:2::1/64"],
    )
    verdict = ask("[::]:80", "fe80::1%eth0", host, v6only=False)
    assert dials(verdict) == ["[fd00:1::1]:80", "[fe80::1%eth0]:80"]
    assert ask("[::1]:80", "fe80::1%eth0", host).reason is Reason.ZONE


def test_a_device_loses_answers_to_other_own_addresses() -> None:
    """Pinned to eth0, TCP with eth1's address as source is lost; a datagram still arrives."""
    tcp = ask("0.0.0.0:80", "10.20.0.1", device="eth0")
    assert tcp.reason is Reason.NO_WAY_BACK
    udp = ask("0.0.0.0:80/udp", "10.20.0.1", device="eth0")
    assert udp.conditions == (Condition.ROUTE_BACK,)
    assert ask("0.0.0.0:80", "192.168.0.102", device="eth0").answer is Answer.YES
    assert ask("0.0.0.0:80", "192.168.0.102", device="lo").answer is Answer.YES
    assert ask("[::]:80", "::1", device="lo", v6only=True).answer is Answer.YES
    ipv6 = Host.of(lo=["127.0.0.1/8", "::1/128"], eth0="fd00::1/64", eth1="fd01::1/64")
    lost = ask("[::]:80", "::1", ipv6, device="eth0", v6only=True)
    assert lost.reason is Reason.NO_WAY_BACK
    by_router = ask("[::]:80", "fd01::1", ipv6, device="eth0", v6only=True)
    assert by_router.conditions == (Condition.ROUTE_BACK,)


def test_a_device_that_is_down_answers_nowhere() -> None:
    """Pinned to an interface that is down, IPv4 answers have no way out, even to oneself.

    Datagrams arrive all the same.
    """
    down = Interface("eth4", 4, None, ["10.40.0.1/24"], is_up=False)
    host = Host([down])
    assert ask("0.0.0.0:80", THIS_HOST, host, device="eth4").reason is Reason.LINK_DOWN
    assert ask("0.0.0.0:80/udp", THIS_HOST, host, device="eth4").answer is Answer.YES
    assert ask("10.40.0.1:80", THIS_HOST, host).answer is Answer.YES


def test_loopback_down_cuts_a_machine_off_from_itself() -> None:
    """With lo down even own addresses time out from inside, while neighbours get in."""
    lo = Interface("lo", 1, None, ["127.0.0.1/8"], is_up=False, is_loopback=True)
    eth0 = Interface("eth0", 2, None, ["192.168.0.102/24"], is_up=True)
    host = Host([lo, eth0])
    assert ask("0.0.0.0:80", THIS_HOST, host).reason is Reason.LOOPBACK_DOWN
    assert ask("0.0.0.0:80", "192.168.0.50", host).answer is Answer.CONDITIONAL


SENDERS_ANYWHERE = [
    pytest.param("0.0.0.0:80", {"device": "eth1"}, "192.168.0.50", "eth1", id="device-tcp-ipv4"),
    pytest.param("0.0.0.0:80/udp", {"device": "eth1"}, "192.168.0.50", "eth1", id="device-udp"),
    pytest.param("[::]:80", {"device": "eth1"}, "fd00:1::9", "eth1", id="device-tcp-ipv6"),
    pytest.param("[fe80::3%eth1]:80", {}, "fd00:1::9", "eth1", id="zone-tcp"),
    pytest.param("[fe80::3%eth1]:80/udp", {}, "fd00:1::9", "eth1", id="zone-udp"),
    pytest.param("[fe80::3%eth1]:80", {}, "2a00:77::9", "eth1", id="zone-from-no-network-here"),
]


@pytest.mark.parametrize(("bound", "options", "origin", "link"), SENDERS_ANYWHERE)
def test_a_sender_may_come_by_another_link(
    bound: str, options: dict[str, str], origin: str, link: str
) -> None:
    """A NO for an address holds for every link; where one lets it in, the answer says which."""
    host = Host.of(
        lo="127.0.0.1/8",
        eth0=["192.168.0.102/24", "fd00:1::2/64", "fe80::2/64"],
        eth1=["10.20.0.1/24", "fd00:2::2/64", "fe80::3/64"],
    )
    verdict = ask(bound, origin, host, **options)
    assert verdict.answer is Answer.CONDITIONAL
    assert Condition.OTHER_LINK in verdict.conditions
    assert verdict.interface == link
    assert f"it sends by {link}" in verdict.explanation
    assert not ask(bound, host.interface("eth0"), host, **options)
    down = host.interface(link).replace(is_up=False)
    others = [i for i in host.interfaces if i.name != link]
    assert not ask(bound, origin, host.replace(interfaces=[*others, down]), **options)


def test_a_phone_reaches_a_host_that_has_only_link_local_addresses() -> None:
    """A neighbour with a global or unique-local source dials an fe80:: address of the host."""
    host = Host.of(lo=["127.0.0.1/8", "::1/128"], wifi=["192.168.0.102/24", "fe80::2/64"])
    for origin in ("2a00:1::50", "fd00:7::50"):
        verdict = ask("[::]:80", origin, host, v6only=False)
        assert {Condition.OTHER_LINK, Condition.PEER_ZONE} <= set(verdict.conditions)
        assert dials(verdict) == ["[fe80::2%wifi]:80"]


def test_a_likely_link_goes_before_another() -> None:
    """Where the origin's own link lets it in, no other one is spoken of."""
    verdict = ask("0.0.0.0:80", "192.168.0.50")
    assert Condition.OTHER_LINK not in verdict.conditions
    assert verdict.interface == "eth0"


def test_an_own_address_on_loopback_is_reached_by_loopback() -> None:
    """A program here gets in that is bound to lo itself, or sends UDP to 0.0.0.0; nobody else."""
    for bound in ("192.168.0.102:80", "192.168.0.102:80/udp"):
        for origin in (THIS_HOST, "192.168.0.102"):
            verdict = ask(bound, origin, device="lo")
            assert verdict.conditions == (Condition.SENT_BY_LOOPBACK,)
        assert ask(bound, "192.168.0.50", device="lo").reason is Reason.DEVICE


def test_a_neighbour_needs_a_route_to_another_network_on_its_link() -> None:
    """Two networks on one link are neighbours by wire only: the address needs a route."""
    host = Host.of(eth0=["192.168.0.102/24", "10.1.0.1/24"])
    assert Condition.ROUTE_THERE not in ask("10.1.0.1:80", "10.1.0.9", host).conditions
    assert Condition.ROUTE_THERE in ask("10.1.0.1:80", "192.168.0.50", host).conditions
    assert dials(ask("0.0.0.0:80", "192.168.0.50", host)) == ["192.168.0.102:80"]
    assert dials(ask("10.1.0.1:80", "192.168.0.50", host)) == ["10.1.0.1:80"]


def test_a_link_local_address_of_another_interface_answers_by_its_link() -> None:
    """From eth0's global address TCP to eth1's link-local one is lost; a datagram arrives."""
    host = Host.of(
        lo=["127.0.0.1/8", "::1/128"],
        eth0=["fe80::1/64", "fd00:1::1/64"],
        eth1=["fe80::2/64", "fd00:2::1/64"],
    )
    tcp = dials(ask("[::]:80", "fd00:1::1", host, v6only=True))
    assert "[fe80::1%eth0]:80" in tcp
    assert "[fe80::2%eth1]:80" not in tcp
    assert ask("[fe80::2%eth1]:80", "::1", host).reason is Reason.NO_WAY_BACK
    assert "[fe80::2%eth1]:80/udp" in dials(ask("[::]:80/udp", "fd00:1::1", host, v6only=True))


def test_local_routes_are_addresses_too() -> None:
    """What ``ip route add local`` delivers lets neighbours in where no own address would."""
    host = Host.of(lo="127.0.0.1/8", eth0="fe80::1/64", local_routes=["198.18.0.0/15"])
    verdict = ask("0.0.0.0:80", "10.1.0.50", host)
    assert verdict.answer is Answer.CONDITIONAL
    assert dials(verdict) == ["198.18.0.1:80"]
    assert Reach([Binding(Endpoint("0.0.0.0", 80))], host).scope is Scope.GLOBAL
    assert ask("198.18.7.7:80", THIS_HOST, host).answer is Answer.YES


def test_openbsd_has_no_dual_stack() -> None:
    """OpenBSD's IPv6 sockets never take IPv4, so that nobody need be told "if"."""
    openbsd = HOME.replace(system="openbsd")
    assert ask("[::]:80", "192.168.0.50", openbsd).reason is Reason.FAMILY


def test_a_link_local_neighbour_dials_a_link_local_address() -> None:
    """An origin dials an address of its own scope (RFC 6724 section 5, rule 2), or else another."""
    host = Host.of(lo="127.0.0.1/8", eth0=["fe80::1/64", "2a00:1::1/64"])
    verdict = ask("[::]:80", "fe80::9%eth0", host, v6only=True)
    assert dials(verdict) == ["[fe80::1%eth0]:80"]
    assert Condition.PEER_ZONE in verdict.conditions
    assert dials(ask("[2a00:1::1]:80", "fe80::9%eth0", host)) == ["[2a00:1::1]:80"]


def test_a_detour_is_dialled_where_nothing_straight_is_open() -> None:
    """An address of another interface is offered, and one alone, where none of its own is open."""
    named = Host.of(lo="127.0.0.1/8", wifi="192.168.0.102/24", eth=["10.0.0.1/24", "10.1.0.1/24"])
    host = named.replace(interfaces=[*named.interfaces, Interface("cable", 9)])
    assert dials(ask("0.0.0.0:80", "192.168.0.50", host)) == ["192.168.0.102:80"]
    for_the_cable = ask("0.0.0.0:80", host.interface("cable"), host)
    assert dials(for_the_cable) == ["192.168.0.102:80"]
    assert Condition.WEAK_HOST in for_the_cable.conditions


def test_a_no_has_all_its_reasons() -> None:
    """All gates that are shut on the best path are told, the first of them first."""
    host = Host.of(lo="127.0.0.1/8", wifi="192.168.0.102/24")
    down = host.replace(interfaces=[host.interfaces[0], host.interfaces[1].replace(is_up=False)])
    verdict = ask("127.0.0.1:80", "192.168.0.50", down)
    assert verdict.reasons == (Reason.LOOPBACK, Reason.LINK_DOWN)
    assert verdict.reason is Reason.LOOPBACK
    lost = ask("127.0.0.1:80", "8.8.8.8", host.replace(routes=[]))
    assert lost.reasons == (Reason.LOOPBACK, Reason.NO_WAY_BACK)
    assert ask("0.0.0.0:80", "192.168.0.50", host).reasons == ()


def test_names_of_digits() -> None:
    """An interface called "3" is itself, and not the one whose index is 3."""
    eth0 = Interface("eth0", 3, None, ["10.1.0.1/24"], is_up=False)
    three = Interface("3", 10, None, ["10.0.0.1/24"], is_up=True)
    host = Host([eth0, three])
    assert ask("0.0.0.0:80", three, host).answer is Answer.CONDITIONAL
    assert host.interface("3") == three


def test_addresses_that_are_none_are_left_out() -> None:
    """An interface that lists 0.0.0.0, as some have been seen to, has no such address."""
    host = Host.of(lo="127.0.0.1/8", eth0=["0.0.0.0/8", "10.0.0.1/8"])
    reach = Reach([Binding(Endpoint("0.0.0.0", 80))], host)
    assert reach.urls() == ("http://10.0.0.1:80", "http://127.0.0.1:80")
    assert [str(row.origin) for row in reach.rows[1:-2]] == ["10.0.0.0/8"]


def test_a_row_and_its_network_have_one_answer() -> None:
    """What the table says of a network is what the verdict on that network says."""
    down = Interface("eth0", 2, None, ["10.3.0.1/24"], is_up=False)
    up = Interface("eth1", 3, None, ["10.4.0.1/24"], is_up=True)
    reach = Reach([Binding(Endpoint("0.0.0.0", 80))], Host([down, up]))
    for row in reach.rows:
        assert row.answer is reach.verdict(row.origin).answer


def test_an_address_by_a_local_route_may_come_by_a_device() -> None:
    """Any-IP: ``ip route add local 10.66.0.0/24 dev eth0`` is seen to come by eth0 from here."""
    host = Host.of(lo="127.0.0.1/8", eth0="10.1.0.1/24").replace(
        local_routes=["127.0.0.0/8", "10.66.0.0/24"]
    )
    binding = Binding(Endpoint("10.66.0.7", 80, "udp"), device="eth0")
    verdict = Reach([binding], host).verdict(THIS_HOST)
    assert verdict.conditions == (Condition.LOCAL_ROUTE,)
    without = host.replace(interfaces=[host.interface("lo"), Interface("eth0")])
    wildcard = Binding(Endpoint("0.0.0.0", 80), device="eth0", listening=True)
    assert Reach([wildcard], without).verdict(THIS_HOST)


def test_one_of_two_interfaces_with_the_same_address_has_the_local_route() -> None:
    """From here, a socket on the device of the other one hears nothing."""
    host = Host.of(lo="127.0.0.1/8", wifi="10.1.0.1/24", cable="10.1.0.1/24")
    for device in ("wifi", "cable"):
        binding = Binding(Endpoint("0.0.0.0", 80), device=device, listening=True)
        verdict = Reach([binding], host).verdict(THIS_HOST)
        assert verdict.conditions == (Condition.LOCAL_ROUTE,)
    assert Reach([Binding(Endpoint("0.0.0.0", 80))], host).verdict(THIS_HOST).answer is Answer.YES
