"""What the lab's tests run in processes of their own: to be killed, interrupted, deprived."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence

from bindlab import lab
from bindlab.lab.errors import LabError
from bindlab.lab.kernel import new_network, own_network


def hold() -> None:
    """Hold a network, say which processes it is made of, and wait to be ended."""
    with lab.network(a={"wire": "10.0.0.1/24"}, b={"wire": "10.0.0.2/24"}) as net:
        # One that leaves its session, its group and its parent, as a daemon does.
        daemon = "setsid sh -c 'sleep 300 & echo $!; exec sleep 300' & wait"
        program = net.a.run(["sh", "-c", daemon])
        orphan = program.wait_for_output("\n", 60).split()[0]
        sock = net.b.socket()
        print(net.a.pid, net.b.pid, orphan, flush=True)
        time.sleep(300)
        sock.close()


def connect() -> None:
    """Make a network with the same names, addresses and ports as everybody, and use it."""
    with lab.network(a={"wire": "10.0.0.1/24"}, b={"wire": "10.0.0.2/24"}) as net:
        server = net.a.listen(3000, "0.0.0.0")
        client = net.b.connect("10.0.0.1", 3000)
        peer, address = server.accept()
        peer.close()
        assert address == client.getsockname(), address
    print("connected")


def available() -> None:
    """Say whether the lab is available."""
    answer = lab.available()
    print(bool(answer), answer.reason)


def without_network_namespaces() -> None:
    """Say what is said where the administrator allows no more network namespaces."""
    own_network()
    with open("/proc/sys/user/max_net_namespaces", "w") as file:
        file.write("0")
    try:
        new_network()
    except LabError as error:
        print(error)


def default_timeout() -> None:
    """Use the lab where every new socket has a timeout, which makes it non-blocking."""
    socket.setdefaulttimeout(0.05)
    with lab.network(a={"wire": "10.0.0.1/24"}, b={"wire": "10.0.0.2/24"}) as net:
        time.sleep(0.2)  # longer than that
        net.a.call(time.sleep, 0.2)
        print(len(net.a.call(bytes, 5_000_000)), len(net.b.call(bytes.upper, b"a" * 5_000_000)))
        with net.a.run(["sh", "-c", "sleep 0.2; exit 3"]) as program:
            print(program.wait(60))


def many_descriptors() -> None:
    """Wait for a program in a process that has more files open than select(2) can name."""
    import resource  # which Windows has not

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    kept = [os.open(os.devnull, os.O_RDONLY) for _ in range(min(1100, most - 64))]
    with lab.network(a={"wire": ()}) as net, net.a.run(["true"]) as program:
        print(program.wait(60), len(kept))


def odd_signals() -> None:
    """Use the lab where SIGCHLD is ignored and signals are blocked, which children inherit."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD})
    with lab.network(a={"wire": ()}) as net:
        print(net.a.call(divmod, 7, 2))
        with net.a.run(["sleep", "300"]) as program:
            pass
        print(program.poll())


def fork_inside() -> None:
    """Fork inside the ``with``, leave it in the child, and go on using the network here."""
    with lab.network(a={"wire": "10.0.0.1/24"}, b={"wire": "10.0.0.2/24"}) as net:
        server = net.a.listen(3000, "0.0.0.0")
        program = net.a.run(["sleep", "300"])
        child = os.fork()
        if child:
            _, status = os.waitpid(child, 0)
            net.b.connect("10.0.0.1", 3000).close()
            print(os.waitstatus_to_exitcode(status), program.poll(), server.fileno() >= 0)
    if not child:
        print("the child has left", flush=True)


def cannot_be_made() -> None:
    """Say what is said of a network of which one host cannot be made."""
    unknown = lab.Machine({"wire": ()}, sysctl={"net.ipv4.no_such_setting": 1})
    try:
        with lab.network(a={"wire": ()}, b=unknown, c={"wire": ()}):
            pass
    except LabError as error:
        print(error)


def firewalled() -> None:
    """Say whether a host has its firewall, for a user whose PATH has no programs of root."""
    os.environ["PATH"] = "/usr/bin:/bin"
    try:
        with lab.network(laptop=lab.Machine({"wire": ()}, firewall=lab.firewall("drop"))):
            print("has a firewall")
    except LabError as error:
        print(error)


def say_so_and_sleep(sock: socket.socket) -> None:
    """Tell through *sock* that this is being called, and hold it for long."""
    sock.send(b"s")
    time.sleep(300)


def say_so_and_wait(sock: socket.socket) -> None:
    """Tell through *sock* that this is being called, and return when it answers."""
    sock.send(b"s")
    sock.recv(1)


def output_of(command: list[str]) -> str:
    """Return what a program says that is started without closing anything."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(writer, 1)
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.execv(command[0], command)
    os.close(writer)
    with open(reader) as file:
        return file.read()


class Riddle:
    """Cannot be taken apart where it comes out of a pickle."""

    def __init__(self) -> None:
        self.sock = socket.socket()

    def __reduce__(self) -> tuple[object, ...]:
        return divmod, (1, 0), self.sock


def socket_in_a_riddle() -> list[object]:
    """Return an open socket, and something that fails when it is unpickled."""
    return [socket.socket(), Riddle()]


def many_sockets(number: int) -> list[socket.socket]:
    """Return open sockets."""
    return [socket.socket() for _ in range(number)]


def fork_and_return() -> str:
    """Return in two processes."""
    return "parent" if os.fork() else "child"


def leave_a_daemon_and_die() -> None:
    """Leave a process with all that is open here, unnoticed by Python, and be killed."""
    if not ctypes.CDLL(None).fork():
        os.setsid()
        time.sleep(300)
    time.sleep(0.1)
    signal.raise_signal(signal.SIGKILL)


def without_streams() -> None:
    """Run a program where the standard streams are closed, but for a copy of the output."""
    out = os.dup(1)
    os.closerange(0, 3)
    with lab.network(a={"wire": ()}) as net, net.a.run(["echo", "hello"]) as program:
        code = program.wait(60)
    os.write(out, f"{program.output} {code}\n".encode())


def run(name: str, *, through: Sequence[str] = ()) -> "subprocess.Popen[str]":
    """Start one of the above in a process of its own."""
    paths = os.pathsep.join(sys.path)
    return subprocess.Popen(
        [*through, sys.executable, __file__, name],
        env=os.environ | {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


# Another uid, and no capability but the one to read files: a Python may lie in /root.
_NOBODY = (
    "setpriv",
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
    "--bounding-set=-all,+dac_override",
    "--inh-caps=-all,+dac_override",
    "--ambient-caps=-all,+dac_override",
)


# A mount namespace in which the programs of root are missing.
_WITHOUT_SBIN = (
    *("unshare", "--map-root-user", "--mount", "sh", "-c"),
    *('mount -t tmpfs none /usr/sbin && exec "$@"', "sh"),
)


def run_without_sbin(name: str) -> "subprocess.Popen[str]":
    """Start one of the above where /usr/sbin is empty."""
    return run(name, through=_WITHOUT_SBIN)


def run_as_nobody(name: str) -> "subprocess.Popen[str]":
    """Start one of the above as a user without rights: this one, if it is not root."""
    return run(name, through=_NOBODY if os.geteuid() == 0 else ())


if __name__ == "__main__":
    SCRIPTS = (
        hold,
        connect,
        available,
        without_network_namespaces,
        default_timeout,
        many_descriptors,
        odd_signals,
        fork_inside,
        cannot_be_made,
        firewalled,
        without_streams,
    )
    {script.__name__: script for script in SCRIPTS}[sys.argv[1]]()
