"""What a person reads: the table, the picture, and the words in them."""

from html.parser import HTMLParser

from bindlab import Binding, Endpoint, Host, Interface, Reach, reachable_from


def flat(text: object) -> str:
    """Return *text* in one line, as no line break falls where a reader would see one."""
    return " ".join(str(text).split())


def test_a_global_ipv6_address_has_no_nat(laptop: Host) -> None:
    """Beside a private IPv4 address, a global IPv6 one is seen to be open to the internet."""
    wan = Interface("wan", 9, None, ["2a00:1::3/64"], True, True)
    host = laptop.replace(interfaces=[*laptop.interfaces, wan])
    reach = Reach([Binding(Endpoint("::", 3000), False, None, True)], host)
    assert str(reach).startswith("Open, to the internet too: others open http://[2a00:1::3]:3000, ")
    (internet,) = (line for line in str(reach).splitlines() if line.startswith("  the internet"))
    assert "http://[2a00:1::3]:3000" in internet
    assert "with no NAT before it" in reach.rows[-1].explanation


def test_private_addresses_are_no_url_for_the_internet(laptop: Host) -> None:
    """What a router would have to forward is not offered as a URL to the internet."""
    text = reachable_from("0.0.0.0:3000", host=laptop).text(width=120)
    (internet,) = (line for line in text.splitlines() if line.startswith("  the internet"))
    assert internet.split(maxsplit=3)[2:] == ["-", "a route back, a router forwards it"]


def test_wide_characters_stay_aligned() -> None:
    """The wall is straight where an interface has a name in wide characters."""
    host = Host.of(lo="127.0.0.1/8", 无线网络="192.168.0.102/24")
    picture = reachable_from("0.0.0.0:3000", host=host).diagram()
    box = [line for line in picture.splitlines() if line.startswith("|")]
    columns = {sum(2 if ord(c) > 0x2E80 else 1 for c in line[: line.rindex("|")]) for line in box}
    assert len(columns) == 1


def test_urls_have_no_zone_and_no_group(laptop: Host) -> None:
    """urls() lists what a browser opens: no wildcard, no zone, no group."""
    dual = Reach([Binding(Endpoint("::", 3000), False)], laptop)
    assert dual.urls() == (
        "http://192.168.0.102:3000",
        "http://10.0.0.12:3000",
        "http://127.0.0.1:3000",
        "http://[::1]:3000",
    )
    assert dual.urls("https")[0] == "https://192.168.0.102:3000"
    assert any(endpoint.ip.is_link_local for endpoint in dual.endpoints)
    assert [e.interface for e in dual.endpoints][:2] == ["wifi", "ethernet"]
    assert Reach([Binding(Endpoint("239.1.1.1", 53, "udp"))], laptop).urls() == ()


def test_states_of_interfaces_are_shown() -> None:
    """An interface that is down, unplugged or without address says so in the picture."""
    host = Host(
        [
            Interface("eth0", 2, None, ["10.0.0.1/24"], is_up=False),
            Interface("eth1", 3, None, ["10.0.1.1/24"], is_up=True, is_running=False),
            Interface("eth2", 4, None, []),
        ]
    )
    picture = reachable_from("0.0.0.0:3000", host=host).diagram()
    assert "eth0  10.0.0.1 (down)" in picture
    assert "eth1  10.0.1.1 (no carrier)" in picture
    assert "no address" in picture
    assert "that this machine has a loopback interface" in flat(
        reachable_from("0.0.0.0:3000", host=host)
    )


def test_origins_in_words(laptop: Host) -> None:
    """An origin is written as a person would name it."""
    reach = reachable_from("0.0.0.0:3000", host=laptop)
    assert reach.verdict("192.168.0.50").who == "192.168.0.50 (wifi)"
    assert reach.verdict(laptop.interfaces[1]).who == "anyone on wifi"
    assert [row.who for row in reach.rows][-2:] == ["other networks", "the internet"]


class _Tags(HTMLParser):
    """What a browser makes of a piece of HTML: the text of its cells, and which tags it has."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.opened: list[str] = []
        self.closed: list[str] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.opened.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        self.closed.append(tag)

    def handle_data(self, data: str) -> None:
        if self.cells and self.opened.count("table") > self.closed.count("table"):
            self.cells[-1] += data.strip("\n")


def test_notebooks_show_the_table(laptop: Host) -> None:
    """In a notebook an answer is a table with the cells of the text, and what was assumed."""
    reach = reachable_from("127.0.0.1:3000", host=laptop)
    seen = _Tags(reach._repr_html_())
    assert seen.cells[:4] == ["from", "answer", "open", "why"]
    assert tuple(seen.cells[4:8]) == reach.rows[0].cells
    assert len(seen.cells) == 4 * (1 + len(reach.rows))
    assert sorted(seen.opened) == sorted(seen.closed)
    assert "Bound to 127.0.0.1:3000." in reach._repr_html_()
    assert "Assuming that route_localnet is off" in reach._repr_html_()
    verdict = reach.verdict("192.168.0.50")
    assert tuple(_Tags(verdict._repr_html_()).cells[4:]) == verdict.cells


def test_notebooks_get_no_markup_from_names() -> None:
    """What a system calls its interfaces is text in HTML, whatever it looks like."""
    name = "<script>&'\""
    odd = Host([Interface("eth0", 2, name, ["192.168.0.102/24"], is_up=True, is_running=True)])
    html = reachable_from("192.168.0.102:3000", host=odd)._repr_html_()
    assert "<script" not in html
    assert any(name in cell for cell in _Tags(html).cells)


def test_notebooks_keep_their_colours(laptop: Host) -> None:
    """No colour is set, so that the page's own are read in light and in dark."""
    assert "color" not in reachable_from("0.0.0.0:3000", host=laptop)._repr_html_()
