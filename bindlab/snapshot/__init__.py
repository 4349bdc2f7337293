"""This machine as values: its interfaces, and the settings that decide delivery. An edge."""

from bindlab.snapshot.machine import interfaces, this_host
from bindlab.snapshot.route_oracle import route_to

__all__ = ["interfaces", "route_to", "this_host"]
