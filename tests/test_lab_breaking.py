"""The lab, attacked: by programs that write where they can, signals, limits, sudden deaths."""

import contextlib
import errno
import gc
import os
import pickle
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import lab_scripts
import pytest
from lab_home import PATIENCE, gone, needs_lab

from bindlab import lab
from bindlab.lab import LabError, LabHost, Machine, messages
from bindlab.lab.program import Program

pytestmark = needs_lab
resource = pytest.importorskip("resource")  # which Windows has not

# Says what it has open besides what the interpreter opens to list that.
LIST_DESCRIPTORS = """
import os
for number in sorted(int(n) for n in os.listdir("/proc/self/fd")):
    try:
        print(number, os.readlink(f"/proc/self/fd/{number}"))
    except OSError:
        pass  # the directory that was listed
"""

# Writes a pickle, which creates a file when it is loaded, into all that it has open.
WRITE_EVERYWHERE = """
import os, pickle, struct, sys, time
class Attack:
    def __reduce__(self):
        return os.mknod, (sys.argv[1],)
attack = pickle.dumps(Attack())
framed = struct.pack("!IH", len(attack), 0) + attack
if sys.argv[2] == "nobody":
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
for number in range(256):
    try:
        os.write(number, framed * 3)
    except OSError:
        pass
time.sleep(0.2)
"""

# Starts a daemon that starts itself anew again and again, each in a session of its own. It gives
# up after a minute: what escapes a fault must not keep the machine busy.
COMET = """
import os, sys, time
if os.fork():
    os._exit(0)
end = time.monotonic() + 60
while time.monotonic() < end:
    os.setsid()
    if os.fork():
        os._exit(0)
    if os.fork():
        os._exit(0)
"""

DEAF = "trap '' TERM; echo deaf; while :; do sleep 1; done"


@pytest.fixture
def host() -> Iterator[LabHost]:
    with lab.network(a={"wire": "10.0.0.1/24"}) as net:
        yield net.a


@pytest.fixture(scope="module")
def lasting_host() -> Iterator[LabHost]:
    with lab.network(a={"wire": "10.0.0.1/24"}) as net:
        yield net.a


def marked(marker: str) -> list[int]:
    """Return the processes that have *marker* in their environment."""
    found: list[int] = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if f"MARKER={marker}".encode() in Path(f"/proc/{entry}/environ").read_bytes():
                found.append(int(entry))
    return found


def builder_of(host: LabHost) -> int:
    """Return the process that holds the network of *host*."""
    return int(Path(f"/proc/{host.pid}/stat").read_text().rpartition(")")[2].split()[1])


def children(pid: int) -> list[int]:
    """Return the children of a process, zombies included."""
    found: list[int] = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{entry}/stat").read_bytes().rpartition(b")")[2].split()
            if int(words[1]) == pid:
                found.append(int(entry))
    return found


