"""What this Linux kernel says, each thing read in one place: netlink, sock_diag, /proc, sysctl.

Every edge and the lab use it; it can be imported on every system, where asking is then an
``OSError`` or ``None``. Answers are of the calling thread's network namespace and of the moment.

- Tables, with one client, ``with Netlink() as netlink:`` :func:`links`, :func:`addresses`. A
  malformed one is an ``OSError`` with ``EBADMSG``.
- Questions that need no client: :func:`routing`, :func:`sockets_on`, :func:`open_sockets`,
  :func:`owners`, :func:`has_answered`, :func:`tells_programs_apart`, :func:`sysctl`,
  :func:`namespace_cookie`, :func:`guest_of`, :func:`read_firewall`.
- Orders, to make a network: ``netlink.order(RTM_NEWLINK, ifinfomsg() + packed([...]))``, with
  ``NLM_F_CREATE | NLM_F_EXCL`` for what must not exist yet. A refusal is an ``OSError`` with the
  kernel's own words: they are in its ``strerror``, behind a colon.
"""

from bindlab.linux.firewall import read_firewall
from bindlab.linux.guests import guest_of
from bindlab.linux.interfaces import (
    IFF_UP,
    RTM_NEWADDR,
    RTM_NEWLINK,
    Link,
    addresses,
    ifaddrmsg,
    ifinfomsg,
    link_attributes,
    links,
    said_by_flags,
)
from bindlab.linux.neighbours import has_answered
from bindlab.linux.netlink import (
    NLM_F_CREATE,
    NLM_F_EXCL,
    Attributes,
    Netlink,
    attributes,
    packed,
)
from bindlab.linux.processes import owners, owners_of
from bindlab.linux.routes import RTM_NEWROUTE, routing, rtmsg
from bindlab.linux.rules import tells_programs_apart
from bindlab.linux.settings import has_sysctl, sysctl, sysctl_flag
from bindlab.linux.sockets import (
    TCP_LISTEN,
    ListedSocket,
    namespace_cookie,
    open_sockets,
    sockets_on,
)

__all__ = [
    "IFF_UP",
    "NLM_F_CREATE",
    "NLM_F_EXCL",
    "RTM_NEWADDR",
    "RTM_NEWLINK",
    "RTM_NEWROUTE",
    "TCP_LISTEN",
    "Attributes",
    "Link",
    "ListedSocket",
    "Netlink",
    "addresses",
    "attributes",
    "guest_of",
    "has_answered",
    "has_sysctl",
    "ifaddrmsg",
    "ifinfomsg",
    "link_attributes",
    "links",
    "namespace_cookie",
    "open_sockets",
    "owners",
    "owners_of",
    "packed",
    "read_firewall",
    "routing",
    "rtmsg",
    "said_by_flags",
    "sockets_on",
    "sysctl",
    "sysctl_flag",
    "tells_programs_apart",
]
