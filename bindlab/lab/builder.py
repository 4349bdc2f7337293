"""The program that makes a network and holds it until it is closed, or its owner has ended."""

# It is the ancestor of all that runs on the hosts. It ends them and itself when the network is
# closed, or when the process that opened it has ended in whatever way.

import contextlib
import os
import select
import signal
import socket
from collections.abc import Sequence

from bindlab.lab.agent import serve
from bindlab.lab.construction import Place, construct
from bindlab.lab.ending import end_descendants
from bindlab.lab.kernel import adopt_orphans, enter, forked, own_network
from bindlab.lab.machine import Machine
from bindlab.lab.messages import pair, receive, send, unpacked


def main(control: socket.socket, owner: int) -> None:
    """Make the network that *control* asks for, and hold it while process *owner* does."""
    control.set_inheritable(False)
    # What is opened from now on is no standard stream, even if the caller has none.
    while (number := os.open(os.devnull, os.O_RDWR)) < 3:
        pass
    os.close(number)
    # What a program ignores or blocks, the programs that it starts do too.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        _, descriptors = receive(control)
        machines, _ = unpacked(descriptors, dict[str, Machine])
        adopt_orphans()
        own_network()
        places = construct(machines)
        for place in places:
            _start_host(place, places, control)
        watched = os.pidfd_open(owner)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no zombies of what programs left behind
        poll = select.poll()
        poll.register(control, select.POLLIN)  # that it ends: the network is closed
        poll.register(watched, select.POLLIN)
        poll.poll()
    except (ConnectionError, EOFError):
        pass  # who asked is gone already
    except OSError as error:
        with contextlib.suppress(ConnectionError):
            send(control, ["failed", error.errno, str(error)])
    finally:
        end_descendants()


def _start_host(place: Place, places: Sequence[Place], control: socket.socket) -> None:
    ours, theirs = pair()
    enter(place.namespace)

    def serve_here() -> None:
        control.close()
        ours.close()
        for each in places:
            os.close(each.namespace)
            each.netlink.close()
        serve(theirs)

    with ours, theirs:
        pid = forked(serve_here)
        send(control, ["host", pid], [ours.fileno(), place.namespace])
