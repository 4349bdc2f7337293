"""adopt() and activated(): what a descriptor is, is asked of the system."""

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from attempts import IPV6, LINUX, descriptors, port_of

from bindlab.descriptor import checked_nature
from bindlab.errors import DescriptorError
from bindlab.opening import bind, listen
from bindlab.opening.adoption import activated, adopt
from bindlab.opening.allocation import allocate


@pytest.mark.parametrize("address", ["127.0.0.1", pytest.param("::1", marks=IPV6)])
@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("blocking", [True, False])
def test_what_a_descriptor_is_is_asked_of_the_system(
    address: str, transport: str, blocking: bool
) -> None:
    """Family, type and protocol are detected; the socket blocks and is not inherited."""
    kind = "tcp" if transport == "tcp" else "udp"
    original = bind(0, address, transport=kind)
    original.setblocking(blocking)
    original.set_inheritable(True)
    name, expected = original.getsockname(), (original.family, original.type, original.proto)
    with adopt(original.detach()) as sock:
        assert type(sock) is socket.socket
        assert (sock.family, sock.type) == expected[:2]
        # Python forgets the number where the system has no SO_PROTOCOL: test_windows.py.
        assert sock.proto == (expected[2] if hasattr(socket, "SO_PROTOCOL") else 0)
        assert sock.getsockname() == name
        assert sock.gettimeout() is None
        assert sys.platform == "win32" or os.get_blocking(sock.fileno())
        assert not sock.get_inheritable()


@LINUX
def test_a_socket_that_lies_about_itself_is_set_right() -> None:
    """socket.fromfd() believes its arguments; adopting the descriptor does not."""
    with listen() as server:
        liar = socket.fromfd(server.fileno(), socket.AF_UNIX, socket.SOCK_STREAM)
        with adopt(liar.detach()) as sock:
            assert (sock.family, sock.proto) == (socket.AF_INET, socket.IPPROTO_TCP)


@pytest.fixture
def descriptor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    """Return a descriptor that is of the kind asked for, and no IP socket."""
    if request.param == "closed":
        reader, writer = os.pipe()
        os.close(reader)
        os.close(writer)
        yield reader
        return
    kinds = {
        "file": lambda: os.open(tmp_path / "file", os.O_CREAT | os.O_RDWR),
        "directory": lambda: os.open(tmp_path, os.O_RDONLY),
        "pipe": lambda: os.pipe()[0],
        "device": lambda: os.open("/dev/null", os.O_RDWR),
        "unix": lambda: socket.socket(socket.AF_UNIX).detach(),
        "abstract": lambda: _abstract().detach(),
        "raw": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 255).detach(),
    }
    try:
        made = kinds[request.param]()
    except PermissionError:
        pytest.skip("a raw socket needs a privilege")
    yield made
    os.close(made)  # which fails if adopt() has closed it


def _abstract() -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(f"\0bindlab-{os.getpid()}")
    return sock


@LINUX
@pytest.mark.parametrize(
    ("descriptor", "number", "words"),
    [
        ("closed", errno.EBADF, "it is closed"),
        ("file", errno.ENOTSOCK, "a file, no socket"),
        ("directory", errno.ENOTSOCK, "a directory, no socket"),
        ("pipe", errno.ENOTSOCK, "a pipe, no socket"),
        ("device", errno.ENOTSOCK, "a device, no socket"),
        ("unix", errno.EPROTOTYPE, "AF_UNIX, which has no IP address"),
        ("abstract", errno.EPROTOTYPE, "AF_UNIX, which has no IP address"),
        ("raw", errno.EPROTOTYPE, r"SOCK_RAW socket of IP protocol \d+, neither TCP nor UDP"),
    ],
    indirect=["descriptor"],
)
def test_what_is_no_ip_socket_is_refused_and_stays_open(
    descriptor: int, number: int, words: str
) -> None:
    """The error says what the descriptor is instead, and leaves it to its owner (hard case 9)."""
    with pytest.raises(DescriptorError, match=words) as caught:
        adopt(descriptor)
    assert caught.value.errno == number
    assert caught.value.stage == "adopt"


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (-1, ValueError),
        (2**31, ValueError),
        (2**32 + 3, ValueError),
        (2**63, ValueError),
        (True, TypeError),
        ("3", TypeError),
        (None, TypeError),
        (3.0, TypeError),
    ],
)
def test_what_is_no_descriptor_is_refused(value: object, error: type[Exception]) -> None:
    """A descriptor is an int from 0; anything else says so before any system call."""
    with pytest.raises(error, match="descriptor"):
        adopt(value)  # type: ignore[arg-type]


