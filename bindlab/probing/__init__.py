"""What a real connection attempt meets. An edge: it dials, and believes what comes back."""

from bindlab.probing.icmp import Icmp
from bindlab.probing.outcome import Outcome, Probe
from bindlab.probing.waiting import NotListeningError, probe, wait_until_listening

__all__ = ["Icmp", "NotListeningError", "Outcome", "Probe", "probe", "wait_until_listening"]
