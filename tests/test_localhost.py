"""What localhost means is read from the hosts file, and said of a port."""

from pathlib import Path

import pytest

from bindlab import explain, listen
from bindlab.endpoint import parse_address
from bindlab.explaining import subject
from bindlab.scanning import localhost_addresses

FILES = {
    "both": ("127.0.0.1 localhost\n::1 localhost ip6-localhost\n", ["::1", "127.0.0.1"]),
    "IPv4 alone": ("127.0.0.1\tLOCALHOST desk # ::1 localhost\n::1 ip6-localhost\n", ["127.0.0.1"]),
    "none": ("# nothing\n\n192.0.2.1 desk\n", []),
    "not loopback": ("192.0.2.1 localhost\nno-address localhost\n", []),
}


@pytest.mark.parametrize("case", FILES)
def test_the_hosts_file_is_read(case: str, tmp_path: Path) -> None:
    """IPv6 goes first, other names and what is no loopback address do not count."""
    text, expected = FILES[case]
    path = tmp_path / "hosts"
    path.write_text(text)
    assert [str(ip) for ip in localhost_addresses(str(path))] == expected


def test_no_hosts_file() -> None:
    """Where there is none, nothing is said."""
    assert localhost_addresses("/nonexistent/hosts") == ()


def test_it_is_said_where_the_server_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser that opens localhost may meet the address that the server is not on."""
    both = tuple(map(parse_address, ("::1", "127.0.0.1")))
    monkeypatch.setattr(subject, "localhost_addresses", lambda: both)
    with listen() as server:
        certain = explain(server.getsockname()[1]).certain
    assert "localhost here is ::1 (where nothing listens), then 127.0.0.1 (hosts file)" in certain
