"""What browsers and systems add is said where it may matter, each with its source."""

from errno import EHOSTUNREACH, ENETUNREACH

import pytest

from bindlab import THIS_HOST, Endpoint, Host, Interface, Outcome, Probe, explain
from bindlab.explaining.clients import ADDED
from bindlab.probing import outcome

PHONE, DESK = "192.168.0.50", "10.0.0.20"
LAPTOP = Host.of(
    lo="127.0.0.1/8", wifi="192.168.0.102/24", eth0="10.0.0.12/24", wan="203.0.113.4/24"
)

# What is said, where it is said, and where it is not: of a target and an origin.
SAID = {
    "a Mac on the other side": (("0.0.0.0:3000", PHONE), ("0.0.0.0:3000", "172.16.5.5")),
    "servers refuse names": (("0.0.0.0:3000", PHONE), ("0.0.0.0:53/udp", PHONE)),
    "Vite's server.allowedHosts": (("0.0.0.0:3000", DESK), ("0.0.0.0:3000", THIS_HOST)),
    "the camera, the microphone": (("127.0.0.1:3000", PHONE), ("127.0.0.1:3000", THIS_HOST)),
    "and not at http://192.168.0.102:3000": (("0.0.0.0:3000", PHONE), ("0.0.0.0:53/udp", PHONE)),
    "Local Network Access": (("0.0.0.0:3000", PHONE), ("203.0.113.4:3000", "203.0.113.5")),
    "0.0.0.0 is no address to open": (("0.0.0.0:3000", PHONE), ("10.0.0.12:3000", DESK)),
    "loopback is no authentication": (("127.0.0.1:3000", THIS_HOST), ("0.0.0.0:3000", PHONE)),
    "open http://10.0.2.2:3000 in it": (("127.0.0.1:3000", "10.0.2.16"), ("0.0.0.0:3000", PHONE)),
    "the access point": (("0.0.0.0:3000", PHONE), ("0.0.0.0:3000", DESK)),
}


@pytest.mark.parametrize("text", SAID)
def test_it_is_said_where_it_may_matter(text: str) -> None:
    """Each line has a condition: it is shown in one case, and not in another."""
    shown, hidden = (
        " ".join(map(str, explain(target, origin, host=LAPTOP).checks))
        for target, origin in SAID[text]
    )
    assert text in shown
    assert text not in hidden


def test_each_has_a_source() -> None:
    """What was not tried here names the page that it is taken from."""
    assert all(line.source.startswith("https://") for line in ADDED)
    (check,) = [
        one for one in explain("0.0.0.0:1", PHONE, host=LAPTOP).checks if "Chrome asks" in str(one)
    ]
    assert check.source == "https://developer.chrome.com/blog/local-network-access"


@pytest.mark.parametrize(
    ("interface", "is_said"),
    [
        (Interface("wlan0"), True),
        (Interface("en0"), True),
        (Interface("Wi-Fi"), True),
        (Interface("wlp2s0"), True),
        (Interface("enp3s0"), False),
        (Interface("Ethernet 2"), False),
        (Interface("docker0", kind="bridge"), False),
        (Interface("up0", kind="veth"), False),
        (Interface("wg0", is_point_to_point=True), False),
    ],
    ids=lambda value: value.name if isinstance(value, Interface) else "",
)
def test_an_access_point_is_of_wifi_only(interface: Interface, is_said: bool) -> None:
    """A cable, a bridge of containers and a tunnel have no access point."""
    link = interface.replace(addresses=["192.168.0.102/24"])
    host = Host([Interface("lo", addresses=["127.0.0.1/8"], is_loopback=True), link])
    checks = " ".join(map(str, explain("0.0.0.0:3000", PHONE, host=host).checks))
    assert ("the access point" in checks) is is_said


def test_macos_may_keep_a_program_from_the_local_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a Mac "no route to host" may be a privacy setting, and a probe says so there only."""
    met = Probe(Endpoint("192.168.0.102", 3000), Outcome.UNREACHABLE, 0.001, errno=EHOSTUNREACH)
    assert "Privacy & Security" not in str(met)
    monkeypatch.setattr(outcome, "_ON_MACOS", True)
    assert "Privacy & Security, Local Network" in str(met)
    assert "Privacy & Security" not in str(met.replace(errno=ENETUNREACH))
