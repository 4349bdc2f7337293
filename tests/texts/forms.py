"""What a person reads in each form, about a machine on paper, at any width."""

import contextlib
import io
import os
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address
from unittest import mock

from bindlab import (
    Audit,
    Binding,
    Endpoint,
    Host,
    Listener,
    Outcome,
    Probe,
    Reach,
    banner,
    reachable_from,
)
from bindlab.command import answers, main
from bindlab.explaining import subject, why
from bindlab.firewall import Firewall
from bindlab.linux import ListedSocket
from bindlab.reachable import Found, find
from bindlab.scanning import Answering
from bindlab.target import Port, parse_target
from bindlab.testing import assert_loopback_only, assert_not_reachable, assert_reachable

from .hosts import HOSTS, NEIGHBOURS

__all__ = ["WIDTHS", "commands", "name_of", "on_host", "page", "printed"]

WIDTHS = (80, 120)
_SERVED = {3000: ("127.0.0.1", "node (process 4711)"), 8000: ("0.0.0.0", "python (process 820)")}
_SERVED_BY_IPV6 = {3000: ("::1", "node (process 4711)"), 8000: ("::", "python (process 820)")}
_LOCALHOST = (IPv6Address("::1"), IPv4Address("127.0.0.1"))
_TRIED = (
    Probe(Endpoint("192.168.1.20", 8000), Outcome.ACCEPTED, 0.0021),
    Probe(Endpoint("192.168.1.20", 8000), Outcome.REFUSED, 0.0004, Endpoint("192.168.1.7", 40000)),
    Probe(Endpoint("192.168.1.20", 8000), Outcome.NO_ANSWER, 3.0, Endpoint("192.168.1.7", 40000)),
    Probe(Endpoint("192.168.1.20", 8000), Outcome.CLOSED_AT_ONCE, 0.0013),
)


def commands(host: str) -> Iterator[str]:
    """Yield the arguments of the command that are shown for *host*."""
    everywhere = "[::]:80" if host == "ipv6-only" else "0.0.0.0:80"
    yield from ("", "--all", "3000", "8000", "8000 --all", "5000", everywhere)
    for port in (3000, 8000):
        yield from (f"{port} --from {who}" for who in (NEIGHBOURS[host], "internet", "here"))


def page(name: str, width: int) -> str:
    """Return all that is shown for the host called *name*."""
    host, neighbour = HOSTS[name], NEIGHBOURS[name]
    private, exposed = (
        ("[::1]:3000", "[::]:3000")
        if ":" in neighbour
        else (
            "127.0.0.1:3000",
            "0.0.0.0:3000",
        )
    )
    shown = [f"$ bindlab {words}\n{printed(name, words, width)}" for words in commands(name)]
    with mock.patch.dict(os.environ, COLUMNS=str(width)):
        reach = reachable_from(exposed, host=host)
        shown.append(f">>> print(reachable_from({exposed!r}))\n{reach}")
        shown.append(f">>> print(reachable_from({exposed!r}).diagram())\n{reach.diagram()}")
        for endpoint in (private, exposed):
            shown.append(f">>> print(banner({endpoint!r}))\n{banner(endpoint, host=host)}")
        for words, call in (
            (f"loopback_only({exposed!r})", lambda: assert_loopback_only(exposed, host=host)),
            (
                f"reachable({private!r}, {neighbour!r})",
                lambda: assert_reachable(private, neighbour, host=host),
            ),
            (
                f"not_reachable({exposed!r}, {neighbour!r})",
                lambda: assert_not_reachable(exposed, neighbour, host=host),
            ),
        ):
            shown.append(f">>> assert_{words}\nAssertionError: {_failure(call)}")
    for words in ("audit", "audit --allow 22 --allow 8000", "audit --allow 22"):
        with mock.patch.object(answers, "audit", return_value=_audit(host)):
            shown.append(f"$ bindlab {words}\n{printed(name, words, width)}")
    if name == "laptop":
        words = "probe 192.168.1.20:8000"
        for met in _TRIED:
            with mock.patch.object(answers, "probe", return_value=met):
                shown.append(f"$ bindlab {words}\n{printed(name, words, width)}")
    return "\n\n\n".join(text.rstrip() for text in shown) + "\n"


def printed(name: str, words: str, width: int) -> str:
    """Return what the command prints on the host called *name*."""
    out = io.StringIO()
    with (
        mock.patch.dict(os.environ, COLUMNS=str(width)),
        contextlib.redirect_stdout(out),
        on_host(name),
    ):
        main(words.split())
    return out.getvalue()


@contextlib.contextmanager
def on_host(name: str) -> Iterator[None]:
    """Have the command run on the host called *name*, where two ports are served."""
    host = HOSTS[name]
    with (
        mock.patch.object(answers, "this_host", return_value=host),
        mock.patch.object(why, "machine", return_value=host),
        mock.patch.object(why, "find", _finder(name)),
        mock.patch.object(why, "has_answered", return_value=None),
        mock.patch.object(why, "read_firewall", return_value=Firewall()),
        mock.patch.object(subject, "owners", _owners),
        mock.patch.object(subject, "localhost_addresses", return_value=_LOCALHOST),
    ):
        yield


def _finder(name: str) -> Callable[..., Found]:
    host = HOSTS[name]
    served = _SERVED_BY_IPV6 if name == "ipv6-only" else _SERVED

    def found(target: str, _: Host, **options: object) -> Found:
        port = parse_target(target)
        if not isinstance(port, Port):
            return find(target, host, is_here=False)
        bindings = tuple(
            Binding(Endpoint(address, number), False if address == "::" else None, None, True)
            for number, (address, _) in served.items()
            if number == port.number
        )
        listed = tuple(ListedSocket(binding, 1000, 1) for binding in bindings)
        evidence = ("the system lists it",)
        answering = Answering(port.number, "tcp", bindings, (), listed, evidence, host)
        return Found(host, (), (answering,), answering.assumptions)

    return found


def _owners(listed: "Iterator[ListedSocket]", _: float) -> list[str]:
    return [_SERVED[one.binding.endpoint.port][1] for one in listed]


def _audit(host: Host) -> Audit:
    bound = (
        ("0.0.0.0", 22, "sshd", 912),
        ("::", 22, "sshd", 912),
        ("127.0.0.1", 3000, "node", 4711),
        ("0.0.0.0", 8000, "python", 820),
        ("127.0.0.1", 5432, None, None),
    )
    listeners: list[Listener] = []
    for address, port, program, process in bound:
        binding = Binding(Endpoint(address, port), address == "::" or None, None, True)
        scope = Reach([binding], host).scope
        listeners.append(Listener(binding, scope, program, process, 1000))
    return Audit(tuple(listeners), host)


def _failure(call: Callable[[], None]) -> str:
    try:
        call()
    except AssertionError as error:
        return str(error)
    return "(nothing)"


def name_of(host: str, width: int) -> str:
    """Return the name of the file that has the page."""
    return f"{host}-{width}.txt"
