"""The banner of a server, the URLs of a verdict, links in notebooks, documentation addresses."""

import html
import re

import pytest

from bindlab import (
    Binding,
    Endpoint,
    Host,
    NetworkUrl,
    answering,
    banner,
    bind,
    explain,
    listen,
    reachable_from,
)

LAPTOP = Host.of(
    lo=["127.0.0.1/8", "::1/128"],
    wlan0=["192.168.0.102/24", "2001:470::5/64", "fe80::2/64"],
    docker0="172.17.0.1/16",
    tailscale0="100.101.7.3/32",
)

PRINTED = {
    "IPv4": (
        "0.0.0.0:3000",
        """\
  Local:    http://127.0.0.1:3000
  Network:  http://192.168.0.102:3000   (wlan0)
            http://100.101.7.3:3000     (tailscale0)""",
    ),
    "both families": (
        "[::]:3000",
        """\
  Local:    http://localhost:3000
  Network:  http://[2001:470::5]:3000   (wlan0)
            http://192.168.0.102:3000   (wlan0)
            http://100.101.7.3:3000     (tailscale0)""",
    ),
    "private": (
        "127.0.0.1:3000",
        """\
  Local:    http://127.0.0.1:3000
  Network:  not open: bind 0.0.0.0 to let others in""",
    ),
    "private IPv6": (
        "[::1]:3000",
        """\
  Local:    http://[::1]:3000
  Network:  not open: bind :: to let others in""",
    ),
    "localhost": (
        ["127.0.0.1:3000", "[::1]:3000"],
        """\
  Local:    http://localhost:3000
  Network:  not open: bind 0.0.0.0 to let others in""",
    ),
    "one address": (
        "192.168.0.102:3000",
        """\
  Local:    http://192.168.0.102:3000
  Network:  http://192.168.0.102:3000   (wlan0)""",
    ),
    "not listening": (
        Binding(Endpoint("0.0.0.0", 3000), listening=False),
        """\
  Local:    -
  Network:  not open: it is bound, but listen() was not called, so every
            connection is refused""",
    ),
    "UDP": (
        "0.0.0.0:53/udp",
        """\
  Local:    -
  Network:  not open: UDP has no URL""",
    ),
}


