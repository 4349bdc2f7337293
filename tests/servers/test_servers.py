"""Every server of the guide, run as the guide writes it, on sockets of bindlab."""

import importlib.util
import signal
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from bindlab import (
    BindError,
    Host,
    Scope,
    backlog_of,
    bind,
    listen,
    probe,
    reachable_from,
    wait_until_listening,
)
from bindlab.testing import assert_answers_only_on
from tests.servers.cases import CASES, Case
from tests.servers.guide import snippets
from tests.servers.running import running

# Servers that are programs of their own take long to start.
pytestmark = [pytest.mark.slow, pytest.mark.servers]

NOT_TOLD = "?"  # what an application answers whose server does not tell it the client's port
MOST = 2**31 - 1  # of which the system makes its own limit


class Way(NamedTuple):
    """How a server is given its sockets."""

    name: str
    addresses: tuple[str, ...]
    listening: bool = True


IPV4 = Way("ipv4", ("127.0.0.1",))
IPV6 = Way("ipv6", ("::1",))
PAIR = Way("pair", ("127.0.0.1", "::1"))
BOUND = Way("bound", ("127.0.0.1",), listening=False)


def ways_of(case: Case) -> list[Way]:
    """Return the ways in which *case* can be given its sockets."""
    return [IPV4, IPV6, *([PAIR] if case.several else []), *([BOUND] if case.listens else [])]


@pytest.mark.parametrize(
    ("case", "way"),
    [
        pytest.param(case, way, id=f"{case}-{way.name}".replace(" ", "-"))
        for case in CASES
        for way in ways_of(case)
    ],
)
def test_server(
    case: Case, way: Way, tmp_path: Path, laptop: Host, request: pytest.FixtureRequest
) -> None:
    """It answers where it was put and nowhere else, knows its peers, and ends without a trace."""
    if "::1" in way.addresses:
        request.getfixturevalue("ipv6_loopback")
    if importlib.util.find_spec(case.module) is None:  # which loads no server into this process
        pytest.skip(f"{case.module} is not installed: it is in the extra servers")
    code = snippets()[case.heading]
    with running(
        code, case.app, way.addresses, tmp_path, listening=way.listening, ignored=case.ignored
    ) as server:
        endpoints = server.endpoints()
        assert [str(endpoint.ip) for endpoint in endpoints] == [*way.addresses]
        (port,) = {endpoint.port for endpoint in endpoints}
        for endpoint in endpoints:
            wait_until_listening(endpoint, timeout=20, process=server.process)
            for _ in range(2):
                answer = case.ask(endpoint)
                if case.sees or endpoint.ip.version == 4:
                    assert answer.seen in (answer.peer, (answer.peer[0], NOT_TOLD))
        with suppress(BindError), ExitStack() as held:
            # Another program's server may have the number on an address that is not ours.
            for address in {"127.0.0.1", "::1"} - {*way.addresses}:
                held.enter_context(bind(port, address))
            assert_answers_only_on(port, *way.addresses)

        for host in (None, laptop):  # this machine may have no network, the laptop has two
            reach = reachable_from(endpoints if case.lent else server.sockets, host=host)
            assert reach.scope is Scope.HOST
            assert "192.168.0.50" not in reach

        if way.listening and not case.lent:
            with listen(backlog=MOST if case.backlog is None else case.backlog) as like_it:
                wanted = backlog_of(like_it)
            assert {backlog_of(sock) for sock in server.sockets} == {wanted}

        # Servers accept in order: once this is answered, none of the attempts above waits any
        # more. Ctrl-C in the middle of accept() would lose a connection, as CPython does it.
        for endpoint in endpoints:
            case.ask(endpoint)
        server.let_go()
        ending = server.stop()
        assert not server.has_workers_left(), ending.output
    assert ending.status in (case.status, -signal.SIGINT), ending.output
    if not case.execs and not case.keeps:
        # A connection that Ctrl-C meets is the server's own matter, and a matter of the moment.
        assert [one for one in ending.left if "raddr=" not in one] == [], ending.output
    assert "Warning" not in ending.output
    for endpoint in endpoints:
        assert not probe(endpoint)
        if way.listening:  # or some of them leave a port that cannot be had for a minute
            listen(port, endpoint.ip).close()
