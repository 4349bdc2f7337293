"""This machine as values: its interfaces, and the settings that decide delivery. An edge."""

from bindlab.snapshot.machine import interfaces, this_host

__all__ = ["interfaces", "this_host"]
