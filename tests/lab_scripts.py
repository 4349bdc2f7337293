"""What the lab's tests run in processes of their own: to be killed, interrupted, deprived."""

import ctypes
import os
import subprocess
import sys
import time

from bindlab import lab

PR_CAPBSET_DROP = 24


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
        with net.a.socket() as server:
            server.bind(("0.0.0.0", 3000))
            server.listen()
            with net.b.connect("10.0.0.1", 3000) as client:
                peer, address = server.accept()
                peer.close()
                assert address == client.getsockname(), address
    print("connected")


def available() -> None:
    """Say whether the lab is available."""
    answer = lab.available()
    print(bool(answer), answer.reason)


def without_network_namespaces() -> None:
    """Say why the lab is not available where the administrator allows no namespace."""
    from bindlab.lab.kernel import own_network

    own_network()
    with open("/proc/sys/user/max_net_namespaces", "w") as file:
        file.write("0")
    available()


def run(name: str, *, deprived: bool = False) -> "subprocess.Popen[str]":
    """Start one of the above in a process of its own, *deprived* of every capability."""
    return subprocess.Popen(
        [sys.executable, __file__, name],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=drop_capabilities if deprived else None,
    )


def drop_capabilities() -> None:
    """Leave this process and what it becomes without capabilities, even as uid 0."""
    libc = ctypes.CDLL(None)
    for capability in range(64):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


if __name__ == "__main__":
    SCRIPTS = (hold, connect, available, without_network_namespaces)
    {script.__name__: script for script in SCRIPTS}[sys.argv[1]]()
