"""Open server sockets correctly, and know who can reach them.

>>> from bindlab import listen, reachable_from
>>> with listen(0, "127.0.0.1") as server:
...     "192.168.0.50" in reachable_from(server)
False
"""

from importlib import import_module

TYPE_CHECKING = False  # type checkers take it for typing's, which is slow to import
if TYPE_CHECKING:
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
    from bindlab.explaining import (
        Change,
        Check,
        Explanation,
        explain,
    )
    from bindlab.host import Host
    from bindlab.inspect_socket import binding_of
    from bindlab.interface import AddressState, Interface
    from bindlab.opening import (
        Reservation,
        activated,
        adopt,
        allocate,
        backlog_of,
        bind,
        listen,
    )
    from bindlab.probing import (
        Icmp,
        NotListeningError,
        Outcome,
        Probe,
        probe,
        wait_until_listening,
    )
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
    "this_host",
    "wait_until_listening",
]

# The module of each name, imported when the name is first asked for (PEP 562): a program that only
# listens does not wait for the import of what answers who can reach it.
_HOMES = {
    "bindlab.binding": ("Binding",),
    "bindlab.endpoint": ("Endpoint", "Transport"),
    "bindlab.errors": (
        "AddressInUseError",
        "AddressNotAvailableError",
        "BindError",
        "BindInterruptedError",
        "BindPermissionError",
        "BindUnreadyError",
        "DescriptorError",
        "DeviceNotFoundError",
        "FamilyNotSupportedError",
        "InvalidBindingError",
        "OptionNotSupportedError",
        "ResourcesExhaustedError",
    ),
    "bindlab.explaining": ("Change", "Check", "Explanation", "explain"),
    "bindlab.host": ("Host",),
    "bindlab.inspect_socket": ("binding_of",),
    "bindlab.interface": ("AddressState", "Interface"),
    "bindlab.opening": (
        "Reservation",
        "activated",
        "adopt",
        "allocate",
        "backlog_of",
        "bind",
        "listen",
    ),
    "bindlab.probing": (
        "Icmp",
        "NotListeningError",
        "Outcome",
        "Probe",
        "probe",
        "wait_until_listening",
    ),
    "bindlab.reach": (
        "BEYOND",
        "INTERNET",
        "THIS_HOST",
        "Answer",
        "Candidate",
        "Condition",
        "OriginLike",
        "Reach",
        "Reason",
        "Scope",
        "Vantage",
        "Verdict",
    ),
    "bindlab.reachable": ("reachable_from",),
    "bindlab.route": ("Route",),
    "bindlab.scanning": ("Answering", "answering"),
    "bindlab.snapshot": ("interfaces", "this_host"),
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if f"{__name__}.{name}" in _HOMES:  # a module, such as bindlab.errors
            return import_module(f"{__name__}.{name}")
        for home, names in _HOMES.items():
            if name in names:
                return globals().setdefault(name, getattr(import_module(home), name))
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
