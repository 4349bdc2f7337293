"""What bindlab promises of sockets everywhere, tried on the system that runs this."""

import copy
import os
import pickle
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import bindlab
from bindlab.errors import AddressInUseError, OptionNotSupportedError
from bindlab.testing import assert_loopback_only


def restarts_over_time_wait() -> None:
    server = bindlab.listen()
    port = server.getsockname()[1]
    with socket.create_connection(server.getsockname()):
        server.accept()[0].close()
        server.close()
    bindlab.listen(port).close()


def what_is_lent_can_be_bound() -> str:
    try:
        lent = bindlab.allocate(lendable=True)
    except OptionNotSupportedError as error:
        return str(error)
    with lent, socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", lent.port))
        other.listen()
    return "it can lend"


def what_is_held_is_refused_to_others() -> None:
    with bindlab.allocate() as held:
        try:
            bindlab.bind(held.port).close()
        except (AddressInUseError, PermissionError):
            return
    raise AssertionError(f"port {held.port} was bound twice")


def what_is_shared_can_be_shared() -> str:
    try:
        first = bindlab.listen(share_port=True)
    except OptionNotSupportedError as error:
        return str(error)
    with first, bindlab.listen(first.getsockname()[1], share_port=True):
        return "it can share"


def a_backlog_is_true_or_unknown() -> str:
    with bindlab.listen(backlog=3) as server:
        backlog = bindlab.backlog_of(server)
    assert backlog in (3, None), backlog
    return str(backlog)


def loopback_is_private() -> str:
    for address in ("127.0.0.1", "::1"):
        with bindlab.listen(0, address) as server:
            assert_loopback_only(server)
    return bindlab.reachable_from("127.0.0.1:3000").scope.name


def values_and_errors_travel_whole() -> None:
    for value in (bindlab.Endpoint("fe80::1%eth0", 80), bindlab.this_host()):
        assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == value
    try:
        bindlab.bind(1, "192.0.2.77")
    except OSError as error:
        print(f"  {error}")
        twin = copy.copy(error)
    assert isinstance(twin.__cause__, OSError)


def accepted_sockets_know_their_protocol() -> None:
    with (
        bindlab.listen() as server,
        socket.create_connection(server.getsockname()),
        server.accept()[0] as accepted,
    ):
        print(f"  protocol of accepted sockets: {accepted.proto}")


def the_command_answers() -> None:
    from bindlab.__main__ import main

    assert main([]) == 0


def the_lab_says_whether_it_is_there() -> str:
    from bindlab import lab

    return str(lab.available())


def main() -> int:
    """Try each, and return 1 if one fails."""
    print(sys.version, getattr(os, "uname", lambda: sys.platform)(), sep="\n")
    failed = 0
    for name, promise in [*globals().items()]:
        if getattr(promise, "__module__", "") != __name__ or name == "main":
            continue
        try:
            told = promise()
        except Exception as error:  # each is tried
            failed = 1
            told = f"FAILED: {type(error).__name__}: {error}"
        print(f"{name.replace('_', ' ')}: {told or 'yes'}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
