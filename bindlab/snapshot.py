"""This machine as values: its interfaces through ifaddr, and what ifaddr does not tell.

An edge: it reads, and decides nothing. Everything is that of the calling thread's network
namespace, and of the moment of the call; nothing is kept from one call to the next.
"""

import functools
import os
import socket
import sys
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import TYPE_CHECKING, NamedTuple

from bindlab import rtnetlink
from bindlab.host import DEFAULT, Host, IPNetwork, System
from bindlab.interface import AddressState, Interface, InterfaceAddress
from bindlab.netlink import Dumper
from bindlab.sockaddr import zone_of

if TYPE_CHECKING:
    from ifaddr import IP, Adapter

__all__ = ["interfaces", "this_host"]
