"""A machine inside another one: what its host has to do, and for whom."""

import pytest

from bindlab import (
    BEYOND,
    INTERNET,
    THIS_HOST,
    Answer,
    Condition,
    Guest,
    Host,
    OriginLike,
    reachable_from,
)
from bindlab.guest import GUEST_KINDS, GuestKind
from bindlab.reach import Verdict

DOCKER = Guest("container", ["the file /.dockerenv exists"], host_address="172.17.0.1")
VAGRANT = Guest("vm", ["the gateway is 10.0.2.2"], private_links=["eth0"], host_address="10.0.2.2")
CONTAINER = Host.of(lo="127.0.0.1/8", eth0="172.17.0.2/16", guest=DOCKER)
MACHINE = Host.of(lo="127.0.0.1/8", eth0="10.0.2.15/24", eth1="192.168.33.10/24", guest=VAGRANT)


def verdict(host: Host, origin: OriginLike, bound: str = "0.0.0.0:3000") -> Verdict:
    """Return whether *origin* gets in."""
    return reachable_from(bound, host=host).verdict(origin)


@pytest.mark.parametrize("origin", ["192.168.1.50", BEYOND, INTERNET, "8.8.8.8"], ids=str)
def test_who_is_beyond_needs_the_host(origin: OriginLike) -> None:
    """Beyond the container's networks, its host publishes the port, and is what is opened."""
    found = verdict(CONTAINER, origin)
    assert Condition.GUEST in found.conditions
    assert Condition.ROUTE_THERE not in found.conditions
    assert "the machine that runs this container publishes the port" in found.explanation
    assert found.opens == ""


@pytest.mark.parametrize(
    "origin", ["172.17.0.1", "172.17.0.3", "172.17.0.0/16", THIS_HOST], ids=str
)
def test_neighbours_and_programs_do_without(origin: OriginLike) -> None:
    """The host itself and its other containers are on the container's network."""
    found = verdict(CONTAINER, origin)
    assert found
    assert Condition.GUEST not in found.conditions
    assert found.opens


def test_a_private_link_has_no_neighbours() -> None:
    """By user networking even an address of the same network comes from nowhere else."""
    assert Condition.GUEST in verdict(MACHINE, "10.0.2.3").conditions
    assert Condition.GUEST not in verdict(MACHINE, "192.168.33.1").conditions
    assert Condition.GUEST in verdict(MACHINE, "192.168.1.50").conditions


def test_a_guest_on_the_network_of_its_host_needs_nothing() -> None:
    """Host networking and a bridge: whoever reaches the host's network reaches the guest."""
    guest = DOCKER.replace(needs_forwarding=False)
    host = Host.of(lo="127.0.0.1/8", eth0="192.168.1.20/24", guest=guest)
    for origin in ("192.168.1.50", BEYOND, "10.0.0.1"):
        assert Condition.GUEST not in verdict(host, origin).conditions


@pytest.mark.parametrize("kind", GUEST_KINDS)
def test_a_hint_shuts_nobody_out(kind: GuestKind) -> None:
    """Whatever kind of guest it is, who gets in and who does not stays the same."""
    plain = CONTAINER.replace(guest=None)
    guest = Host.of(lo="127.0.0.1/8", eth0="172.17.0.2/16", guest=Guest(kind, ["a hint"]))
    for bound in ("0.0.0.0:80", "127.0.0.1:80", "172.17.0.2:80", "[::]:80", "10.0.0.1:80"):
        for origin in ("192.168.1.50", "172.17.0.1", THIS_HOST, BEYOND, INTERNET):
            one, other = (verdict(host, origin, bound) for host in (plain, guest))
            assert one.answer is other.answer
            assert one.reason is other.reason
    assert verdict(guest, "192.168.1.50").answer is Answer.CONDITIONAL
    assert guest.guest is not None
    assert str(guest.guest) == f"this looks like {GUEST_KINDS[kind].name}: a hint"


@pytest.mark.parametrize("guest", [DOCKER, VAGRANT.replace(host_name="tower")])
def test_a_guest_travels_as_json(guest: Guest) -> None:
    """A made-up host has it, and JSON carries it; a host of an older document has none."""
    host = CONTAINER.replace(guest=guest, interfaces=MACHINE.interfaces)
    assert Host.from_json(host.to_json()) == host
    assert Host.from_json('{"system": "linux", "interfaces": []}').guest is None


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"kind": "toaster"}, ValueError, "write one of container, pod"),
        ({"evidence": "a text"}, TypeError, "a list of texts"),
        ({"evidence": [1]}, TypeError, "a list of texts"),
        ({"evidence": []}, ValueError, "known by evidence"),
        ({"needs_forwarding": "yes"}, TypeError, "True or False"),
        ({"private_links": "eth0"}, TypeError, "a list of texts"),
        ({"private_links": [""]}, ValueError, "interface's name"),
        ({"host_address": "nowhere"}, ValueError, "nowhere"),
    ],
)
def test_what_is_no_guest_is_refused(
    fields: dict[str, object], error: type[Exception], words: str
) -> None:
    """Bad input says what to write instead."""
    with pytest.raises(error, match=words):
        DOCKER.replace(**fields)


def test_a_host_takes_guests_only() -> None:
    """Text is no guest."""
    with pytest.raises(TypeError, match="Guest"):
        CONTAINER.replace(guest="container")
