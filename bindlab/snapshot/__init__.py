"""This machine as values: its interfaces, and the settings that decide delivery. An edge."""

from bindlab.snapshot.machine import interfaces, this_host
from bindlab.snapshot.sock_diag import ListedSocket, sockets_on

__all__ = ["ListedSocket", "interfaces", "sockets_on", "this_host"]