def until(what: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait until something is so, on however busy a machine."""
    deadline = time.monotonic() + patience
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class TestWhatAProgramGets:
    def test_it_inherits_its_three_streams_only(self, host: LabHost) -> None:
        """No descriptor of bindlab's is open in a program, also when much is open here."""
        others = [host.run(["sleep", "300"]) for _ in range(3)]
        with host.socket(), host.run([sys.executable, "-c", LIST_DESCRIPTORS]) as program:
            assert program.wait(PATIENCE) == 0
        numbers = [int(line.split()[0]) for line in program.output.splitlines()]
        assert numbers == [0, 1, 2], program.output
        for other in others:
            other.close()

    def test_so_does_one_that_a_called_function_starts(self, host: LabHost) -> None:
        """A function that starts a program, also without closing anything, hands nothing down."""
        listed = host.call(lab_scripts.output_of, [sys.executable, "-c", LIST_DESCRIPTORS])
        assert [line.split()[0] for line in listed.splitlines()] == ["0", "1", "2"], listed

    @pytest.mark.parametrize("user", ["root", "nobody"])
    def test_what_it_writes_is_not_run(self, host: LabHost, tmp_path: Path, user: str) -> None:
        """A program that writes a pickle to every descriptor it has runs nothing here."""
        if user == "nobody" and os.geteuid():
            pytest.skip("only root can become nobody")
        target = tmp_path / "owned"
        with host.run([sys.executable, "-c", WRITE_EVERYWHERE, str(target), user]) as program:
            assert program.wait(PATIENCE) == 0
        assert program.poll() == 0
        assert not target.exists()
        assert host.call(divmod, 7, 2) == (3, 1)

    def test_it_cannot_make_its_output_endless(self, host: LabHost) -> None:
        """A program may extend the file of its output to any length; no more than some is read."""
        grow = f"import os; os.ftruncate(1, {1 << 50}); print('end')"
        with host.run([sys.executable, "-c", grow]) as program:
            assert program.wait(PATIENCE) == 0
        assert len(program.output) == 1 << 26

    def test_an_agent_tells_data_only(self, host: LabHost) -> None:
        """What is said of a program's end is read as JSON: a pickle there is not taken apart."""
        ours, theirs = messages.pair()
        with ours, theirs:
            theirs.send(pickle.dumps(ZeroDivisionError()))
            with pytest.raises(ValueError, match="decode"):
                messages.receive(ours)

    def test_streams_may_be_missing_here(self) -> None:
        """Where the test's process has no standard streams, a program has its own all the same."""
        out = lab_scripts.run("without_streams").communicate(timeout=PATIENCE)[0]
        assert out == "hello\n 0\n"


class TestCommands:
    @pytest.fixture
    def host(self, lasting_host: LabHost) -> LabHost:
        return lasting_host

    @pytest.mark.parametrize(
        ("command", "words"),
        [
            (["sleep", 5], "is text, not 5: write '5'"),
            (["sleep", b"5"], "is text, not b'5'"),
            (["sleep", None], "is text, not None"),
            ([], "a command is a list"),
            (b"ls", "a command is a list"),
            (5, "a command is a list"),
        ],
    )
    def test_a_command_is_texts(self, host: LabHost, command: object, words: str) -> None:
        """What is no text is a TypeError at once, which says what to write."""
        with pytest.raises(TypeError, match=words):
            host.run(command)  # type: ignore[arg-type]
        assert host.programs == ()

    def test_a_path_is_taken_for_text(self, host: LabHost, tmp_path: Path) -> None:
        """Paths may stand in a command, as they do with subprocess."""
        with host.run(["ls", "-d", tmp_path]) as ls:  # type: ignore[list-item]
            assert ls.wait(PATIENCE) == 0
        assert ls.output == f"{tmp_path}\n"

    @pytest.mark.parametrize(
        "options",
        [
            {"cwd": "/\0"},
            {"env": {"A\0": "b"}},
            {"env": {"A": "\0"}},
            {"env": {"A=B": "c"}},
            {"env": {"": "c"}},
            {"stdin": -1},
            {"stdout": -3},
            {"stderr": True},
        ],
        ids=repr,
    )
    def test_what_no_program_can_have_is_a_value_error(
        self, host: LabHost, options: dict[str, object]
    ) -> None:
        """NUL, ``=`` in a name, and what is no open file are refused before anything is asked."""
        with pytest.raises(ValueError, match=r"NUL|environment variable|is an open file"):
            host.run(["true"], **options)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="NUL"):
            host.run(["true", "a\0b"])

    @pytest.mark.parametrize("options", [{"env": {"A": 5}}, {"cwd": b"/"}], ids=repr)
    def test_nor_can_it_have_what_is_no_text(
        self, host: LabHost, options: dict[str, object]
    ) -> None:
        """The environment and the directory are texts."""
        with pytest.raises(TypeError, match="is text"):
            host.run(["true"], **options)  # type: ignore[arg-type]

    def test_one_that_cannot_start_is_its_own_error(self, host: LabHost) -> None:
        """The directory or the program is missing: the error names it, and nothing is left."""
        before = os.listdir("/proc/self/fd")
        with pytest.raises(FileNotFoundError, match="/no/such/place"):
            host.run(["true"], cwd="/no/such/place")
        with pytest.raises(PermissionError):
            host.run(["/etc/passwd"])
        assert os.listdir("/proc/self/fd") == before
        assert host.programs == ()

    @pytest.mark.parametrize(
        "sysctl",
        [
            {"net.ipv4.\0": 1},
            {"net.ipv4.\ud800": 1},
            {"net.ipv4.tcp_ecn": "1\0"},
            {"net.ipv4.tcp_ecn": "\ud800"},
        ],
        ids=ascii,
    )
    def test_a_setting_is_what_a_file_can_hold(self, sysctl: dict[str, int | str]) -> None:
        """NUL and lone surrogates in a setting or a firewall are a ValueError."""
        with pytest.raises(ValueError, match=r"no setting|NUL|surrogate"):
            Machine({"w": ()}, sysctl=sysctl)
        with pytest.raises(ValueError, match=r"NUL|surrogate"):
            Machine({"w": ()}, firewall="\0")


