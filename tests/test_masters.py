"""Members of a VRF, and ports of a bridge: what other interfaces say of the own addresses."""

import pytest

from bindlab import (
    Binding,
    Condition,
    Endpoint,
    Host,
    Interface,
    Reason,
    Transport,
    answering,
    listen,
    reachable_from,
)
from bindlab.opening import hints
from bindlab.scanning import local_addresses, scan

LO = Interface("lo", 1, addresses=["127.0.0.1/8"], is_loopback=True, is_up=True)
IN_VRF = Host(
    [
        LO,
        Interface("red", 2, addresses=["127.0.0.1/8"], is_up=True, kind="vrf"),
        Interface("v0", 3, addresses=["10.5.0.1/24"], is_up=True, kind="veth", master="red"),
        Interface("eth0", 4, addresses=["192.168.0.2/24"], is_up=True, kind="", master=""),
    ]
)
PORT = Host(
    [
        LO,
        Interface("br0", 2, addresses=["10.9.0.1/24"], is_up=True, kind="bridge", master=""),
        Interface(
            "eth0",
            3,
            addresses=["10.5.0.1/24", "fd05::1/64", "fe80::1/64"],
            is_up=True,
            kind="",
            master="br0",
        ),
    ]
)


@pytest.mark.parametrize(("address", "device"), [("10.5.0.1", None), ("fd05::1", "eth0")])
def test_an_address_in_a_vrf_needs_its_device(
    address: str, device: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine has it, so the hint does not say that it lacks it."""
    red = Interface("red", 2, kind="vrf")
    v0 = Interface("v0", 3, addresses=["10.5.0.1/24", "fd05::1/64"], master="red")
    monkeypatch.setattr("bindlab.snapshot.interfaces", lambda: (red, v0))
    hint = hints._why_not_available(Endpoint(address, 0), device)
    assert hint == "it is an address of v0, in the VRF red: give device='v0' or device='red' too"


def test_what_a_vrf_has_is_not_tried_from_outside_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer from there would be no firewall's doing; it is said that nobody tried."""
    tried = [str(each) for each in local_addresses(IN_VRF)]
    assert tried[:2] == ["127.0.0.1 (lo)", "192.168.0.2 (eth0)"]
    assert not [each for each in tried if "red" in each or "v0" in each]
    monkeypatch.setattr(scan, "this_host", lambda: IN_VRF)
    with listen(0, "127.0.0.1") as server:
        found = answering(server.getsockname()[1])
    (told,) = [each for each in found.evidence if "VRF" in each]
    assert told.endswith("only programs in the VRF red get there: 127.0.0.1 (red), 10.5.0.1 (v0)")


@pytest.mark.parametrize(("bound", "phone"), [("10.5.0.1", "10.5.0.9"), ("fd05::1", "fd05::9")])
def test_an_address_on_a_port_is_reached_by_a_detour(bound: str, phone: str) -> None:
    """Packets come by the bridge, which does not own it: a route there and weak host it takes."""
    for origin in (phone, PORT.interface("br0")):
        verdict = reachable_from(Endpoint(bound, 80), host=PORT).verdict(origin)
        assert {Condition.ROUTE_THERE, Condition.WEAK_HOST} <= {*verdict.conditions}
        assert verdict.interface == "br0"


def test_the_address_of_the_bridge_goes_first() -> None:
    """A wildcard is dialled at an address that the bridge has itself."""
    verdict = reachable_from("0.0.0.0:80", host=PORT).verdict("10.9.0.9")
    assert [str(each.ip) for each in verdict.endpoints] == ["10.9.0.1"]


def test_a_link_local_address_on_a_port_is_nobody_s() -> None:
    """Its link is the bridge's, where the machine has not got it."""
    verdict = reachable_from("[fe80::1%eth0]:80", host=PORT).verdict("fe80::9%br0")
    assert verdict.reason is Reason.ZONE


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize(
    ("accept", "device", "expected"),
    [
        (False, None, Reason.VRF),
        (True, None, Condition.L3MDEV_ACCEPT),
        (None, None, Condition.L3MDEV_ACCEPT),
        (False, "red", None),
        (False, "v0", None),
        (True, "eth0", Reason.DEVICE),
    ],
)
def test_who_is_in_a_vrf_reaches_what_is_bound_there(
    transport: Transport,
    accept: bool | None,
    device: str | None,
    expected: Reason | Condition | None,
) -> None:
    """A socket without a device takes what comes by a VRF only where its own setting says so."""
    other = "udp" if transport == "tcp" else "tcp"
    settings = {f"{transport}_l3mdev_accept": accept, f"{other}_l3mdev_accept": not accept}
    binding = Binding(Endpoint("0.0.0.0", 80, transport), device=device, listening=True)
    reach = reachable_from(binding, host=IN_VRF.replace(**settings))
    verdict = reach.verdict(IN_VRF.interface("v0"))
    if isinstance(expected, Reason):
        assert verdict.reason is expected
    else:
        assert verdict
        assert (Condition.L3MDEV_ACCEPT in verdict.conditions) == (expected is not None)
    assert (Reason.VRF in verdict.reasons) == (expected is Reason.VRF)


def test_answers_within_a_vrf_may_find_their_way() -> None:
    """A socket on a member, and a program with another address of the VRF: Linux 5.10 connects."""
    red = IN_VRF.interface("red").replace(addresses=["10.77.0.1/32"])
    host = IN_VRF.replace(interfaces=[LO, red, IN_VRF.interface("v0")])
    binding = Binding(Endpoint("0.0.0.0", 80), device="v0", listening=True)
    verdict = reachable_from(binding, host=host).verdict("10.77.0.1")
    assert Condition.ROUTE_BACK in verdict.conditions
