"""Open server sockets correctly, and know who can reach them."""

from bindlab.binding import Binding
from bindlab.endpoint import Endpoint, Transport
from bindlab.errors import (
    AddressInUseError,
    AddressNotAvailableError,
    BindError,
    BindPermissionError,
)
from bindlab.host import Host
from bindlab.inspect_socket import binding_of
from bindlab.interface import AddressState, Interface
from bindlab.opening import backlog_of, bind, listen
from bindlab.reach import Reach
from bindlab.reachable import reachable_from
from bindlab.snapshot import interfaces, this_host
from bindlab.verdict import (
    BEYOND,
    INTERNET,
    THIS_HOST,
    Answer,
    Candidate,
    Condition,
    Reason,
    Scope,
    Verdict,
)

__all__ = [
    "BEYOND",
    "INTERNET",
    "THIS_HOST",
    "AddressInUseError",
    "AddressNotAvailableError",
    "AddressState",
    "Answer",
    "BindError",
    "BindPermissionError",
    "Binding",
    "Candidate",
    "Condition",
    "Endpoint",
    "Host",
    "Interface",
    "Reach",
    "Reason",
    "Scope",
    "Transport",
    "Verdict",
    "backlog_of",
    "bind",
    "binding_of",
    "interfaces",
    "listen",
    "reachable_from",
    "this_host",
]
