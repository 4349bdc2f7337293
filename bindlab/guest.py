"""What a machine inside another one appears to be, and what its host has to do for others."""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

from bindlab.endpoint import IPAddress, parse_address
from bindlab.printable import printable
from bindlab.value import MAX_NAME, Given, Value, checked_name

GuestKind: TypeAlias = Literal["container", "pod", "dev container", "codespace", "wsl", "vm"]


class _Words(NamedTuple):
    """What a kind is called, and what has to be true for those who need its host."""

    name: str
    forwards: str


GUEST_KINDS: Final[Mapping[GuestKind, _Words]] = {
    "container": _Words("a container", "the machine that runs this container publishes the port"),
    "pod": _Words(
        "a Kubernetes pod",
        "it is in the same cluster, or the cluster lets it in (a Service, kubectl port-forward)",
    ),
    "dev container": _Words(
        "a dev container", "the editor forwards the port, or the container publishes it"
    ),
    "codespace": _Words("a codespace", "the editor forwards the port"),
    "wsl": _Words("WSL 2", "Windows passes the port on (a port proxy, or mirrored networking)"),
    "vm": _Words(
        "a virtual machine", "the machine that runs this virtual machine forwards the port"
    ),
}


class Guest(Value):
    """What a machine appears to be inside another one, its *host*: a hint, never a proof.

    - *kind*: see ``GUEST_KINDS``.
    - *evidence*: what points to it, in sentences with their sources; one at least.
    - *needs_forwarding*: whether the host has to pass on what comes from beyond the networks
      that the guest is on. Machines on those networks, as the host itself and its other
      guests, reach the guest without. False where the guest is on its host's own network:
      host networking of a container, a bridged virtual machine, WSL in mirrored mode.
    - *private_links*: names of interfaces that lead to the host and to nobody else, whatever
      their networks are (user networking: slirp4netns, pasta, QEMU, VirtualBox).
    - *host_address*: the host's address on the guest's own network, ``None`` where unknown.
      Others cannot dial it.
    - *host_name*: the name by which others may find the host, ``None`` where unknown. That of
      a codespace differs from port to port, and has ``PORT`` in the number's place.

    >>> print(Guest("container", ["the file /.dockerenv exists"]))
    this looks like a container: the file /.dockerenv exists
    """

    kind: GuestKind
    evidence: Given[Iterable[str], tuple[str, ...]]
    needs_forwarding: bool = True
    private_links: Given[Iterable[str], tuple[str, ...]] = Given(default=())
    host_address: Given[str | IPAddress | None, IPAddress | None] = Given(default=None)
    host_name: Given[str | None, str | None] = Given(default=None)

    def _check(self) -> None:
        if self.kind not in get_args(GuestKind):
            known = ", ".join(GUEST_KINDS)
            raise ValueError(f"{self.kind!r} is no kind of guest: write one of {known}")
        evidence = tuple(printable(text) for text in _texts("evidence", self.evidence))
        if not evidence:
            raise ValueError("a guest is known by evidence: write ['the file /.dockerenv exists']")
        if not isinstance(self.needs_forwarding, bool):
            raise TypeError(f"needs_forwarding is True or False, not {self.needs_forwarding!r}")
        links = _texts("private_links", self.private_links)
        name = self.host_name
        self._set(
            evidence=evidence,
            private_links=tuple(checked_name("an interface of private_links", n) for n in links),
            host_address=None if self.host_address is None else parse_address(self.host_address),
            host_name=None if name is None else printable(checked_name("host_name", name)),
        )

    @property
    def name(self) -> str:
        """What this appears to be, such as ``a container``."""
        return GUEST_KINDS[self.kind].name

    @property
    def forwards(self) -> str:
        """What has to be true for an origin beyond the guest's networks, in a clause."""
        return GUEST_KINDS[self.kind].forwards

    def __str__(self) -> str:
        return f"this looks like {self.name}: {'; '.join(self.evidence)}"


def _texts(what: str, given: object) -> tuple[str, ...]:
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise TypeError(f"{what} is a list of texts, not {given!r}")
    texts: list[str] = []
    for text in given:  # pyright: ignore[reportUnknownVariableType]
        if not isinstance(text, str):
            raise TypeError(f"{what} is a list of texts, not {given!r}")
        if len(text) > MAX_NAME:
            raise ValueError(f"a text of {what} has {len(text)} characters: at most {MAX_NAME}")
        texts.append(text)
    return tuple(texts)
