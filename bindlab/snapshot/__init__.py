"""This machine as values: its interfaces, the settings that decide delivery, the way to others."""

from bindlab.snapshot.machine import interfaces, this_host
from bindlab.snapshot.one_route import route_to

__all__ = ["interfaces", "route_to", "this_host"]
