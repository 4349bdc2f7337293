"""The life of a lab: nothing is left of it, whatever the caller is like."""

import contextlib
import os
import shutil
import signal
import socket
import threading
import time
from pathlib import Path

import lab_scripts
import pytest
from lab_home import PATIENCE, gone, home, make, meets, needs_lab, serve

from bindlab import Route, lab
from bindlab.lab import LabError, Machine, Network

__all__ = ["home"]

pytestmark = needs_lab


class TestTheEnd:
    def test_everything_ends_with_the_with(self) -> None:
        """Processes, programs and sockets are gone after the ``with``; what is asked is told."""
        with lab.network(a={"wire": "10.0.0.1/24"}, b={"wire": "10.0.0.2/24"}) as net:
            server = serve(net.a, "0.0.0.0")
            client = net.b.connect("10.0.0.1", 3000)
            program = net.a.run(["sleep", "300"])
            host = net.a
            pids = [net.a.pid, net.b.pid]
            assert not gone(pids, 0)
        assert server.fileno() == client.fileno() == -1
        assert program.poll() == -signal.SIGTERM
        assert gone(pids, 0)
        with pytest.raises(LabError, match="a is gone"):
            host.call(os.getpid)

    def test_what_a_server_accepted_outlives_it(self) -> None:
        """Accepted and duplicated sockets are the caller's own, to be closed by the caller."""
        with lab.network(a={"wire": "10.0.0.1/24"}, b={"wire": "10.0.0.2/24"}) as net:
            server = serve(net.a, "0.0.0.0")
            client = net.b.connect("10.0.0.1", 3000)
            peer, _ = server.accept()
            twin = client.dup()
        assert client.fileno() == -1
        with peer, twin:
            assert peer.getsockname()[0] == "10.0.0.1"
            assert twin.getpeername() == peer.getsockname()

    def test_an_exception_ends_it(self) -> None:
        """An exception in the ``with`` passes, and leaves nothing."""
        pids: list[int] = []

        def fail() -> None:
            with lab.network(a={"wire": ()}) as net:
                pids.append(net.a.pid)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert gone(pids, 0)

    @pytest.mark.parametrize(
        ("end", "group"),
        [
            pytest.param(9, False, id="kill -9"),
            pytest.param(signal.SIGINT, True, id="Ctrl-C"),
            pytest.param(signal.SIGTERM, False, id="kill"),
        ],
    )
    def test_a_process_that_is_ended_leaves_nothing(self, end: int, group: bool) -> None:
        """However the process ends, the hosts' processes end, daemons on them included."""
        with lab_scripts.run("hold") as holder:
            assert holder.stdout is not None
            pids = [int(pid) for pid in holder.stdout.readline().split()]
            assert len(pids) == 3
            assert not gone(pids, 0)
            (os.killpg if group else os.kill)(holder.pid, end)
            holder.wait(PATIENCE)
            assert gone(pids)
            assert holder.stderr is not None
            traceback = holder.stderr.read()
        assert ("KeyboardInterrupt" in traceback) == (end == signal.SIGINT)

    def test_a_dead_host_is_told(self) -> None:
        """When a host's process was killed, using the host is a LabError."""
        with lab.network(a={"wire": ()}) as net:
            os.kill(net.a.pid, signal.SIGKILL)
            assert gone([net.a.pid])
            with pytest.raises(LabError, match="a is gone"):
                net.a.call(os.getpid)

    def test_nothing_outside_is_touched(self) -> None:
        """The surrounding system has the same interfaces and settings during and after."""

        mine = f"-{os.getpid()}"  # other tests that run now name theirs by other processes

        def outside() -> object:
            named = os.listdir("/run/netns") if os.path.isdir("/run/netns") else []
            return (
                socket.if_nameindex(),
                Path("/proc/net/route").read_text(),
                [name for name in named if name.endswith(mine) or not name.startswith("bindlab-")],
            )

        before = outside()
        with lab.network(a=Machine({"wire": "10.0.0.1/24"}, forwarding=True)):
            assert outside() == before
        assert outside() == before

    def test_no_descriptor_is_left(self) -> None:
        """A network, its calls and its programs leave no descriptor open here."""
        before = os.listdir("/proc/self/fd")
        with lab.network(a={"wire": ()}) as net:
            net.a.call(os.getpid)
            with contextlib.suppress(FileNotFoundError):
                net.a.run(["/no/such/program"])
            net.a.run(["true"]).wait()
            kept = net.a.socket()
            net.a.socket().close()
        with (
            pytest.raises(LabError),
            lab.network(a=Machine({"w": "fd00::1/64"}, sysctl={"net.ipv4.no_such": 1})),
        ):
            pass
        assert sorted(os.listdir("/proc/self/fd")) == sorted(before)
        assert kept.fileno() == -1


