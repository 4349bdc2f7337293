"""The ten hard cases of holding ports, and by which tests each of them is proved.

The proofs stand with the tests of what they are about. This is the list of them, and it is
checked: what it names exists, and says in its docstring which case it belongs to.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent

CASES = {
    "1: 8 processes of 25 and noise in 1,000 ports": ["test_nothing_is_lost_in_a_short_race"],
    "2: a squatter before listen(), a restart over TIME_WAIT": [
        "test_a_squatter_is_refused",
        "test_a_bound_socket_can_listen_in_spite_of_squatters",
        "test_a_restart_over_time_wait_works_at_once",
        "test_a_restart_takes_its_exact_port_and_holds_it",
        "test_a_squatter_between_allocate_and_listen_is_refused",
    ],
    "3: a pair beside 9,000 busy ports": ["test_groups_are_had_at_once_beside_9000_busy_ports"],
    "4: both transports beside 9,000 busy ports; a full range": [
        "test_groups_are_had_at_once_beside_9000_busy_ports",
        "test_a_full_range_fails_fast_and_says_so",
        "test_a_full_range_is_named",
    ],
    "5: UDP never shares": ["test_udp_never_shares_a_port_that_it_did_not_ask_for"],
    "6: IPv6 switched off, or not there at all": [
        "test_dual_stack_survives_disabled_ipv6",
        "test_disabled_ipv6_is_named",
        "test_every_system_call_may_fail",
    ],
    "7: what overlaps, and bindv6only": [
        "test_v6only_does_not_depend_on_the_administrator",
        "test_what_overlaps_excludes_each_other",
    ],
    "8: the catalogue of errors": [
        "test_a_listener_is_named",
        "test_a_holder_that_does_not_listen_is_named_or_guessed",
        "test_an_address_in_use_may_come_from_listen",
        "test_ports_below_the_system_s_own_limit_need_a_privilege",
        "test_a_foreign_address_lists_the_own_ones",
        "test_an_address_still_being_checked_is_refused_with_its_reason",
        "test_zones_are_explained",
    ],
    "9: handing over, forking, forgetting": [
        "test_a_reservation_is_passed_to_a_child",
        "test_a_socket_travels_through_a_unix_socket",
        "test_activation_follows_the_protocol",
        "test_what_is_no_ip_socket_is_refused_and_stays_open",
        "test_a_fork_shares_the_hold",
        "test_a_forgotten_reservation_warns_and_closes",
    ],
    "10: zones, devices, backlogs": [
        "test_a_zone_is_a_name_or_an_index",
        "test_a_device_narrows_a_binding",
        "test_the_effective_backlog_can_be_read",
    ],
}


def _proofs() -> Iterator[tuple[int, str]]:
    """Yield each case and the name of each test whose docstring claims to prove it."""
    for path in HERE.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for claim in re.findall(r"hard cases? ([\d, ]+)", ast.get_docstring(node) or ""):
                    for number in re.findall(r"\d+", claim):
                        yield int(number), node.name


def test_there_are_ten() -> None:
    """The list is complete: the cases 1 to 10, each once."""
    assert [int(case.partition(":")[0]) for case in CASES] == [*range(1, 11)]


@pytest.mark.parametrize("case", CASES)
def test_a_case_is_proved(case: str) -> None:
    """Each case is claimed by exactly the tests that the list names."""
    number = int(case.partition(":")[0])
    assert sorted(CASES[case]) == sorted(name for each, name in _proofs() if each == number)
