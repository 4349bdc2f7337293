"""What the test's process, the builder of a network and the agents of its hosts tell each other."""

import socket
from collections.abc import Callable, Mapping
from typing import NamedTuple

from bindlab.lab.machine import Machine

__all__ = ["Ended", "Failed", "Plan", "Raised", "Ready", "Request", "Returned"]


class Request(NamedTuple):
    """A function to call, and its arguments."""

    function: Callable[..., object]
    args: tuple[object, ...]
    kwargs: Mapping[str, object]


class Returned(NamedTuple):
    """The function returned, and the next message is what."""


class Raised(NamedTuple):
    """What the function raised, with what a pickled exception loses."""

    error: BaseException
    cause: BaseException | None
    traceback: str


class Ended(NamedTuple):
    """How the process of a call ended: its exit status, or minus the signal's number."""

    status: int


class Plan(NamedTuple):
    """What is to be made."""

    machines: Mapping[str, Machine]


class Ready(NamedTuple):
    """The network is up: for each host, its process and the socket that takes its calls."""

    hosts: Mapping[str, tuple[int, socket.socket]]


class Failed(NamedTuple):
    """The network could not be made."""

    errno: int | None
    text: str
