"""Which socket options keep a port for one owner, or share it: a table, by system.

Options are named, so that the rules of a system can be looked at on another one. Linux was
measured; the others are from documentation.
"""

import socket
from typing import Generic, NamedTuple, TypeVar

__all__ = ["ReuseRules", "in_numbers", "number_of", "rules_for"]

Option = TypeVar("Option", str, int)


class ReuseRules(NamedTuple, Generic[Option]):
    """The options of ``SOL_SOCKET`` to set at each moment."""

    always: tuple[Option, ...]  # before bind(), unless the port is shared
    over_connections: tuple[Option, ...]  # before bind(), where a server left connections
    while_listening: tuple[Option, ...]  # after listen(), when nobody can squat any more
    shared: tuple[Option, ...]  # to share the port with sockets that ask for the same
    lent: tuple[Option, ...]  # after bind(), so that one that reuses addresses may bind as well


# SO_REUSEADDR lets a socket bind where connections of an earlier server are in TIME_WAIT, if
# that server set it as well. Set before bind(), it would also let others bind the
# port until we listen (then our listen() fails), so it is set as late as possible.
POSIX = ReuseRules[str](
    always=(),
    over_connections=("SO_REUSEADDR",),
    while_listening=("SO_REUSEADDR",),
    shared=("SO_REUSEPORT",),
    lent=(),
)

RULES: dict[str, ReuseRules[str]] = {
    "linux": POSIX._replace(lent=("SO_REUSEADDR",)),
    # On Windows SO_REUSEADDR lets any socket steal a port, and TIME_WAIT hinders nobody:
    # https://learn.microsoft.com/windows/win32/winsock/using-so-reuseaddr-and-so-exclusiveaddruse
    "win32": ReuseRules[str](
        always=("SO_EXCLUSIVEADDRUSE",),
        over_connections=(),
        while_listening=(),
        shared=("SO_REUSEPORT",),  # which it does not have: sharing is refused
        lent=(),
    ),
}


def rules_for(platform: str) -> ReuseRules[str]:
    """Return the rules of *platform*, a value of ``sys.platform``; unknown ones are POSIX."""
    return RULES.get(platform, POSIX)


def in_numbers(rules: ReuseRules[str]) -> ReuseRules[int]:
    """Return *rules* with the numbers that this system has for the options."""
    return ReuseRules[int](*(tuple(map(number_of, names)) for names in rules))


def number_of(option: str) -> int:
    """Return the number of a socket option; -1, ENOPROTOOPT to any system, if it has none."""
    number: int = getattr(socket, option, -1)
    return number