@LINUX
@pytest.mark.parametrize("descriptor", ["unix", "raw"], indirect=True)
@pytest.mark.parametrize("default", [None, 0.0, 5.0])
@pytest.mark.parametrize("sandboxed", [False, True])
def test_what_is_refused_stays_exactly_as_it_was(
    descriptor: int, default: float | None, sandboxed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither O_NONBLOCK nor inheritance of a refused descriptor changes, for all who share it."""
    if sandboxed:  # a service that may make no socket, as RestrictAddressFamilies=none says
        monkeypatch.setattr("bindlab.descriptor._FAMILIES", ())
    socket.setdefaulttimeout(default)
    try:
        for blocking in (True, False):
            os.set_blocking(descriptor, blocking)
            os.set_inheritable(descriptor, True)
            with pytest.raises(DescriptorError):
                adopt(descriptor)
            assert os.get_blocking(descriptor) is blocking
            assert os.get_inheritable(descriptor)
        with bind() as given, adopt(os.dup(given.fileno())) as sock:
            assert sock.gettimeout() is None
            assert os.get_blocking(sock.fileno())
    finally:
        socket.setdefaulttimeout(None)


@pytest.mark.parametrize(
    ("kind", "told", "protocol"),
    [
        pytest.param(socket.SOCK_STREAM, 0, socket.IPPROTO_TCP, id="tcp-untold"),
        pytest.param(socket.SOCK_DGRAM, 0, socket.IPPROTO_UDP, id="udp-untold"),
        pytest.param(socket.SOCK_STREAM, 6, 6, id="tcp"),
        pytest.param(socket.SOCK_STREAM, 262, 262, id="mptcp"),
        pytest.param(socket.SOCK_DGRAM, 17, 17, id="udp"),
    ],
)
def test_an_untold_protocol_is_the_transport_s(kind: int, told: int, protocol: int) -> None:
    """Without SO_PROTOCOL (macOS, Windows) the number read is 0: the socket has its true one."""
    assert checked_nature(socket.AF_INET, kind, told) == (socket.AF_INET, kind, protocol)


@pytest.mark.parametrize(
    ("kind", "protocol", "words"),
    [
        (socket.SOCK_STREAM, 132, "a SOCK_STREAM socket of IP protocol 132"),
        (socket.SOCK_DGRAM, 1, "a SOCK_DGRAM socket of IP protocol 1"),
        (socket.SOCK_RAW, 0, "a SOCK_RAW socket of IP protocol 0"),
        (77, 0, "a type 77 socket of IP protocol 0"),
    ],
)
def test_another_protocol_is_named(kind: int, protocol: int, words: str) -> None:
    """SCTP over SOCK_STREAM is no TCP, and ICMP over SOCK_DGRAM no UDP."""
    with pytest.raises(ValueError, match=f"it is {words}, neither TCP nor UDP"):
        checked_nature(socket.AF_INET6, kind, protocol)


CHILD = """
import os, sys
from bindlab.opening.adoption import adopt
server = adopt(int(sys.argv[1]))
assert not server.get_inheritable()
connection, _ = server.accept()
connection.sendall(b"%d" % server.proto)
"""


@LINUX
def test_a_reservation_is_passed_to_a_child() -> None:
    """pass_fds hands a held socket to another program, which serves on it (hard case 9)."""
    with allocate() as held:
        (server,) = held.listen()
    with server:
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(server.fileno())], pass_fds=[server.fileno()]
        )
    with socket.create_connection(("127.0.0.1", held.port), timeout=10) as client:
        assert client.recv(10) == b"6"
    assert child.wait(10) == 0


@LINUX
def test_a_socket_travels_through_a_unix_socket() -> None:
    """SCM_RIGHTS passes a held socket between processes that both run already (hard case 9)."""
    ours, theirs = socket.socketpair()
    with ours, theirs, bind() as held:
        socket.send_fds(ours, [b"x"], [held.fileno()])
        _, fds, _, _ = socket.recv_fds(theirs, 1, 1)
        with adopt(fds[0]) as received:
            received.listen()
            assert port_of(received) == port_of(held)
            socket.create_connection(held.getsockname(), timeout=2).close()


# Runs as the process that a service manager started: its sockets are at 3, 4, 5, 6.
ACTIVATED = """
import json, os, sys
from bindlab.opening.adoption import activated
from bindlab.errors import DescriptorError
os.environ["LISTEN_PID"] = "1" if sys.argv[1] == "wrong" else str(os.getpid())
if sys.argv[1].startswith("pidfd"):
    of = os.getpid() if sys.argv[1] == "pidfd" else os.getppid()
    os.environ["LISTEN_PIDFDID"] = str(os.fstat(pidfd := os.pidfd_open(of)).st_ino)
    os.close(pidfd)
name = sys.argv[2] or None
try:
    found = activated(name, clean_environment=sys.argv[3] == "clean")
    answer = [[sock.fileno(), sock.proto, sock.get_inheritable()] for sock in found]
    for sock in found:
        sock.detach()
except (DescriptorError, ValueError) as error:
    answer = str(error)
still = [fd for fd in range(3, 7) if os.path.exists(f"/proc/self/fd/{fd}")]
left = sorted(name for name in os.environ if name.startswith("LISTEN_"))
print(json.dumps([answer, still, left]))
"""


def _activate(
    pid: str, name: str, clean: str, environment: dict[str, str]
) -> tuple[object, list[int], list[str]]:
    import json

    with listen() as tcp, bind(transport="udp") as udp, socket.socket(socket.AF_UNIX) as unix:
        null = os.open("/dev/null", os.O_RDONLY)
        given = [tcp.fileno(), udp.fileno(), unix.fileno(), null]

        def place() -> None:
            saved = [os.dup(fd) for fd in given]
            for number, fd in enumerate(saved, start=3):
                os.dup2(fd, number)

        try:
            run = subprocess.run(
                [sys.executable, "-c", ACTIVATED, pid, name, clean],
                env={**os.environ, **environment},
                preexec_fn=place,
                close_fds=False,
                capture_output=True,
                text=True,
                timeout=30,
                check=True,
            )
        finally:
            os.close(null)
    answer, still, left = json.loads(run.stdout)
    return answer, still, left


def _has_pidfds() -> bool:
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):  # PyPy, gVisor
        return False
    return True


def _pidfds_differ() -> bool:
    pidfds = [os.pidfd_open(os.getpid()), os.pidfd_open(os.getppid())]
    inodes = {os.fstat(each).st_ino for each in pidfds}
    for each in pidfds:
        os.close(each)
    return len(inodes) == 2


ALL = ["LISTEN_FDNAMES", "LISTEN_FDS", "LISTEN_PID", "LISTEN_PIDFDID"]
NAMES = {"LISTEN_FDS": "4", "LISTEN_FDNAMES": "web:dns:control:web"}


@LINUX
@pytest.mark.parametrize(
    ("pid", "name", "clean", "environment", "answer"),
    [
        pytest.param("right", "", "", {"LISTEN_FDS": "2"}, [[3, 6, False], [4, 17, False]], id="2"),
        pytest.param("wrong", "", "", {"LISTEN_FDS": "2"}, [], id="other-pid"),
        pytest.param("pidfd", "", "clean", {"LISTEN_FDS": "1"}, [[3, 6, False]], id="pidfd"),
        pytest.param("pidfd-of-parent", "", "clean", {"LISTEN_FDS": "1"}, [], id="other-pidfd"),
        pytest.param(
            "right",
            "",
            "",
            {"LISTEN_FDS": "1", "LISTEN_PIDFDID": "x"},
            "is no number",
            id="pidfd-x",
        ),
        pytest.param("right", "", "", {"LISTEN_FDS": "0"}, [], id="none"),
        pytest.param(
            "right", "x", "", {"LISTEN_FDS": "0", "LISTEN_FDNAMES": ""}, [], id="none-by-name"
        ),
        pytest.param("right", "dns", "", NAMES, [[4, 17, False]], id="by-name"),
        pytest.param("right", "mail", "", NAMES, [], id="unknown-name"),
        pytest.param("right", "unknown", "", {"LISTEN_FDS": "1"}, [[3, 6, False]], id="unnamed"),
        pytest.param("right", "", "clean", {"LISTEN_FDS": "1"}, [[3, 6, False]], id="clean"),
        pytest.param("wrong", "", "clean", {"LISTEN_FDS": "1"}, [], id="clean-other-pid"),
        pytest.param("right", "", "", {"LISTEN_FDS": "3"}, "AF_UNIX", id="unix"),
        pytest.param("right", "web", "", NAMES, "a device, no socket", id="no-socket"),
        pytest.param("right", "", "", {"LISTEN_FDS": "-1"}, "is no number", id="negative"),
        pytest.param("right", "", "", {"LISTEN_FDS": "two"}, "is no number", id="word"),
        pytest.param(
            "right", "x", "", {"LISTEN_FDS": "2", "LISTEN_FDNAMES": "x"}, "1 names", id="names"
        ),
    ],
)
def test_activation_follows_the_protocol(
    pid: str, name: str, clean: str, environment: dict[str, str], answer: object
) -> None:
    """LISTEN_FDS, LISTEN_PID and the others as systemd writes them (hard case 9)."""
    if "pidfd" in pid and not _has_pidfds():
        pytest.skip("no pidfds here")
    if pid == "pidfd-of-parent" and not _pidfds_differ():
        pytest.skip("before Linux 6.9 all pidfds have one inode")
    found, still, left = _activate(pid, name, clean, environment)
    if isinstance(answer, str):
        assert answer in str(found)
    else:
        assert found == answer
    assert still == [3, 4, 5, 6]
    assert left == ([] if clean else [one for one in ALL if one in (*environment, "LISTEN_PID")])


def test_without_a_service_manager_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No LISTEN_FDS, no sockets, and nothing is touched."""
    before = descriptors() if sys.platform.startswith("linux") else {}
    for variable in ALL:
        monkeypatch.delenv(variable, raising=False)
    assert activated() == ()
    assert activated("web", clean_environment=True) == ()
    assert (descriptors() if sys.platform.startswith("linux") else {}) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({"name": 3}, "FileDescriptorName"), ({"clean_environment": 1}, "True or False")],
)
def test_wrong_arguments_are_refused(arguments: dict[str, object], words: str) -> None:
    """Names are text, and cleaning is a choice."""
    with pytest.raises(TypeError, match=words):
        activated(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("names", ["web", "web:", "unknown"])
def test_names_of_sockets_that_were_not_passed(names: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names without sockets contradict each other, so that nobody guesses which is meant."""
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", "0")
    monkeypatch.setenv("LISTEN_FDNAMES", names)
    with pytest.raises(ValueError, match="LISTEN_FDNAMES"):
        activated("web")
    assert activated() == ()


@pytest.mark.parametrize("name", ["a", "unknow", "web"])
def test_sockets_without_names_are_called_unknown(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks for another name is given none of them (sd_listen_fds_with_names(3))."""
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.delenv("LISTEN_FDNAMES", raising=False)
    assert activated(name) == ()


@pytest.mark.parametrize(
    ("variable", "most"), [("LISTEN_FDS", 9), ("LISTEN_PID", 9), ("LISTEN_PIDFDID", 20)]
)
def test_numbers_have_a_bounded_length(
    variable: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number of more digits than the service manager ever writes is none."""
    for name, text in (("LISTEN_PID", str(os.getpid())), ("LISTEN_FDS", "0")):
        monkeypatch.setenv(name, text)
    own = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "0", "LISTEN_PIDFDID": "0"}[variable]
    monkeypatch.setenv(variable, own.zfill(most))
    assert activated() == ()
    monkeypatch.setenv(variable, own.zfill(most + 1))
    with pytest.raises(ValueError, match=variable):
        activated()
