"""This machine as values: its interfaces, the settings that decide delivery, and who is there.

An edge: it reads, and decides nothing.
"""

from bindlab.snapshot.machine import interfaces, this_host
from bindlab.snapshot.neighbours import has_answered
from bindlab.snapshot.route_oracle import route_to
from bindlab.snapshot.routing_table import tells_programs_apart
from bindlab.snapshot.sock_diag import ListedSocket, sockets_on

__all__ = [
    "ListedSocket",
    "has_answered",
    "interfaces",
    "route_to",
    "sockets_on",
    "tells_programs_apart",
    "this_host",
]
