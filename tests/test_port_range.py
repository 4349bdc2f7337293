"""Which ports the system gives away, read from it."""

from itertools import islice

import pytest
from attempts import LINUX, port_of
from namespace import in_namespace, setting

from bindlab.opening import bind, port_range
from bindlab.opening.port_range import ephemeral_ports, free_choice, privileged_below


@LINUX
@in_namespace
def test_the_settings_are_those_of_this_namespace() -> None:
    """The range, the reserved ports and the privileged ones are read anew each time."""
    setting("ipv4/ip_local_port_range", "50000 50009")
    setting("ipv4/ip_local_reserved_ports", "50001,50003-50005")
    setting("ipv4/ip_unprivileged_port_start", "81")
    assert ephemeral_ports() == range(50000, 50010)
    assert sorted(free_choice()) == [50000, 50002, *range(50006, 50010)]
    assert privileged_below() == 81


@LINUX
def test_the_choice_is_free() -> None:
    """Each port of the range once, from another one on each time: others choose as well."""
    assert sorted(free_choice()) == list(ephemeral_ports())
    assert len({tuple(islice(free_choice(), 3)) for _ in range(10)}) > 1


@LINUX
@in_namespace
def test_a_range_that_changed_is_heeded_at_once() -> None:
    """Nothing is remembered from one bind() to the next."""
    for low in (40000, 50000, 60000):
        setting("ipv4/ip_local_port_range", f"{low} {low + 9}")
        for _ in range(20):
            with bind() as sock:
                assert port_of(sock) in range(low, low + 10)


def test_where_the_system_does_not_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """The dynamic ports of RFC 6335, and 1024, are assumed."""
    monkeypatch.setattr(port_range, "_setting", lambda name: "")
    assert ephemeral_ports() == range(49152, 65536)
    assert sorted(free_choice()) == [*range(49152, 65536)]
    assert privileged_below() == 1024