class TestWhatIsKept:
    def test_an_ended_program_keeps_nothing_open(self, host: LabHost) -> None:
        """Descriptors and outputs of programs that have ended are let go."""
        host.run(["true"]).wait(PATIENCE)
        before = len(os.listdir("/proc/self/fd"))
        waited = [host.run(["echo", "hello"]) for _ in range(5)]
        for program in waited:
            assert program.wait(PATIENCE) == 0
        assert len(os.listdir("/proc/self/fd")) == before
        assert [program.output for program in waited] == ["hello\n"] * 5
        assert host.programs == ()

    def test_nor_does_one_that_nobody_waits_for(self, host: LabHost) -> None:
        """Programs that are started and forgotten do not pile up, nor does their output."""
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            host.run(["head", "-c", "100000", "/dev/zero"])
        until(lambda: not children(host.pid))
        last = host.run(["true"])
        assert host.programs == (last,)
        last.wait(PATIENCE)
        assert len(os.listdir("/proc/self/fd")) == before
        gc.collect()
        kept = [p for p in gc.get_objects() if isinstance(p, Program) and p.args[0] == "head"]
        assert kept == []

    def test_no_zombie_stays(self, host: LabHost) -> None:
        """What a program leaves behind, and the program itself, are waited for."""
        for _ in range(5):
            left = "setsid sleep 0.05 & sleep 300 & exit 0"
            assert host.run(["sh", "-c", left]).wait(PATIENCE) == 0
        until(lambda: children(builder_of(host)) == [host.pid] and not children(host.pid))

    def test_an_interrupted_close_can_be_repeated(self, host: LabHost) -> None:
        """Whatever line of ``close()`` raises, closing again ends it and nothing else."""
        lines = 0
        for line in range(1000):
            program = host.run(["sleep", "300"])
            if not interrupted(program, line):
                lines = line
                break
            held = [os.open(os.devnull, os.O_RDONLY) for _ in range(8)]
            program.close()
            for number in held:
                os.close(number)  # none of them was closed by a stale number
            assert program.poll() is not None
            assert program not in host.programs
        assert lines > 20

    def test_descriptors_of_what_cannot_be_decoded_are_closed(self, host: LabHost) -> None:
        """Sockets inside a result that cannot be taken apart here are closed."""
        before = os.listdir("/proc/self/fd")
        with pytest.raises(ZeroDivisionError):
            host.call(lab_scripts.socket_in_a_riddle)
        assert os.listdir("/proc/self/fd") == before

    def test_descriptors_at_the_limit_are_closed(self, host: LabHost) -> None:
        """Where not all sockets of a result may be open here, those that came are closed."""
        before = os.listdir("/proc/self/fd")
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        top = max(map(int, before)) + 8
        held: list[int] = []
        resource.setrlimit(resource.RLIMIT_NOFILE, (top, hard))
        try:
            with contextlib.suppress(OSError):
                while True:
                    held.append(os.open(os.devnull, os.O_RDONLY))
            for _ in range(5):  # three for the call, of which two stay for what it returns
                os.close(held.pop())
            with pytest.raises(OSError, match="descriptors were sent") as caught:
                host.call(lab_scripts.many_sockets, 20)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for number in held:
                os.close(number)
        assert caught.value.errno == errno.EMFILE
        assert os.listdir("/proc/self/fd") == before


def interrupted(program: Program, after: int) -> bool:
    """Close *program*, and raise after so many lines of it; return whether there were as many."""
    left = after

    def trace(frame: object, event: str, _: object) -> object:
        nonlocal left
        if event == "line":
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
        return trace if "bindlab" in frame.f_code.co_filename else None  # type: ignore[attr-defined]

    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        program.close()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(None)
    return False


def errno_of(ask: Callable[[], object]) -> int | None:
    """Return the errno that asking meets, or ``None``; what is no OSError is raised."""
    try:
        ask()
    except OSError as error:
        return error.errno
    return None