class TestSideBySide:
    def test_networks_nest(self, home: Network) -> None:
        """Two networks at once share nothing, whatever their addresses."""
        with (
            lab.network(
                laptop={"wifi": "192.168.0.102/24"}, phone={"wifi": "192.168.0.50/24"}
            ) as other,
            serve(home.laptop, "0.0.0.0"),
        ):
            assert meets(home.phone, "192.168.0.102") == "accepted"
            assert meets(other.phone, "192.168.0.102") == "ECONNREFUSED"
        assert meets(home.phone, "192.168.0.102") == "ECONNREFUSED"

    def test_networks_in_parallel(self) -> None:
        """Processes can each have the same network at the same time."""
        processes = [lab_scripts.run("connect") for _ in range(4)]
        for process in processes:
            out, err = process.communicate(timeout=PATIENCE)
            assert (out, err) == ("connected\n", "")

    def test_networks_in_threads(self) -> None:
        """Threads can make networks at the same time, and outlive none of them."""
        pids: list[int] = []

        def make() -> None:
            with lab.network(a={"wire": ()}) as net:
                pids.append(net.a.call(os.getppid))
                assert pids[-1] == net.a.pid

        threads = [threading.Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(pids)) == 4

    def test_setting_up_is_quick(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Three hosts on two networks take a fraction of a second (printed, not judged)."""
        taken: list[float] = []
        for _ in range(5):
            started = time.perf_counter()
            with lab.network(
                laptop={"wifi": "192.168.0.102/24", "ethernet": "10.0.0.12/24"},
                phone={"wifi": "192.168.0.50/24"},
                desktop={"ethernet": "10.0.0.20/24"},
            ):
                taken.append(time.perf_counter() - started)
        with capsys.disabled():
            print(f" [three hosts in {min(taken):.2f} to {max(taken):.2f} s]", end=" ")


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="no setpriv (util-linux)")
class TestPrivileges:
    def test_no_root_is_needed_where_the_kernel_allows(self) -> None:
        """A user without rights has networks in a user namespace of its own."""
        out, err = lab_scripts.run_as_nobody("available").communicate(timeout=PATIENCE)
        assert err == ""
        if out.startswith("False"):
            pytest.skip(out)
        out, err = lab_scripts.run_as_nobody("connect").communicate(timeout=PATIENCE)
        assert (out, err) == ("connected\n", "")

    def test_what_the_kernel_refuses_is_named(self) -> None:
        """Where no namespace can be had, the error names the piece and the setting."""
        script = lab_scripts.run_as_nobody("without_network_namespaces")
        out, err = script.communicate(timeout=PATIENCE)
        if "a user namespace" in err:
            pytest.skip("no user namespaces here")
        assert err == ""
        assert "the kernel refuses a network namespace: No space left" in out
        assert "user.max_net_namespaces" in out

    def test_what_the_kernel_lacks_is_named(self) -> None:
        """A piece that cannot be made is named with the host and the kernel's own words."""
        twice = [Route("10.9.0.0/24", gateway="10.0.0.2")] * 2
        with pytest.raises(LabError, match=r"host a: .*route to 10.9.0.0/24: File exists"):
            make(a=Machine({"wire": "10.0.0.1/24"}, routes=twice))


class TestTheCaller:
    """What the test's own process may be like."""

    @pytest.mark.parametrize(
        ("script", "said"),
        [
            pytest.param("default_timeout", "5000000 5000000\n3\n", id="setdefaulttimeout"),
            pytest.param("many_descriptors", "0 1100\n", id="descriptors above 1023"),
            pytest.param("odd_signals", "(3, 1)\n-15\n", id="SIGCHLD ignored, SIGTERM blocked"),
        ],
    )
    def test_its_settings_do_not_matter(self, script: str, said: str) -> None:
        """Default timeouts, many open files and signal settings of the caller change nothing."""
        out, err = lab_scripts.run(script).communicate(timeout=PATIENCE)
        assert (out, err) == (said, "")

    def test_a_forked_child_ends_nothing(self) -> None:
        """A forked child that leaves the ``with`` leaves the network to its parent."""
        out, err = lab_scripts.run("fork_inside").communicate(timeout=PATIENCE)
        assert (out, err) == ("the child has left\n0 None True\n", "")

    def test_an_error_is_said_once(self) -> None:
        """Where a host cannot be made the LabError names it, and nothing else is printed."""
        out, err = lab_scripts.run("cannot_be_made").communicate(timeout=PATIENCE)
        assert "host b: cannot set net.ipv4.no_such_setting to 1" in out
        assert err == ""