@pytest.mark.parametrize(("target", "text"), PRINTED.values(), ids=PRINTED)
def test_a_banner(
    target: str | Binding | list[str], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a server is found, from here and by each network, or how to open it."""
    monkeypatch.setenv("COLUMNS", "80")
    assert str(banner(target, host=LAPTOP)) == text


def test_a_banner_is_a_value() -> None:
    """It says each URL, the interface and the network that it is for."""
    found = banner("0.0.0.0:3000", host=LAPTOP)
    assert found.local == ("http://127.0.0.1:3000",)
    assert found.network[0] == NetworkUrl(
        "http://192.168.0.102:3000", interface="wlan0", network="192.168.0.0/24"
    )
    assert str(found.network[0]) == "http://192.168.0.102:3000"
    assert found.how_to_open == ""
    assert banner("127.0.0.1:3000", host=LAPTOP).network == ()


def test_any_scheme_and_any_path() -> None:
    """A path is encoded where it has to be, and may have a query; "/" is as none."""
    found = banner("[::]:8443", scheme="https", path="a b/\u00fc?q=1&r=%20#x", host=LAPTOP)
    assert found.local == ("https://localhost:8443/a%20b/%C3%BC?q=1&r=%20#x",)
    assert str(found.network[0]) == "https://[2001:470::5]:8443/a%20b/%C3%BC?q=1&r=%20#x"
    assert banner("127.0.0.1:80", scheme="git+ssh", host=LAPTOP).local == (
        "git+ssh://127.0.0.1:80",
    )
    for scheme in ("", "http://", "1http", "h\u00e4"):
        with pytest.raises(ValueError, match="is no scheme"):
            banner("127.0.0.1:80", scheme=scheme, host=LAPTOP)


def test_bridges_of_containers_are_folded() -> None:
    """They are no URLs that a person gives away, unless asked for or nothing else is there."""
    reach = reachable_from("0.0.0.0:3000", host=LAPTOP)
    bridge = "http://172.17.0.1:3000"
    assert bridge not in reach.urls()
    assert bridge in reach.urls(unfolded=True)
    assert bridge in map(str, banner("0.0.0.0:3000", unfolded=True, host=LAPTOP).network)
    assert reachable_from("172.17.0.1:3000", host=LAPTOP).urls() == (bridge,)
    assert bridge in [each.url() for each in reach.endpoints]


def test_dead_links_are_folded() -> None:
    """Nobody comes by an interface that is down."""
    off = LAPTOP.interface("wlan0").replace(is_running=False)
    host = LAPTOP.replace(interfaces=[LAPTOP.interfaces[0], off])
    found = banner("0.0.0.0:3000", host=host)
    assert (found.network, found.how_to_open) == ((), "this machine is on no network now")


def test_a_live_server() -> None:
    """A socket, and the port that it has, have the same banner."""
    with listen() as server, bind(transport="udp") as udp:
        port = server.getsockname()[1]
        assert banner(server).local == (f"http://127.0.0.1:{port}",)
        assert banner(server) == banner(port)
        assert banner(udp).local == ()


def test_a_verdict_has_urls() -> None:
    """What this origin opens; nothing where a router would have to forward the port."""
    reach = reachable_from("0.0.0.0:3000", host=LAPTOP)
    assert reach.verdict("192.168.0.50").urls("https", "/x") == ("https://192.168.0.102:3000/x",)
    assert reach.verdict("internet").urls() == ()
    assert reachable_from("127.0.0.1:3000", host=LAPTOP).verdict("192.168.0.50").urls() == ()
    assert reachable_from("[fe80::2%wlan0]:80", host=LAPTOP).verdict("fe80::5%wlan0").urls() == ()


def links(shown: str) -> list[str]:
    """Return what the links of some HTML lead to; each shows just that."""
    found = re.findall(r'<a href="([^"]*)">([^<]*)</a>', shown)
    assert all(target == text for target, text in found)
    return [html.unescape(target) for target, _ in found]


def test_notebooks_have_links() -> None:
    """What can be opened is a link, in each of the four."""
    reach = reachable_from("0.0.0.0:3000", host=LAPTOP)
    url = "http://192.168.0.102:3000"
    assert url in links(reach._repr_html_())
    assert links(reach.verdict("192.168.0.50")._repr_html_()) == [url]
    assert url in links(explain(reach, "192.168.0.50", host=LAPTOP)._repr_html_())
    assert url in links(explain("127.0.0.1:3000", "192.168.0.50", host=LAPTOP)._repr_html_())
    with listen() as server:
        port = server.getsockname()[1]
        assert links(answering(port)._repr_html_()) == [f"http://127.0.0.1:{port}"]
        assert f"http://127.0.0.1:{port}" in links(explain(port)._repr_html_())
    assert links(answering(port)._repr_html_()) == []
    assert links(explain(port)._repr_html_()) == []


def test_no_link_is_made_of_foreign_text() -> None:
    """A name that looks like a URL or like HTML is text."""
    evil = "http://evil.example/<b>"
    host = Host.of(lo="127.0.0.1/8", wlan0="192.168.0.102/24")
    named = host.interface("wlan0").replace(display_name=evil)
    host = host.replace(interfaces=[host.interfaces[0], named])
    reach = reachable_from("0.0.0.0:80", host=host)
    explained = explain("0.0.0.0:80", "192.168.0.50", host=host)
    for shown in (reach._repr_html_(), reach.rows[1]._repr_html_(), explained._repr_html_()):
        assert "<b>" not in shown
        assert set(links(shown)) <= {"http://127.0.0.1:80", "http://192.168.0.102:80"}


def test_a_url_that_begins_another_is_not_linked_in_it() -> None:
    """http://10.0.0.1:80 is no part of http://10.0.0.1:8000."""
    host = Host.of(lo="127.0.0.1/8", eth0="10.0.0.1/24")
    both = reachable_from(["10.0.0.1:80", "10.0.0.1:8000"], host=host)
    found = links(both._repr_html_())
    assert {"http://10.0.0.1:80"} <= set(found) <= {"http://10.0.0.1:80", "http://10.0.0.1:8000"}


NOTED = {
    "192.0.2.77": "192.0.2.0/24, documentation (TEST-NET-1) in the registry,",
    "198.51.100.0/24": "198.51.100.0/24, documentation (TEST-NET-2) in the registry,",
    "2001:db8::/64": "2001:db8::/32, documentation in the registry,",
    "3fff::1": "3fff::/20, documentation in the registry,",
}


@pytest.mark.parametrize(("origin", "said"), NOTED.items(), ids=NOTED)
def test_documentation_addresses_are_called_so(origin: str, said: str) -> None:
    """The registry's name is said, and that they are judged like global ones."""
    reach = reachable_from("[::]:80", host=LAPTOP)
    verdict = reach.verdict(origin)
    assert f"{said} is judged like global addresses" in verdict.assumptions
    assert not any("registry" in note for note in reach.verdict("8.8.8.8").assumptions)
    there = Host.of(lo="127.0.0.1/8", eth0="203.0.113.5/24")
    shown = str(reachable_from("0.0.0.0:80", host=there)).replace("\n", " ")
    assert "203.0.113.0/24, documentation (TEST-NET-3) in the registry," in shown
