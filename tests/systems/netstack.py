"""Two machines over a veth, for gvisor-net: verdicts in the sandbox, and a peer that dials."""

import json
import socket
import sys
import time
from pathlib import Path

from bindlab import listen, reachable_from, this_host

_PEERS = {"10.5.0.1": "10.5.0.2", "fd05::1": "fd05::2"}  # by the address that each dials
_BOUND = (
    *("0.0.0.0", "::", "10.5.0.1", "fd05::1", "127.0.0.1", "127.0.0.2", "::1"),
    *(("0.0.0.0", "v0"), ("0.0.0.0", "lo"), ("::", "v0"), ("10.5.0.1", "v0"), ("10.5.0.1", "lo")),
)
_SETS = ("bounding", "effective", "inheritable", "permitted")  # capabilities(7)
_RIGHTS = ("NET_ADMIN", "NET_RAW", "NET_BIND_SERVICE", "SYS_ADMIN", "DAC_OVERRIDE")


def bundle(folder: str, namespace: str) -> int:
    """Write what runsc is to run, in the network *namespace*: :func:`serve`."""
    rights = [f"CAP_{right}" for right in _RIGHTS]
    settings = ["PYTHONDONTWRITEBYTECODE=1", "PYTHONUNBUFFERED=1", "TMPDIR=/run/tmp"]
    config = {
        "ociVersion": "1.0.0",
        "process": {
            "user": {"uid": 0, "gid": 0},
            "args": [sys.executable, "-m", "tests.systems.netstack", "serve"],
            "env": [*settings, "PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
            "cwd": str(Path.cwd()),
            "capabilities": dict.fromkeys(
                ("bounding", "effective", "inheritable", "permitted"), rights
            ),
        },
        "root": {"path": "/", "readonly": True},
        "hostname": "sandbox",
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/run/tmp", "type": "tmpfs", "source": "tmpfs"},
        ],
        "linux": {
            "namespaces": [
                *({"type": kind} for kind in ("pid", "ipc", "uts", "mount")),
                {"type": "network", "path": namespace},
            ]
        },
    }
    Path(folder, "config.json").write_text(json.dumps(config))
    return 0


def serve() -> int:
    """Listen wherever it is possible, say what is predicted of the peer, and wait for it."""
    print(json.dumps({"host": json.loads(this_host().to_json())}))
    kept = []
    for bound in _BOUND:
        address, device = (bound, None) if isinstance(bound, str) else bound
        try:
            server = listen(0, address, device=device)
        except OSError as error:
            print(json.dumps({"refused": f"{address} {device or ''}: {error}"}))
            continue
        kept.append(server)
        reach = reachable_from(server)
        verdicts = {own: str(reach.verdict(peer)) for own, peer in _PEERS.items()}
        lets_in = {own: bool(reach.verdict(peer)) for own, peer in _PEERS.items()}
        port = server.getsockname()[1]
        print(json.dumps({"at": [address, device], "port": port, "in": lets_in, "said": verdicts}))
    print(json.dumps({"ready": len(kept)}), flush=True)
    time.sleep(60)
    return 0


def dial(said: str) -> int:
    """Connect to all that the sandbox said in that file; return 1 if a NO gets in."""
    for _ in range(300):
        text = Path(said).read_text()
        if '"ready"' in text:
            break
        time.sleep(0.1)
    status = 1
    for line in text.splitlines():
        if not line.startswith("{"):
            print(line)
            continue
        told = json.loads(line)
        if "refused" in told:
            print(f"refused: {told['refused']}")
        if "ready" in told:
            status &= ~1 if told["ready"] else 1
        for own, lets_in in told.get("in", {}).items():
            try:
                socket.create_connection((own, told["port"]), 1).close()
            except OSError:
                got_in = False
            else:
                got_in = True
            wrong = got_in and not lets_in
            print(
                f"{told['at']} from {_PEERS[own]}: {'CONTRADICTION: ' if wrong else ''}"
                f"{'connects' if got_in else 'does not connect'}, {told['said'][own]}"
            )
            status |= 2 * wrong
    return status


if __name__ == "__main__":
    sys.exit(globals()[sys.argv[1]](*sys.argv[2:]))
