"""What an answer takes for granted, where nobody was asked: the words, and names that stay."""

import enum
from collections.abc import Iterable

__all__ = ["Assumption", "assuming", "assumption_documents"]


_LIKE_GLOBAL = "in the registry, is judged like global addresses"


class Assumption(enum.StrEnum):
    """A clause after "assuming that"; its name, in small letters, is what JSON has."""

    LISTENING = "a server listens there"
    DEDUCED = "the server is bound to what its answers point to"
    LOOPBACK = "this machine has a loopback interface, though none is listed"
    V6ONLY = "IPV6_V6ONLY is as this system sets it by default"
    BINDV6ONLY = "IPV6_V6ONLY is as the system of that machine sets it by default"
    ROUTE_LOCALNET = "route_localnet is off, as by default"
    STRONG_HOST = "the host model is the default of its system"
    TCP_L3MDEV_ACCEPT = "tcp_l3mdev_accept is off, as by default"
    UDP_L3MDEV_ACCEPT = "udp_l3mdev_accept is off, as by default"
    TEST_NET_1 = f"192.0.2.0/24, documentation (TEST-NET-1) {_LIKE_GLOBAL}"
    TEST_NET_2 = f"198.51.100.0/24, documentation (TEST-NET-2) {_LIKE_GLOBAL}"
    TEST_NET_3 = f"203.0.113.0/24, documentation (TEST-NET-3) {_LIKE_GLOBAL}"
    DOCUMENTATION = f"2001:db8::/32, documentation {_LIKE_GLOBAL}"
    DOCUMENTATION_2 = f"3fff::/20, documentation {_LIKE_GLOBAL}"


def assuming(assumptions: Iterable[str]) -> str:
    """Return the sentence that says what was taken for granted; "" for nothing."""
    clauses = [f"that {clause}" for clause in dict.fromkeys(assumptions)]
    return "Assuming " + " and ".join(clauses) + "." if clauses else ""


def assumption_documents(assumptions: Iterable[str]) -> list[dict[str, object]]:
    """Return *assumptions* as what JSON can hold: a code that stays, and the words."""
    return [
        {"code": each.name.lower() if isinstance(each, Assumption) else None, "text": str(each)}
        for each in assumptions
    ]
