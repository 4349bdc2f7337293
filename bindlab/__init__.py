"""Open server sockets correctly, and know who can reach them.

>>> from bindlab import listen, reachable_from
>>> with listen(0, "127.0.0.1") as server:
...     "192.168.0.50" in reachable_from(server)
False
"""

TYPE_CHECKING = False  # type checkers take it for typing's, which is slow to import
if TYPE_CHECKING:
    from bindlab.announcing import Banner as Banner
    from bindlab.announcing import NetworkUrl as NetworkUrl
    from bindlab.announcing import banner as banner
    from bindlab.binding import Binding as Binding
    from bindlab.endpoint import Endpoint as Endpoint
    from bindlab.endpoint import Transport as Transport
    from bindlab.errors import AddressInUseError as AddressInUseError
    from bindlab.errors import AddressNotAvailableError as AddressNotAvailableError
    from bindlab.errors import BindError as BindError
    from bindlab.errors import BindInterruptedError as BindInterruptedError
    from bindlab.errors import BindPermissionError as BindPermissionError
    from bindlab.errors import BindUnreadyError as BindUnreadyError
    from bindlab.errors import DescriptorError as DescriptorError
    from bindlab.errors import DeviceNotFoundError as DeviceNotFoundError
    from bindlab.errors import FamilyNotSupportedError as FamilyNotSupportedError
    from bindlab.errors import InvalidBindingError as InvalidBindingError
    from bindlab.errors import OptionNotSupportedError as OptionNotSupportedError
    from bindlab.errors import ResourcesExhaustedError as ResourcesExhaustedError
    from bindlab.explaining import Change as Change
    from bindlab.explaining import Check as Check
    from bindlab.explaining import Explanation as Explanation
    from bindlab.explaining import Remedy as Remedy
    from bindlab.explaining import explain as explain
    from bindlab.guest import Guest as Guest
    from bindlab.host import Host as Host
    from bindlab.inspect_socket import binding_of as binding_of
    from bindlab.interface import AddressState as AddressState
    from bindlab.interface import Interface as Interface
    from bindlab.opening import Reservation as Reservation
    from bindlab.opening import activated as activated
    from bindlab.opening import adopt as adopt
    from bindlab.opening import allocate as allocate
    from bindlab.opening import backlog_of as backlog_of
    from bindlab.opening import bind as bind
    from bindlab.opening import listen as listen
    from bindlab.probing import Icmp as Icmp
    from bindlab.probing import NotListeningError as NotListeningError
    from bindlab.probing import Outcome as Outcome
    from bindlab.probing import Probe as Probe
    from bindlab.probing import probe as probe
    from bindlab.probing import probe_async as probe_async
    from bindlab.probing import wait_until_listening as wait_until_listening
    from bindlab.probing import wait_until_listening_async as wait_until_listening_async
    from bindlab.reach import BEYOND as BEYOND
    from bindlab.reach import INTERNET as INTERNET
    from bindlab.reach import THIS_HOST as THIS_HOST
    from bindlab.reach import Answer as Answer
    from bindlab.reach import Candidate as Candidate
    from bindlab.reach import Condition as Condition
    from bindlab.reach import OriginLike as OriginLike
    from bindlab.reach import Reach as Reach
    from bindlab.reach import Reason as Reason
    from bindlab.reach import Scope as Scope
    from bindlab.reach import Vantage as Vantage
    from bindlab.reach import Verdict as Verdict
    from bindlab.reachable import reachable_from as reachable_from
    from bindlab.route import Route as Route
    from bindlab.scanning import Answering as Answering
    from bindlab.scanning import Audit as Audit
    from bindlab.scanning import Listener as Listener
    from bindlab.scanning import answering as answering
    from bindlab.scanning import audit as audit
    from bindlab.snapshot import interfaces as interfaces
    from bindlab.snapshot import this_host as this_host
    from bindlab.target import Target as Target

# The public names, each with its module, which is imported when the name is first asked for
# (PEP 562): a program that only listens does not wait for what answers who can reach it.
_HOMES = {
    "BEYOND": "bindlab.reach",
    "INTERNET": "bindlab.reach",
    "THIS_HOST": "bindlab.reach",
    "AddressInUseError": "bindlab.errors",
    "AddressNotAvailableError": "bindlab.errors",
    "AddressState": "bindlab.interface",
    "Answer": "bindlab.reach",
    "Answering": "bindlab.scanning",
    "Audit": "bindlab.scanning",
    "Banner": "bindlab.announcing",
    "BindError": "bindlab.errors",
    "BindInterruptedError": "bindlab.errors",
    "BindPermissionError": "bindlab.errors",
    "BindUnreadyError": "bindlab.errors",
    "Binding": "bindlab.binding",
    "Candidate": "bindlab.reach",
    "Change": "bindlab.explaining",
    "Check": "bindlab.explaining",
    "Condition": "bindlab.reach",
    "DescriptorError": "bindlab.errors",
    "DeviceNotFoundError": "bindlab.errors",
    "Endpoint": "bindlab.endpoint",
    "Explanation": "bindlab.explaining",
    "FamilyNotSupportedError": "bindlab.errors",
    "Guest": "bindlab.guest",
    "Host": "bindlab.host",
    "Icmp": "bindlab.probing",
    "Interface": "bindlab.interface",
    "InvalidBindingError": "bindlab.errors",
    "Listener": "bindlab.scanning",
    "NetworkUrl": "bindlab.announcing",
    "NotListeningError": "bindlab.probing",
    "OptionNotSupportedError": "bindlab.errors",
    "OriginLike": "bindlab.reach",
    "Outcome": "bindlab.probing",
    "Probe": "bindlab.probing",
    "Reach": "bindlab.reach",
    "Reason": "bindlab.reach",
    "Remedy": "bindlab.explaining",
    "Reservation": "bindlab.opening",
    "ResourcesExhaustedError": "bindlab.errors",
    "Route": "bindlab.route",
    "Scope": "bindlab.reach",
    "Target": "bindlab.target",
    "Transport": "bindlab.endpoint",
    "Vantage": "bindlab.reach",
    "Verdict": "bindlab.reach",
    "activated": "bindlab.opening",
    "adopt": "bindlab.opening",
    "allocate": "bindlab.opening",
    "answering": "bindlab.scanning",
    "audit": "bindlab.scanning",
    "backlog_of": "bindlab.opening",
    "banner": "bindlab.announcing",
    "bind": "bindlab.opening",
    "binding_of": "bindlab.inspect_socket",
    "explain": "bindlab.explaining",
    "interfaces": "bindlab.snapshot",
    "listen": "bindlab.opening",
    "probe": "bindlab.probing",
    "probe_async": "bindlab.probing",
    "reachable_from": "bindlab.reachable",
    "this_host": "bindlab.snapshot",
    "wait_until_listening": "bindlab.probing",
    "wait_until_listening_async": "bindlab.probing",
}

if not TYPE_CHECKING:
    from importlib import import_module

    __all__ = list(_HOMES)

    def __getattr__(name: str) -> object:
        if name in _HOMES:
            return globals().setdefault(name, getattr(import_module(_HOMES[name]), name))
        if (module := f"{__name__}.{name}") in _HOMES.values():  # such as bindlab.errors
            return import_module(module)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
