"""The picture as SVG: it is well-formed, shows what the text shows, and has the page's colours."""

import xml.etree.ElementTree as ET

import pytest

from bindlab import Host, Interface, reachable_from

SVG = "{http://www.w3.org/2000/svg}"


def texts(drawn: str) -> list[str]:
    return [each.text or "" for each in ET.fromstring(drawn).iter(f"{SVG}text")]


def colours(drawn: str) -> list[str]:
    """Return the colour of each line of an arrow, in order from above; its head has the same."""
    paths = [each.get("stroke") or "" for each in ET.fromstring(drawn).iter(f"{SVG}path")]
    assert paths[::2] == paths[1::2]
    return paths[::2]


YES, MAYBE, NO = "#2e9e5b", "#c98a00", "#d1495b"


@pytest.mark.parametrize(
    ("bound", "expected"),
    [
        ("127.0.0.1:3000", [YES, NO, NO, NO, NO, NO, NO]),
        ("0.0.0.0:3000", [YES, MAYBE, NO, MAYBE, NO, MAYBE, MAYBE]),
    ],
)
def test_who_gets_in_has_a_colour(bound: str, expected: list[str], laptop: Host) -> None:
    """Green gets in, amber may, red is shut out: one arrow for each row of the table."""
    assert sorted(colours(reachable_from(bound, host=laptop).svg())) == sorted(expected)


def test_it_says_what_the_table_says(laptop: Host) -> None:
    """All addresses are there, who comes, and what they open; the sockets are the title."""
    reach = reachable_from("0.0.0.0:3000", host=laptop)
    said = texts(reach.svg())
    for text in ("wifi", "192.168.0.102", "192.168.0.0/24", "http://192.168.0.102:3000"):
        assert text in said
    assert "if a router forwards the port" in said
    assert said[0] == "Bound to 0.0.0.0:3000: every IPv4 address of this machine."
    title = ET.fromstring(reach.svg()).find(f"{SVG}title")
    assert title is not None
    assert title.text == said[0]


def test_text_has_the_colour_of_the_page(laptop: Host) -> None:
    """No colour is given to text and box, so that both read on a dark page."""
    root = ET.fromstring(reachable_from("0.0.0.0:3000", host=laptop).svg())
    assert root.get("fill") == "currentColor"
    assert [each for each in root.iter(f"{SVG}text") if each.get("fill")] == []
    assert {each.get("stroke") for each in root.iter(f"{SVG}rect")} == {"currentColor"}


def test_everything_is_inside(laptop: Host) -> None:
    """Nothing is drawn beyond the edge, however long a name is."""
    long = laptop.interfaces[1].replace(name="wifi" * 20, display_name=None)
    host = laptop.replace(interfaces=[laptop.interfaces[0], long])
    root = ET.fromstring(reachable_from("0.0.0.0:3000", host=host).svg())
    width, height = float(root.get("width") or 0), float(root.get("height") or 0)
    for each in root.iter(f"{SVG}text"):
        assert float(each.get("x") or 0) + 7.8 * len(each.text or "") <= width
        assert 0 < float(each.get("y") or 0) < height


def test_names_are_text() -> None:
    """What an interface is called is shown, and is no markup."""
    nic = Interface("<script>&", 2, None, ["10.0.0.1/24"], True, True)
    drawn = reachable_from("0.0.0.0:80", host=Host([nic])).svg()
    assert "<script>&" in texts(drawn)


def test_virtual_interfaces_are_counted() -> None:
    """Bridges of containers are one line, unless all are asked for."""
    host = Host.of(lo="127.0.0.1/8", wifi="192.168.0.102/24", docker0="172.17.0.1/16")
    reach = reachable_from("0.0.0.0:3000", host=host)
    assert "and 1 virtual interfaces" in texts(reach.svg())
    assert "172.17.0.1" in texts(reach.svg(unfolded=True))


def test_a_notebook_shows_it(laptop: Host) -> None:
    """The picture is above the table."""
    shown = reachable_from("0.0.0.0:3000", host=laptop)._repr_html_()
    assert shown.startswith("<svg")
    assert "<table>" in shown
