"""What a port of this machine is bound to, found out by trying every address."""

from bindlab.scanning.addresses import LocalAddress, local_addresses
from bindlab.scanning.deduction import deduce
from bindlab.scanning.observing import Attempt, Observation, observe
from bindlab.scanning.scan import Answering, answering

__all__ = [
    "Answering",
    "Attempt",
    "LocalAddress",
    "Observation",
    "answering",
    "deduce",
    "local_addresses",
    "observe",
]
