"""A host of JSON: what travels, and what is refused, whatever the text is."""

import json
from collections.abc import Callable
from ipaddress import IPv6Address, IPv6Interface, IPv6Network
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bindlab import AddressState, Binding, Endpoint, Guest, Host, Interface, Route, reachable_from

LAPTOP = Host(
    [
        Interface("lo", 1, None, ["127.0.0.1/8", "::1/128"], True, True, is_loopback=True),
        Interface(
            "wifi",
            2,
            "Wi-Fi",
            ["192.168.0.102/24", "fe80::2/64"],
            states={IPv6Address("fe80::2%wifi"): AddressState.DEPRECATED},
        ),
    ],
    "linux",
    strong_host=None,
    local_routes=["198.18.0.0/15"],
    routes=[
        Route("0.0.0.0/0", "wifi", "192.168.0.1", "192.168.0.102", metric=600),
        Route("::/0", "wifi", "fe80::1%wifi"),
        Route("10.0.0.0/8", refusal="blackhole"),
    ],
    guest=Guest("vm", ["its product is VirtualBox"], True, ["wifi"], "10.0.2.2", "tower"),
)
ENDPOINT = Endpoint("0.0.0.0", 80, "udp")
Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
Path: TypeAlias = tuple[str | int, ...]


def places(value: Json, path: Path = ()) -> list[Path]:
    """Return the way to every value inside *value*, and to itself."""
    found = [path]
    if isinstance(value, dict):
        found += [place for key, item in value.items() for place in places(item, (*path, key))]
    if isinstance(value, list):
        found += [place for key, item in enumerate(value) for place in places(item, (*path, key))]
    return found


def put(value: Json, path: Path, new: Json) -> Json:
    """Return *value* with *new* at *path*."""
    if not path:
        return new
    key, *rest = path
    if isinstance(value, dict):
        return value | {str(key): put(value[str(key)], tuple(rest), new)}
    assert isinstance(value, list)
    assert isinstance(key, int)
    return [*value[:key], put(value[key], tuple(rest), new), *value[key + 1 :]]


DOCUMENT: Json = json.loads(LAPTOP.to_json())
PLACES = places(DOCUMENT)
TEXTS = [path for path in PLACES if path and path[-1] != "system"]

odd_texts = st.text(max_size=8) | st.sampled_from(
    ["fe80::1%\x1b", "fe80::1%a/64", "fe80::%a/64", "::/0", "1.2.3.4/24", "\ud800", "lo", "%", "\0"]
)
numbers = st.integers() | st.floats() | st.sampled_from([0, -1, 1 << 32, 10**4000])
odd_values = st.recursive(
    st.none() | st.booleans() | numbers | odd_texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd_texts, inner, max_size=3),
    max_leaves=6,
)


def test_a_host_travels_as_json() -> None:
    """Each field comes back as it was, the zones of addresses and of their states too."""
    assert Host.from_json(LAPTOP.to_json()) == LAPTOP


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(PLACES), odd_values)
def test_a_changed_document_is_a_host_or_a_value_error(path: Path, value: Json) -> None:
    """Whatever stands anywhere in a document, it is a host with a table, or a ValueError."""
    try:
        host = Host.from_json(json.dumps(put(DOCUMENT, path, value)))
    except ValueError:
        return
    assert Host.from_json(host.to_json()) == host
    assert str(reachable_from("0.0.0.0:80", host=host))


@settings(max_examples=200)
@given(st.text() | st.binary() | odd_values.map(json.dumps))
def test_other_text_is_a_value_error(text: str | bytes) -> None:
    """What is no document of a host is a ValueError, also where it is no JSON, or bytes."""
    with pytest.raises(ValueError):  # noqa: PT011 - of many kinds
        Host.from_json(text)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)) or "all")
@pytest.mark.parametrize("nest", ["[", '{"a":'])
def test_deep_json_is_a_value_error(path: Path, nest: str) -> None:
    """JSON that is nested deeper than Python can read is a ValueError that says so."""
    marked = json.dumps(put(DOCUMENT, path, "HERE"))
    with pytest.raises(ValueError, match="nested too deeply"):
        Host.from_json(marked.replace('"HERE"', nest * 200_000))
    for depth in (500, 900, 990, 1010, 20_000):  # where some of it can be read, or shown
        deep = nest * depth + "1" + ("]" if nest == "[" else "}") * depth
        with pytest.raises(ValueError):  # noqa: PT011 - of many kinds
            Host.from_json(marked.replace('"HERE"', deep))


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: ".".join(map(str, path)))
@pytest.mark.parametrize("size", [256, 200_000])
def test_no_text_of_a_document_is_long(path: Path, size: int) -> None:
    """A text of more than 255 characters is refused wherever it stands: tables have columns."""
    for text in ("x" * size, f"fe80::1%{'x' * size}", f"fe80::1%{'x' * size}/64"):
        with pytest.raises(ValueError):  # noqa: PT011 - of many kinds
            Host.from_json(json.dumps(put(DOCUMENT, path, text)))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        pytest.param(lambda name: Interface(name), "name has", id="name"),
        pytest.param(lambda name: Interface("eth0", display_name=name), "display_name", id="shown"),
        pytest.param(lambda name: Route("::/0", name), "interface has", id="route"),
        pytest.param(lambda name: Binding(ENDPOINT, device=name), "device has", id="device"),
        pytest.param(
            lambda name: Binding(ENDPOINT, groups=[("224.0.0.251", name)]), "a group", id="group"
        ),
        pytest.param(
            lambda name: Interface("eth0", addresses=[IPv6Interface(f"fe80::1%{name}/64")]),
            "no zone",
            id="zone",
        ),
        pytest.param(
            lambda name: Interface("a", states={IPv6Address(f"fe80::1%{name}"): AddressState(0)}),
            "no zone",
            id="zone of a state",
        ),
    ],
)
def test_names_have_255_characters_at_most(make: Callable[[str], object], says: str) -> None:
    """A name of 255 characters is one, wherever values take one; a longer name is refused."""
    make("x" * 255)
    with pytest.raises(ValueError, match=says):
        make("x" * 256)


@pytest.mark.parametrize("network", ["fe80::%eth0/64", IPv6Network("fe80::%eth0/64")])
def test_networks_have_no_zone(network: str | IPv6Network) -> None:
    """A zone in a network, which ipaddress lets pass, is refused."""
    with pytest.raises(ValueError, match="a network has no zone"):
        Route(network)
    with pytest.raises(ValueError, match="a network has no zone"):
        Host(local_routes=[network])