class TestLimits:
    def test_an_agent_at_its_limit_says_so_and_lives(self, host: LabHost) -> None:
        """An agent that may open no more refuses with EMFILE; its programs run on."""
        errors: set[int | None] = set()
        survivor = host.run(["sleep", "300"])
        _, hard = resource.prlimit(host.pid, resource.RLIMIT_NOFILE)
        for limit in range(4, 16):
            resource.prlimit(host.pid, resource.RLIMIT_NOFILE, (limit, hard))
            for ask in (lambda: host.call(divmod, 7, 2), lambda: host.run(["true"]).wait(PATIENCE)):
                errors.add(errno_of(ask))
        assert errors == {None, errno.EMFILE}
        assert survivor.poll() is None
        resource.prlimit(host.pid, resource.RLIMIT_NOFILE, (256, hard))
        assert host.call(divmod, 7, 2) == (3, 1)

    def test_many_programs_at_once(self, host: LabHost) -> None:
        """Programs up to the agent's limit run; one more is refused; ended ones make room."""
        _, hard = resource.prlimit(host.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(host.pid, resource.RLIMIT_NOFILE, (40, hard))
        programs: list[Program] = []

        def start_one() -> None:
            programs.append(host.run(["sleep", "300"]))

        assert {errno_of(start_one) for _ in range(40)} == {None, errno.EMFILE}
        assert len(programs) > 10
        assert all(program.poll() is None for program in programs)
        programs.pop().close()
        with host.run(["true"]) as program:
            assert program.wait(PATIENCE) == 0


class TestFunctions:
    def test_a_function_that_forks_answers_once(self, host: LabHost) -> None:
        """The process that a function forks has no answer to give, and ends with the call."""
        assert host.call(lab_scripts.fork_and_return) == "parent"
        assert host.call(divmod, 7, 2) == (3, 1)

    def test_its_process_has_ended_when_it_returned(self, host: LabHost) -> None:
        """What the function had open is closed then, so that nobody else has its sockets."""
        for _ in range(20):
            assert gone([host.call(os.getpid)], 0)
            host.listen(3000, "10.0.0.1").close()

    def test_a_function_whose_fork_outlives_it(self, host: LabHost) -> None:
        """A fork that left its session holds nothing up when the function's process is killed."""
        started = time.monotonic()
        with pytest.raises(LabError, match="status -9"):
            host.call(lab_scripts.leave_a_daemon_and_die)
        assert time.monotonic() - started < PATIENCE


class TestDeaths:
    """Leaving the ``with`` ends everything within a bounded time, whatever died before."""

    @pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
    @pytest.mark.parametrize("who", ["builder", "agent", "program", "builder and agent"])
    def test_whatever_died(self, who: str, how: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """Builder, agent or program are killed or stopped while programs have left children."""
        monkeypatch.setattr(Program, "patience", 0.3)
        marker = f"{os.getpid()}-{time.monotonic()}"
        env = os.environ | {"MARKER": marker}
        with lab.network(a={"wire": "10.0.0.1/24"}, b={"wire": "10.0.0.2/24"}) as net:
            command = "setsid sleep 300 & sleep 300 & echo ready; exec sleep 300"
            programs = [net.a.run(["sh", "-c", command], env=env) for _ in range(3)]
            for program in programs:
                program.wait_for_output("ready", PATIENCE)
            server = net.a.socket()
            kinds = {"builder": [builder_of(net.a)], "agent": [net.a.pid]}
            kinds["program"] = marked(marker)[:2]
            for name in who.split(" and "):
                for pid in kinds[name]:
                    os.kill(pid, how)
            started = time.monotonic()
        assert time.monotonic() - started < PATIENCE
        assert gone(marked(marker))
        assert marked(marker) == []
        assert server.fileno() == -1
        assert all(program.poll() is not None for program in programs)

    @pytest.mark.parametrize("builder_dies", [False, True])
    def test_a_program_that_starts_itself_anew(self, builder_dies: bool) -> None:
        """A daemon that forks and leaves its session again and again ends with the ``with``."""
        marker = f"{os.getpid()}-{time.monotonic()}"
        env = os.environ | {"MARKER": marker}
        with lab.network(a={"wire": "10.0.0.1/24"}) as net:
            for _ in range(2):
                assert net.a.run([sys.executable, "-c", COMET], env=env).wait(PATIENCE) == 0
            if builder_dies:
                os.kill(builder_of(net.a), signal.SIGKILL)
            started = time.monotonic()
        assert time.monotonic() - started < 45
        assert marked(marker) == []

    def test_stubborn_programs_share_their_patience(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Programs that ignore SIGTERM are waited for together, not one after the other."""
        monkeypatch.setattr(Program, "patience", 1.0)
        with lab.network(a={"wire": ()}, b={"wire": ()}) as net:
            for host in net:
                for _ in range(4):
                    host.run(["sh", "-c", DEAF]).wait_for_output("deaf", PATIENCE)
            started = time.monotonic()
        assert time.monotonic() - started < 8 * Program.patience

    def test_sockets_close_whatever_fails(self) -> None:
        """An interruption while programs are ended leaves no socket and no descriptor open."""
        before = os.listdir("/proc/self/fd")

        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        def leave() -> None:
            with lab.network(a={"wire": ()}) as net:
                sockets.append(net.a.socket())
                deaf = net.a.run(["sh", "-c", DEAF])
                deaf.wait_for_output("deaf", PATIENCE)
                signal.setitimer(signal.ITIMER_REAL, 0.3)

        sockets: list[socket.socket] = []
        previous = signal.signal(signal.SIGALRM, interrupt)
        try:
            with pytest.raises(KeyboardInterrupt):
                leave()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)
        assert sockets[0].fileno() == -1
        assert os.listdir("/proc/self/fd") == before

    def test_threads_wait_while_others_start(self, host: LabHost) -> None:
        """One thread waits for a program, another starts some, a third polls: the end is told."""
        program = host.run(["sh", "-c", "sleep 0.3; exit 7"])
        codes: list[int] = []
        threads = [
            threading.Thread(target=lambda: codes.append(program.wait(PATIENCE))) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for _ in range(20):
            host.run(["true"])
            program.poll()
        for thread in threads:
            thread.join()
        assert codes == [7, 7, 7]
