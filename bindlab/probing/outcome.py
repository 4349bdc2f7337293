"""What one connection attempt met, as a value, and how errno and ICMP are read as that."""

import errno as codes
import sys
from enum import Enum
from typing import assert_never

from bindlab.endpoint import Endpoint, Transport
from bindlab.errors import error_text
from bindlab.probing.icmp import Icmp
from bindlab.value import Value

_ON_MACOS = sys.platform == "darwin"
# From documentation, for macOS 15 and later:
# https://developer.apple.com/documentation/technotes/tn3179-understanding-local-network-privacy
_PRIVACY = (
    ", or this program may not use the local network (System Settings, Privacy & Security, "
    "Local Network)"
)


class Outcome(Enum):
    """What a connection attempt met."""

    ACCEPTED = "accepted"
    """TCP: the connection was made. UDP: an answer came. Listening is not ready."""
    CLOSED_AT_ONCE = "closed at once"
    """The connection was made, and its end or reset had arrived before we could look."""
    REFUSED = "refused"
    """A reset, or ICMP port unreachable: nothing listens there, or a firewall says so."""
    NO_ANSWER = "no answer"
    """Silence. TCP: packets are dropped, or no such machine. UDP: no knowledge at all."""
    UNREACHABLE = "unreachable"
    """No way there: this machine has no route, or ICMP says who gave up, and why."""
    NOT_PERMITTED = "not permitted"
    """This machine forbids it, or a firewall or router on the way does, and says so by ICMP."""
    NO_SOURCE = "no source"
    """The source address is not this machine's, or it has no address or free port to use."""
    WRONG_FAMILY = "wrong family"
    """This system has no IPv6 (or no IPv4) at all."""

    @property
    def is_acceptance(self) -> bool:
        """Whether somebody took the connection (or answered the datagram), if only to close it."""
        return self is Outcome.ACCEPTED or self is Outcome.CLOSED_AT_ONCE


def _numbers(*names: str) -> frozenset[int]:
    """Return the errnos called *names* on this system, and Windows' own numbers for them."""
    return frozenset(
        number for number, name in codes.errorcode.items() if name.removeprefix("WSA") in names
    )


_OUTCOMES: dict[Outcome, frozenset[int]] = {
    Outcome.REFUSED: _numbers("ECONNREFUSED"),
    Outcome.CLOSED_AT_ONCE: _numbers("ECONNRESET", "ECONNABORTED", "EPIPE"),
    Outcome.NO_ANSWER: _numbers("ETIMEDOUT"),
    # EINVAL is what a blackhole route gives (ip-route(8)): the arguments were checked before.
    Outcome.UNREACHABLE: _numbers(
        "EHOSTUNREACH",
        "ENETUNREACH",
        "EHOSTDOWN",
        "ENETDOWN",
        "ENONET",
        "ENODEV",
        "ENXIO",
        "EINVAL",
    ),
    Outcome.NOT_PERMITTED: _numbers("EACCES", "EPERM"),
    Outcome.NO_SOURCE: _numbers("EADDRNOTAVAIL", "EADDRINUSE"),
    Outcome.WRONG_FAMILY: _numbers("EAFNOSUPPORT", "EPROTONOSUPPORT", "EPFNOSUPPORT"),
}
_BY_ERRNO = {code: outcome for outcome, numbers in _OUTCOMES.items() for code in numbers}


def outcome_of(errno: int | None, icmp: Icmp | None, transport: Transport) -> Outcome | None:
    """Return what *errno* means for an attempt; ``None`` if it says nothing of the target.

    ICMP knows better: IPv4 turns a firewall's "prohibited" into EHOSTUNREACH, IPv6 the same
    into EACCES (``icmp_err_convert``, ``tab_unreach`` in Linux); here they are one.
    """
    if icmp is not None:
        if icmp.is_prohibition:
            return Outcome.NOT_PERMITTED
        return Outcome.REFUSED if icmp.is_port_unreachable else Outcome.UNREACHABLE
    outcome = None if errno is None else _BY_ERRNO.get(errno)
    if transport == "udp" and outcome is Outcome.CLOSED_AT_ONCE:
        # From documentation: Windows reports ICMP port unreachable as WSAECONNRESET.
        # https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-recvfrom
        return Outcome.REFUSED
    return outcome


class Probe(Value):
    """What one attempt to reach *endpoint* met; ``str()`` says it in a sentence.

    - *elapsed*: seconds from the start of the attempt until its outcome was known.
    - *source*: the local endpoint it was made from; ``None`` if it never got so far.
    - *errno*: the system's own error number; ``None`` if there was none, as in silence
      that outlasted the timeout.
    - *icmp*: the ICMP message behind it, where there was one and the system tells (Linux).

    True in a condition if and only if :attr:`accepted`.
    """

    endpoint: Endpoint
    outcome: Outcome
    elapsed: float
    source: Endpoint | None = None
    errno: int | None = None
    icmp: Icmp | None = None

    @property
    def accepted(self) -> bool:
        """Whether somebody took the connection (or answered the datagram), if only to close it.

        Listening is not ready: the system completes a connection before the server has
        called accept() (listen(2)).
        """
        return self.outcome.is_acceptance

    def __bool__(self) -> bool:
        return self.accepted

    def __str__(self) -> str:
        return f"{self.endpoint} {self._sentence()}"

    def _sentence(self) -> str:
        udp = self.endpoint.transport == "udp"
        after = f"after {_duration(self.elapsed)}"
        match self.outcome:
            case Outcome.ACCEPTED:
                what = "answered" if udp else "accepted the connection"
                return f"{what} {after}"
            case Outcome.CLOSED_AT_ONCE:
                return f"accepted the connection and closed it at once {after}"
            case Outcome.REFUSED if self.icmp is not None and not udp:
                return (
                    f"is refused {after} by {self.icmp}: a firewall's way, "
                    "for a port where nothing listens resets the connection"
                )
            case Outcome.REFUSED:
                what = "nothing receives there" if udp else "nothing listens on that address"
                return f"refused {after}: {what}, or a firewall says so"
            case Outcome.NO_ANSWER if udp:
                return f"did not answer {after}, which says nothing: a server may keep silent"
            case Outcome.NO_ANSWER:
                return f"gave no answer {after}: packets are dropped, or no such machine is there"
            case Outcome.UNREACHABLE:
                return f"is unreachable {after}: {self._reason()}"
            case Outcome.NOT_PERMITTED:
                return f"is forbidden {after}: {self._reason()}"
            case Outcome.NO_SOURCE:
                return f"was not tried: this machine has nothing to send from ({self._reason()})"
            case Outcome.WRONG_FAMILY:
                return f"was not tried: this system lacks its address family ({self._reason()})"
        assert_never(self.outcome)

    def _reason(self) -> str:
        if self.icmp is None:
            reason = "for a reason unknown" if self.errno is None else error_text(self.errno)
            return f"{reason}{_PRIVACY if _ON_MACOS and self.errno == codes.EHOSTUNREACH else ''}"
        if self.source is not None and self.icmp.sender == self.source.ip:
            return f"{self.icmp}, this machine itself: nobody there, or a firewall here"
        return str(self.icmp)


def _duration(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.9995 else f"{seconds * 1000:.1f} ms"
