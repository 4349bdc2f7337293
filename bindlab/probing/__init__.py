"""What a real connection attempt meets."""

from bindlab.probing.icmp import Icmp
from bindlab.probing.outcome import Outcome, Probe
from bindlab.probing.waiting import (
    NotListeningError,
    probe,
    probe_all,
    probe_async,
    wait_until_listening,
    wait_until_listening_async,
)

__all__ = [
    "Icmp",
    "NotListeningError",
    "Outcome",
    "Probe",
    "probe",
    "probe_all",
    "probe_async",
    "wait_until_listening",
    "wait_until_listening_async",
]
