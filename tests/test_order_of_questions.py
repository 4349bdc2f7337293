"""A ``Reach`` may remember answers, and no memory may change one."""

from hypothesis import given
from hypothesis import strategies as st
from test_laws import PEERS, bindings, hosts, origins

from bindlab import Binding, Host, Interface, Reach
from bindlab.endpoint import IPAddress, parse_address
from bindlab.reach import Origin

# Few addresses, several of each network: what a memory takes for the same must come together.
close_together: st.SearchStrategy[IPAddress] = st.builds(
    lambda peer, step: parse_address(peer) + step,
    st.sampled_from(PEERS[:3] + PEERS[4:5] + PEERS[7:8]),
    st.integers(0, 3),
)
questions = st.lists(st.one_of(close_together, close_together, origins), min_size=4, max_size=8)


def asked_of_a_fresh_one(several: list[Binding], host: Host, origin: Origin | str) -> object:
    """Return all of the verdict of a ``Reach`` that was asked nothing before."""
    return everything(Reach(several, host), origin)


def everything(reach: Reach, origin: Origin | str) -> object:
    """Return a verdict and all that its endpoints say; those compare as plain endpoints."""
    verdict = reach.verdict(origin)
    said = [(e, e.interface, e.audience, e.reason) for e in verdict.endpoints]
    return verdict, said, str(verdict), verdict.opens


@given(hosts, st.lists(bindings, min_size=1, max_size=2), questions)
def test_no_order_of_questions_changes_an_answer(
    host: Host, several: list[Binding], asked: list[Origin | str]
) -> None:
    """Whatever was asked before, and how often: the answer is that of a fresh ``Reach``."""
    reach = Reach(several, host)
    for origin in (*asked, *reversed(asked)):
        assert everything(reach, origin) == asked_of_a_fresh_one(several, host, origin)


@given(hosts, bindings, origins)
def test_the_table_and_the_scope_change_no_answer(
    host: Host, binding: Binding, origin: Origin | str
) -> None:
    """Rows, scope and interfaces ask many questions; one after them is answered as before."""
    reach = Reach([binding], host)
    rows, scope = reach.rows, reach.scope
    links: list[Interface] = list(host.interfaces)
    for link in links:
        reach.verdict(link)
    assert everything(reach, origin) == asked_of_a_fresh_one([binding], host, origin)
    again = Reach([binding], host)
    assert (again.scope, again.rows) == (scope, rows)
