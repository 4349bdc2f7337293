"""What the lab's tests run in processes of their own: to be killed, interrupted, deprived."""

import os
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
        orphan = program.wait_for_output("\n").split()[0]
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


def say_so_and_sleep(sock: socket.socket) -> None:
    """Tell through *sock* that this is being called, and hold it for long."""
    sock.send(b"s")
    time.sleep(300)


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


def run_as_nobody(name: str) -> "subprocess.Popen[str]":
    """Start one of the above as a user without rights: this one, if it is not root."""
    return run(name, through=_NOBODY if os.geteuid() == 0 else ())


if __name__ == "__main__":
    SCRIPTS = (hold, connect, available, without_network_namespaces)
    {script.__name__: script for script in SCRIPTS}[sys.argv[1]]()
