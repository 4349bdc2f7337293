"""Open server sockets correctly, and know who can reach them."""

from bindlab.binding import Binding
from bindlab.endpoint import Endpoint, Transport
from bindlab.host import Host
from bindlab.interface import AddressState, Interface
from bindlab.reach import Reach
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
    "AddressState",
    "Answer",
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
]
