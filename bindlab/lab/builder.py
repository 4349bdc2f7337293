"""The program that makes a network and holds it until it is closed, or its owner has ended."""

# A namespace lives as long as a process is in it, and nothing else holds these: they have no
# name in /run/netns. This process is in one of its own, which holds the switches, and is the
# ancestor of all that runs on the hosts. It ends them and itself when the network is closed, or
# when the process that opened it has ended in whatever way.

import contextlib
import os
import select
import signal
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from bindlab.lab.agent import serve
from bindlab.lab.cabling import Port, lay_cables
from bindlab.lab.configure import configure
from bindlab.lab.ending import end_descendants
from bindlab.lab.errors import LabError
from bindlab.lab.kernel import adopt_orphans, die_with_parent, new_network, own_network
from bindlab.lab.links import wait_until_settled
from bindlab.lab.machine import Machine, Plan
from bindlab.lab.objects import receive_object, send_object
from bindlab.lab.wire import Closed, receive_data, send_data
from bindlab.linux import Netlink

__all__ = ["main"]


class _Ports(NamedTuple):
    ports: Sequence[Port]


class _Host(NamedTuple):
    pid: int
    steps: socket.socket
    requests: socket.socket


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
        plan = receive_object(control, Plan)
        watched = os.pidfd_open(owner)
        adopt_orphans()
        own_network()
        hosts = _build(plan.machines, control)
        for host in hosts.values():
            with host.requests, open(f"/proc/{host.pid}/ns/net", "rb", 0) as namespace:
                handed_over = [host.requests.fileno(), namespace.fileno()]
                send_data(control, ["host", host.pid], handed_over)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no zombies of what programs left behind
        poll = select.poll()
        poll.register(control, 0)  # POLLHUP alone: the network is closed
        poll.register(watched, select.POLLIN)
        poll.poll()
    except (ConnectionError, Closed):
        pass  # who asked is gone already
    except OSError as error:
        with contextlib.suppress(ConnectionError):
            send_data(control, ["failed", error.errno, str(error)])
    finally:
        end_descendants()


def _build(machines: Mapping[str, Machine], control: socket.socket) -> Mapping[str, _Host]:
    hosts: dict[str, _Host] = {}
    for number, (name, machine) in enumerate(machines.items()):
        hosts[name] = _fork_host(number, machine, [control, *_sockets(hosts)])
    for name, host in hosts.items():
        _await_step(name, host)
    pids = {name: host.pid for name, host in hosts.items()}
    with Netlink() as netlink:
        ports, host_ports = lay_cables(netlink, machines, pids)
        for name, host in hosts.items():
            send_object(host.steps, _Ports(host_ports[name]))
        for name, host in hosts.items():
            _await_step(name, host)
            host.steps.close()
        wait_until_settled(netlink, [port.name for port in ports if port.live])
    return hosts


def _sockets(hosts: Mapping[str, _Host]) -> Iterator[socket.socket]:
    for host in hosts.values():
        yield host.steps
        yield host.requests


def _await_step(name: str, host: _Host) -> None:
    try:
        answer = receive_data(host.steps)
    except Closed as error:
        raise RuntimeError(f"the process of host {name} ended early") from error
    match answer:
        case ["failed", int() | None as number, str(text)]:
            raise LabError(number, f"host {name}: {text}")
        case _:
            pass


def _fork_host(number: int, machine: Machine, inherited: Iterable[socket.socket]) -> _Host:
    steps, our_steps = socket.socketpair()
    requests, our_requests = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    builder = os.getpid()
    pid = os.fork()
    if pid:
        our_steps.close()
        our_requests.close()
        return _Host(pid, steps, requests)
    try:
        die_with_parent(builder)
        for sock in (steps, requests, *inherited):
            sock.close()
        try:
            new_network()
            send_data(our_steps, "made")
            configure(machine, number, receive_object(our_steps, _Ports).ports)
            send_data(our_steps, "configured")
        except OSError as error:
            send_data(our_steps, ["failed", error.errno, str(error)])
        else:
            our_steps.close()
            serve(our_requests)
    except (ConnectionError, Closed):
        pass  # the network could not be made, and another has said why
    except Exception as error:
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        os._exit(0)
