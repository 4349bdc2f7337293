"""A guest, the machine that runs it, and a colleague: how ports are published in the lab."""

import ctypes
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from bindlab import Explanation, Guest, explain, lab, this_host
from bindlab.guest import GuestKind
from bindlab.lab import LabHost, Machine, Network, Nic

PORT = 3000
HOST, COLLEAGUE, INSIDE = "192.168.0.10", "192.168.0.50", "172.17.0.2"
ROUTER = "192.168.0.1"  # nobody is there

# What an engine writes for a published port: the address of the host is not the socket's.
DNAT = f"""table ip nat {{
    chain prerouting {{
        type nat hook prerouting priority -100
        fib daddr type local tcp dport {PORT} dnat to {INSIDE}:{PORT}
    }}
    chain output {{
        type nat hook output priority -100
        ip daddr != 127.0.0.0/8 fib daddr type local tcp dport {PORT} dnat to {INSIDE}:{PORT}
    }}
    chain postrouting {{
        type nat hook postrouting priority 100
        oifname "docker0" masquerade
    }}
}}"""


@contextmanager
def home(guest: str = f"{INSIDE}/16") -> Generator[Network, None, None]:
    """Yield a network with a guest on a cable of its host, or with loopback alone (``""``)."""
    nics: dict[str, Nic | str] = {"wifi": f"{HOST}/24"}
    inside = Machine()
    if guest:
        nics["docker0"] = Nic("172.17.0.1/16", network="cable")
        inside = Machine({"eth0": Nic(guest, network="cable")}, gateway="172.17.0.1")
    with lab.network(
        desk=Machine(nics, forwarding=True, gateway=ROUTER),
        guest=inside,
        colleague={"wifi": f"{COLLEAGUE}/24"},
    ) as net:
        yield net


def explain_in_guest(kind: GuestKind, *private: str, needs_forwarding: bool = True) -> Explanation:
    """Return what is explained on a guest of that *kind*; *private* links lead to its host only."""
    seen = Guest(kind, ["a test says so"], needs_forwarding, private)
    return explain(PORT, COLLEAGUE, host=this_host().replace(guest=seen))


def read_from(address: str, port: int = PORT) -> str:
    """Return what a server says at *address*, or why it says nothing."""
    try:
        with socket.create_connection((address, port), 2) as connection:
            return connection.recv(99).decode() or "closed"
    except OSError as error:
        return type(error).__name__


@contextmanager
def serving(host: LabHost, address: str) -> Generator[None, None, None]:
    """Run a server on *host* that says hello to whoever comes."""
    with script(host, "serve", address):
        host.call(wait_for_server, address)
        yield


@contextmanager
def script(host: LabHost, *arguments: str) -> Generator[None, None, None]:
    """Run a function of this module on *host*, as a program of its own."""
    with host.run([sys.executable, __file__, *arguments]) as program:
        program.wait_for_output("ready")
        yield


@contextmanager
def by_dnat(net: Network) -> Generator[None, None, None]:
    """Publish as nftables and iptables do: packets are redirected before any socket is asked."""
    with net.desk.run(["nft", DNAT]) as done:
        assert done.wait() == 0, done.output
    yield


@contextmanager
def by_relay(net: Network, name: str = "docker-proxy") -> Generator[None, None, None]:
    """Publish as docker-proxy does: a program has the port, and dials the guest."""
    with script(net.desk, "relay", name, f"0.0.0.0:{PORT}", f"{INSIDE}:{PORT}"):
        yield


@contextmanager
def by_loopback(net: Network, name: str = "kubectl") -> Generator[None, None, None]:
    """Publish as kubectl port-forward and editors do: a helper inside dials 127.0.0.1."""
    path = f"/tmp/bindlab-{net.guest.pid}"
    try:
        with (
            script(net.guest, "relay", "helper", path, f"127.0.0.1:{PORT}"),
            script(net.desk, "relay", name, f"0.0.0.0:{PORT}", path),
        ):
            yield
    finally:
        with suppress(FileNotFoundError):
            Path(path).unlink()


@contextmanager
def by_slirp4netns(net: Network, *, publish: bool = True) -> Generator[None, None, None]:
    """Publish as rootless Podman and Docker did: slirp4netns has the port."""
    path = f"/tmp/bindlab-slirp-{net.guest.pid}"
    command = ["slirp4netns", "--configure", "--disable-host-loopback", "--api-socket", path]
    with ExitStack() as leaving, net.desk.run([*command, str(net.guest.pid), "tap0"]):
        leaving.callback(Path(path).unlink, missing_ok=True)
        _until(lambda: Path(path).exists() and "tap0" in _names(net.guest))
        if not publish:
            yield
            return
        where = {"host_addr": "0.0.0.0", "host_port": PORT}
        to = {"guest_addr": "10.0.2.100", "guest_port": PORT}
        asked = {"execute": "add_hostfwd", "arguments": {"proto": "tcp", **where, **to}}
        with socket.socket(socket.AF_UNIX) as api:
            api.connect(path)
            api.sendall(json.dumps(asked).encode())
            api.shutdown(socket.SHUT_WR)
            assert b"error" not in api.recv(999)
        yield


def _names(host: LabHost) -> list[str]:
    return [name for _, name in host.call(socket.if_nameindex)]


def _until(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come about in 5 s")


def wait_for_server(address: str) -> None:
    """Return when the server of this machine that is bound to *address* answers."""
    own = "127.0.0.1" if address == "0.0.0.0" else address
    _until(lambda: read_from(own) == "hello")


def serve(address: str) -> None:
    """Say hello to whoever comes."""
    with socket.create_server((address, PORT)) as server:
        print("ready", flush=True)
        while True:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.sendall(b"hello")


def relay(name: str, here: str, there: str) -> None:
    """Pass connections on, under the *name* of such a program."""
    ctypes.CDLL(None).prctl(15, name.encode(), 0, 0, 0)  # PR_SET_NAME
    with _bound(here) as server:
        print("ready", flush=True)
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_pass_on, args=(connection, there), daemon=True).start()


def _bound(place: str) -> socket.socket:
    if place.startswith("/"):
        server = socket.socket(socket.AF_UNIX)
        server.bind(place)
        server.listen()
        return server
    ip, _, port = place.rpartition(":")
    return socket.create_server((ip, int(port)))


def _pass_on(connection: socket.socket, there: str) -> None:
    with connection, suppress(OSError):
        if there.startswith("/"):
            onward = socket.socket(socket.AF_UNIX)
            onward.connect(there)
        else:
            ip, _, port = there.rpartition(":")
            onward = socket.create_connection((ip, int(port)), 2)
        with onward:
            while data := onward.recv(999):
                connection.sendall(data)


if __name__ == "__main__":
    {"serve": serve, "relay": relay}[sys.argv[1]](*sys.argv[2:])
