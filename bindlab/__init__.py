"""Open server sockets correctly, and know who can reach them.

>>> from bindlab import listen, reachable_from
>>> with listen(0, "127.0.0.1") as server:
...     "192.168.0.50" in reachable_from(server)
False
"""

from bindlab.binding import Binding
from bindlab.endpoint import Endpoint, Transport
from bindlab.errors import (
    AddressInUseError,
    AddressNotAvailableError,
    BindError,
    BindInterruptedError,
    BindPermissionError,
    BindUnreadyError,
    DescriptorError,
    DeviceNotFoundError,
    FamilyNotSupportedError,
    InvalidBindingError,
    OptionNotSupportedError,
    ResourcesExhaustedError,
)
from bindlab.explaining import Change, Check, Explanation, explain
from bindlab.host import Host
from bindlab.inspect_socket import binding_of
from bindlab.interface import AddressState, Interface
from bindlab.opening import Reservation, activated, adopt, allocate, backlog_of, bind, listen
from bindlab.probing import Icmp, NotListeningError, Outcome, Probe, probe, wait_until_listening
from bindlab.reach import (
    BEYOND,
    INTERNET,
    THIS_HOST,
    Answer,
    Candidate,
    Condition,
    OriginLike,
    Reach,
    Reason,
    Scope,
    Vantage,
    Verdict,
)
from bindlab.reachable import reachable_from
from bindlab.route import Route
from bindlab.scanning import Answering, answering
from bindlab.serving import server_on
from bindlab.snapshot import interfaces, this_host

__all__ = [
    "BEYOND",
    "INTERNET",
    "THIS_HOST",
    "AddressInUseError",
    "AddressNotAvailableError",
    "AddressState",
    "Answer",
    "Answering",
    "BindError",
    "BindInterruptedError",
    "BindPermissionError",
    "BindUnreadyError",
    "Binding",
    "Candidate",
    "Change",
    "Check",
    "Condition",
    "DescriptorError",
    "DeviceNotFoundError",
    "Endpoint",
    "Explanation",
    "FamilyNotSupportedError",
    "Host",
    "Icmp",
    "Interface",
    "InvalidBindingError",
    "NotListeningError",
    "OptionNotSupportedError",
    "OriginLike",
    "Outcome",
    "Probe",
    "Reach",
    "Reason",
    "Reservation",
    "ResourcesExhaustedError",
    "Route",
    "Scope",
    "Transport",
    "Vantage",
    "Verdict",
    "activated",
    "adopt",
    "allocate",
    "answering",
    "backlog_of",
    "bind",
    "binding_of",
    "explain",
    "interfaces",
    "listen",
    "probe",
    "reachable_from",
    "server_on",
    "this_host",
    "wait_until_listening",
]
