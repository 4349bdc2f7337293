"""Servers of other people, as they are started: what each is bound to is found from outside."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from lab_home import answering_unlisted, needs_lab

from bindlab import answering, lab, wait_until_listening
from bindlab.lab import LabHost

pytestmark = needs_lab


@pytest.fixture(scope="module")
def laptop() -> Iterator[LabHost]:
    """A laptop on two networks, apart from this machine's."""
    with lab.network(
        laptop={"wifi": ["192.168.0.102/24", "2001:db8:1::2/64"], "ethernet": "10.0.0.12/24"},
        phone={"wifi": "192.168.0.50/24"},
        desktop={"ethernet": "10.0.0.20/24"},
    ) as net:
        yield net.laptop


NODE = "require('http').createServer((q, r) => r.end('hi')).listen(3000{})"
UDP_SERVER = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(({!r}, 3000))
while True:
    data, peer = s.recvfrom(2048)
    if data:
        s.sendto(data, peer)
"""
NGINX = """
daemon off; master_process off; error_log stderr; pid {tmp}/nginx.pid;
events {{}}
http {{
    access_log off; client_body_temp_path {tmp}/a; proxy_temp_path {tmp}/b;
    fastcgi_temp_path {tmp}/c; uwsgi_temp_path {tmp}/d; scgi_temp_path {tmp}/e;
    server {{ {listen} }}
}}
"""
SSHD = ["-D", "-e", "-f", "/dev/null", "-o", "Port=3000", "-o", "PidFile=none", "-o", "UsePAM=no"]
PYTHON = [sys.executable, "-u"]

# Programs of other people, as they are started, and what each must be bound to.
FOREIGN: dict[str, tuple[Sequence[str], list[str]]] = {
    "http.server": ([*PYTHON, "-m", "http.server", "3000"], ["0.0.0.0:3000"]),
    "http.server --bind": (
        [*PYTHON, "-m", "http.server", "3000", "--bind", "127.0.0.1"],
        ["127.0.0.1:3000"],
    ),
    "http.server --bind ::": (
        [*PYTHON, "-m", "http.server", "3000", "--bind", "::"],
        ["[::]:3000, dual-stack"],
    ),
    "node": (["node", "-e", NODE.format("")], ["[::]:3000, dual-stack"]),
    "node 127.0.0.1": (["node", "-e", NODE.format(", '127.0.0.1'")], ["127.0.0.1:3000"]),
    "nginx": (["nginx", "-c", "listen 3000;"], ["0.0.0.0:3000"]),
    "nginx, both": (
        ["nginx", "-c", "listen 3000; listen [::]:3000;"],
        ["0.0.0.0:3000", "[::]:3000, IPv6 only"],
    ),
    "nginx, one address": (["nginx", "-c", "listen 192.168.0.102:3000;"], ["192.168.0.102:3000"]),
    "sshd": (["/usr/sbin/sshd", *SSHD], ["0.0.0.0:3000", "[::]:3000, IPv6 only"]),
    "sshd, one address": (
        ["/usr/sbin/sshd", *SSHD, "-o", "ListenAddress=10.0.0.12"],
        ["10.0.0.12:3000"],
    ),
    "UDP": ([*PYTHON, "-c", UDP_SERVER.format("0.0.0.0")], ["0.0.0.0:3000/udp"]),
    "UDP, one address": (
        [*PYTHON, "-c", UDP_SERVER.format("192.168.0.102")],
        ["192.168.0.102:3000/udp"],
    ),
}


def command_of(command: Sequence[str], tmp_path: Path) -> list[str]:
    """Return the command to run, with what the program wants to find on the disk."""
    program, *rest = command
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed here; .ci/run installs it")
    if program == "nginx":
        config = tmp_path / "nginx.conf"
        config.write_text(NGINX.format(tmp=tmp_path, listen=rest[-1]))
        return [program, "-c", str(config)]
    if program.endswith("sshd"):
        key = tmp_path / "key"
        subprocess.run(["ssh-keygen", "-q", "-N", "", "-t", "ed25519", "-f", key], check=True)
        Path("/run/sshd").mkdir(exist_ok=True)
        return [program, *rest, "-h", str(key)]
    return [program, *rest]


def listed_by_ss(laptop: LabHost, udp: bool) -> set[str]:
    """Return the local addresses that ``ss`` shows on port 3000."""
    with laptop.run(["ss", "-Hln", "-u" if udp else "-t", "sport = :3000"]) as ss:
        ss.wait()
        return {line.split()[3] for line in ss.output.splitlines()}


@pytest.mark.skipif(shutil.which("ss") is None, reason="needs ss, of iproute2")
@pytest.mark.parametrize("case", FOREIGN)
def test_servers_of_other_people(case: str, laptop: LabHost, tmp_path: Path) -> None:
    """What a server that is not ours is bound to is found, and ss agrees."""
    command, expected = FOREIGN[case]
    udp = expected[0].endswith("/udp")
    dialled = "10.0.0.12" if "10.0.0.12:3000" in expected else "192.168.0.102"
    dialled = "127.0.0.1" if expected == ["127.0.0.1:3000"] else dialled
    with laptop.run(command_of(command, tmp_path)) as program:
        if udp:
            answer = f"{dialled}:3000/udp"
            while not laptop.call(answering, 3000, transport="udp", timeout=0.1):
                assert program.poll() is None, (answer, program.output)
        else:
            laptop.call(wait_until_listening, f"{dialled}:3000", timeout=20.0)
        options = {"transport": "udp" if udp else "tcp", "timeout": 0.5}
        found = laptop.call(answering, 3000, **options)
        told = laptop.call(answering_unlisted, 3000, **options).bindings
        by_ss = listed_by_ss(laptop, udp)
    assert [str(binding) for binding in found.bindings] == expected
    shown = {
        str(b.endpoint).removesuffix("/udp").replace("[::]", "*" if b.v6only is False else "[::]")
        for b in found.bindings
    }
    assert by_ss == shown
    one = ["[::]:3000, dual-stack"]
    assert [str(binding) for binding in told] == (one if len(expected) == 2 else expected)
