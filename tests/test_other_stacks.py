"""Network stacks that pass for Linux and do some things otherwise: what gVisor's does, played."""

import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from attempts import BACKLOGS, LINUX, PYPY, leave_time_wait

from bindlab import Interface, allocate, backlog_of, bind, listen
from bindlab.endpoint import Transport
from bindlab.errors import OptionNotSupportedError
from bindlab.linux import has_sysctl
from bindlab.linux.routes import _routing
from bindlab.opening import one_socket

pytestmark = LINUX


class EarlySocket(socket.socket):
    """A socket of gVisor's: it keeps the options it had in bind(), and tells no backlog."""

    is_bound = False

    def bind(self, address: object) -> None:
        super().bind(address)
        self.is_bound = True

    def setsockopt(self, level: int, option: int, value: object) -> None:
        if not (self.is_bound and option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT)):
            super().setsockopt(level, option, value)

    def getsockopt(self, level: int, option: int, size: int = 0) -> object:
        got = super().getsockopt(level, option, *([size] if size else []))
        if (level, option) == (socket.IPPROTO_TCP, socket.TCP_INFO):
            return struct.pack(f"{size}s", got[:1])
        return got


@pytest.fixture
def early_options(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have sockets that heed only what is set before bind()."""
    one_socket._lets_others_bind.cache_clear()
    monkeypatch.setattr(socket, "socket", EarlySocket)
    yield
    one_socket._lets_others_bind.cache_clear()


@pytest.mark.usefixtures("early_options")
def test_a_restart_over_time_wait_works_at_once() -> None:
    """A server's connections linger, and the next one has its port all the same."""
    port = leave_time_wait(listen())
    with listen(port) as again:
        assert again.getsockname()[1] == port


@pytest.mark.usefixtures("early_options")
def test_what_cannot_be_lent_is_not_lent() -> None:
    """A number that nobody else could bind is refused, with what to do instead."""
    with pytest.raises(OptionNotSupportedError, match="cannot lend a port: hand the socket"):
        allocate(lendable=True)


@pytest.mark.usefixtures("early_options")
@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_port_of_the_systems_choice_is_shared(address: str, transport: Transport) -> None:
    """With share_port=True and port 0, the second socket is let in like the first."""
    with bind(0, address, transport=transport, share_port=True) as first:
        port = first.getsockname()[1]
        with bind(port, address, transport=transport, share_port=True):
            pass
    with (
        listen(0, address, share_port=True) as first,
        listen(first.getsockname()[1], address, share_port=True),
    ):
        pass


@pytest.mark.usefixtures("early_options")
def test_a_backlog_that_is_not_told_is_unknown() -> None:
    """0 of each listener is no backlog: it is None."""
    with listen() as server:
        assert backlog_of(server) is None


@BACKLOGS
def test_a_backlog_of_0_is_0() -> None:
    """Where backlogs are told, 0 is one."""
    with listen(backlog=0) as server:
        assert backlog_of(server) == (1 if PYPY else 0)


class NoRoutes:
    """A netlink client of a stack whose tables are empty."""

    def dump(self, *_: object) -> list[object]:
        return []


def test_a_table_without_the_own_addresses_tells_no_local_routes() -> None:
    """Linux has a local route to each address that is up; who lists none does not tell them."""
    up = Interface("eth0", 2, addresses=["10.0.0.1/24"], is_up=True)
    assert _routing(NoRoutes(), [up]).local is None
    for idle in ([], [up.replace(is_up=False)], [up.replace(addresses=())]):
        assert _routing(NoRoutes(), idle).local == ()


def test_a_setting_that_a_stack_has_not_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside other settings of IPv4 a file that is not there is none; without /proc it may be."""
    monkeypatch.setattr("bindlab.linux.settings._SETTINGS", str(tmp_path))
    assert has_sysctl("ipv4/conf/all/route_localnet")
    (tmp_path / "ipv4").mkdir()
    assert not has_sysctl("ipv4/conf/all/route_localnet")
    (tmp_path / "ipv4/ip_forward").write_text("0")
    assert has_sysctl("ipv4/ip_forward")
