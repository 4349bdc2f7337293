"""What browsers and systems add to reachability: a page of data, each line with its source.

All of it is from documentation, none was tried here.
"""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network
from typing import Final, NamedTuple

from bindlab.binding import Binding
from bindlab.host import Host
from bindlab.reach import THIS_HOST, Condition, Scope, Verdict


class Case(NamedTuple):
    """What is explained: a verdict, the sockets that it is about, and their machine."""

    verdict: Verdict
    bindings: tuple[Binding, ...]
    host: Host

    @property
    def is_web(self) -> bool:
        """Whether a browser may be what asks."""
        return all(one.endpoint.transport == "tcp" for one in self.bindings)

    @property
    def is_inside(self) -> bool:
        """Whether a program of this machine asks."""
        best = self.verdict.endpoints[:1]
        return self.verdict.origin is THIS_HOST or any(e.audience is Scope.HOST for e in best)


class Added(NamedTuple):
    """A sentence with its code, the case in which it is said, and the page it is taken from."""

    code: str
    when: Callable[[Case], bool]
    sentence: str
    source: str


_EMULATORS: Final = IPv4Network("10.0.2.0/24")
# How the names of interfaces begin that are no Wi-Fi for certain, on any system.
_CABLES: Final = ("eth", "ens", "eno", "enp", "enx", "em", "usb", "docker", "br-", "virbr", "veth")


def is_by_wifi(case: Case) -> bool:
    """Return whether the packets may come by Wi-Fi: neither virtual, nor a tunnel, nor a cable."""
    if case.verdict.interface is None:
        return True
    link = case.host.interface(case.verdict.interface)
    is_other = bool(link.kind) or bool(link.is_point_to_point)
    return not is_other and not link.display_name.lower().startswith(_CABLES)


def _is_neighbour(case: Case) -> bool:
    return Condition.LINK_ISOLATION in case.verdict.conditions


def _is_private_web(case: Case) -> bool:
    best = case.verdict.endpoints[:1]
    return case.is_web and any(one.audience < Scope.GLOBAL for one in best)


def _is_web_here(case: Case) -> bool:
    return case.is_web and case.is_inside


def _is_web_elsewhere(case: Case) -> bool:
    return case.is_web and not case.is_inside


def _is_web_by_url(case: Case) -> bool:
    return _is_web_elsewhere(case) and case.verdict.opens != ""


def _is_wildcard(case: Case) -> bool:
    return case.is_web and any(one.endpoint.is_unspecified for one in case.bindings)


def _is_emulator(case: Case) -> bool:
    origin = case.verdict.origin
    return isinstance(origin, IPv4Address) and origin in _EMULATORS


ADDED: Final[tuple[Added, ...]] = (
    Added(
        "android_emulator",
        _is_emulator,
        (
            "an Android emulator: it reaches 127.0.0.1 of the machine that runs it as 10.0.2.2, "
            "so open http://10.0.2.2:{port} in it"
        ),
        "https://developer.android.com/studio/run/emulator-networking",
    ),
    Added(
        "macos_local_network",
        _is_neighbour,
        (
            "a Mac on the other side, from macOS 15 on: may its browser or terminal use the local "
            "network (Privacy & Security, Local Network)? If not, it says: no route to host"
        ),
        "https://developer.apple.com/documentation/technotes/tn3179-understanding-local-network-privacy",
    ),
    Added(
        "host_header",
        _is_web_elsewhere,
        (
            "a name in the URL instead of the address: servers refuse names that they do not know "
            "(Vite's server.allowedHosts, Django's ALLOWED_HOSTS)"
        ),
        "https://vite.dev/config/server-options.html#server-allowedhosts "
        "https://docs.djangoproject.com/en/stable/ref/settings/#allowed-hosts",
    ),
    Added(
        "secure_context",
        _is_web_by_url,
        (
            "the camera, the microphone and service workers: browsers allow them by https and on "
            "localhost, and not at {dial}"
        ),
        "https://developer.mozilla.org/docs/Web/Security/Secure_Contexts",
    ),
    Added(
        "local_network_access",
        _is_private_web,
        (
            "a page of the internet that asks this server: Chrome asks its user first, from 142 on "
            "(Local Network Access)"
        ),
        "https://developer.chrome.com/blog/local-network-access",
    ),
    Added(
        "wildcard_url",
        _is_wildcard,
        (
            "0.0.0.0 is no address to open: Chrome and Safari block it for web pages, and Windows "
            "refuses it"
        ),
        "https://chromestatus.com/feature/5106143060033536",
    ),
    Added(
        "dns_rebinding",
        _is_web_here,
        (
            "loopback is no authentication: every program here gets in, and a web page in a "
            "browser here by DNS rebinding, unless the server looks at the Host header"
        ),
        "https://github.com/vitejs/vite/security/advisories/GHSA-vg6x-rcgg-rjx6",
    ),
)
