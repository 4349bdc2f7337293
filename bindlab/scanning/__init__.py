"""What a port of this machine is bound to, found out by trying; and all that listens, audited."""

from bindlab.scanning.addresses import LocalAddress, local_addresses
from bindlab.scanning.deduction import deduce
from bindlab.scanning.listeners import Audit, Listener, audit
from bindlab.scanning.localhost import localhost_addresses
from bindlab.scanning.observing import Attempt, Observation, observe
from bindlab.scanning.scan import Answering, answering

__all__ = [
    "Answering",
    "Attempt",
    "Audit",
    "Listener",
    "LocalAddress",
    "Observation",
    "answering",
    "audit",
    "deduce",
    "local_addresses",
    "localhost_addresses",
    "observe",
]
