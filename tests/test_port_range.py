"""Which ports the system gives away, read from it, and visited in random order."""

import pytest
from attempts import LINUX, port_of
from namespace import in_namespace, setting

from bindlab.opening import any_port, bind
from bindlab.opening.port_range import (
    RandomOrder,
    ephemeral_ports,
    privileged_below,
    reserved_ports,
)


@pytest.mark.parametrize(
    "ports", [range(0), range(7, 8), range(10), range(32768, 61000), range(9, 3, -2)]
)
def test_a_random_order_visits_each_port_once(ports: range) -> None:
    """No port is left out or comes twice, and two orders differ."""
    assert sorted(RandomOrder(ports).once()) == sorted(ports)
    if len(ports) > 1000:
        assert list(RandomOrder(ports).once()) != list(RandomOrder(ports).once())


@LINUX
@in_namespace
def test_the_settings_are_those_of_this_namespace() -> None:
    """The range, the reserved ports and the privileged ones are read anew each time."""
    setting("ipv4/ip_local_port_range", "50000 50009")
    setting("ipv4/ip_local_reserved_ports", "50001,50003-50005")
    setting("ipv4/ip_unprivileged_port_start", "81")
    assert ephemeral_ports() == range(50000, 50010)
    assert reserved_ports() == {50001, 50003, 50004, 50005}
    assert privileged_below() == 81


def _see_a_crowd() -> None:
    with bind() as sock:
        for _ in range(3):
            any_port._crowd.see_slow_one(sock)


@LINUX
@in_namespace
def test_in_a_crowd_ports_are_still_of_the_range_and_not_reserved() -> None:
    """The search at random takes just the ports that the system would, and all of them."""
    setting("ipv4/ip_local_port_range", "50000 50019")
    setting("ipv4/ip_local_reserved_ports", "50003-50005")
    try:
        _see_a_crowd()
        held = [bind() for _ in range(17)]
        assert {port_of(sock) for sock in held} == set(ephemeral_ports()) - reserved_ports()
        with pytest.raises(OSError, match="range 50000-50019"):
            bind()
        for sock in held:
            sock.close()
    finally:
        any_port._crowd.forget()


@LINUX
def test_a_crowd_in_another_namespace_is_not_this_one_s() -> None:
    """What was seen in one network namespace says nothing of another."""

    @in_namespace
    def elsewhere() -> None:
        setting("ipv4/ip_local_port_range", "50000 50019")
        _see_a_crowd()
        with bind() as sock:
            assert port_of(sock) in range(50000, 50020)

    try:
        elsewhere()
        with bind() as sock:
            assert port_of(sock) in ephemeral_ports()
            assert any_port._crowd.binds_left == 0
    finally:
        any_port._crowd.forget()
