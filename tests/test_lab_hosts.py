"""What a host of the lab does: sockets, calls and programs."""

import asyncio
import errno
import os
import signal
import socket
import sys
import threading
from pathlib import Path

import lab_scripts
import pytest
from lab_home import PATIENCE, gone, home, meets, needs_lab, serve

from bindlab.lab import LabError, Network

__all__ = ["home"]

pytestmark = needs_lab


class TestSockets:
    def test_a_socket_is_this_processes_own(self, home: Network) -> None:
        """A socket that was handed over serves in this process's event loop."""

        async def talk() -> bytes:
            async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                writer.write((await reader.readline()).upper())
                writer.close()

            listener = serve(home.laptop, "0.0.0.0")
            server = await asyncio.start_server(answer, sock=listener)
            client = await asyncio.to_thread(home.phone.connect, "192.168.0.102", 3000)
            client.setblocking(False)
            reader, writer = await asyncio.open_connection(sock=client)
            writer.write(b"hello\n")
            line = await reader.readline()
            writer.close()
            server.close()
            await server.wait_closed()
            return line

        assert asyncio.run(talk()) == b"HELLO\n"

    def test_a_socket_is_plain(self, home: Network) -> None:
        """What is handed over is a socket.socket, not inheritable, with its timeout."""
        with serve(home.laptop, "0.0.0.0"), home.phone.connect("192.168.0.102", 3000) as sock:
            assert type(sock) is socket.socket
            assert not sock.get_inheritable()
            assert sock.gettimeout() == 5.0
            assert (sock.family, sock.proto) == (socket.AF_INET, socket.IPPROTO_TCP)
            with home.laptop.connect("192.168.0.102", 3000, timeout=None) as patient:
                assert patient.gettimeout() is None

    def test_a_source_and_a_device_can_be_chosen(self, home: Network) -> None:
        """``connect()`` sends from the address, and through the interface, that it is given."""
        with serve(home.phone, "0.0.0.0") as server:
            for source in ("192.168.0.102", "192.168.0.103"):
                home.laptop.connect("192.168.0.50", 3000, source=source, device="wifi").close()
                peer, address = server.accept()
                peer.close()
                assert address[0] == source
            with pytest.raises(OSError, match="Cannot assign"):
                home.laptop.connect("192.168.0.50", 3000, source="192.168.0.77")

    def test_datagrams(self, home: Network) -> None:
        """UDP sockets of two hosts exchange datagrams."""
        with (
            home.laptop.bind(5353, "0.0.0.0", transport="udp") as server,
            home.phone.connect("192.168.0.102", 5353, transport="udp") as client,
        ):
            client.send(b"ping")
            data, address = server.recvfrom(10)
            server.sendto(data[::-1], address)
            assert client.recv(10) == b"gnip"

    def test_bindlab_works_there(self, home: Network) -> None:
        """listen, bind, probe and this_host are those of bindlab, asked on the host."""
        with home.laptop.listen(3000, "0.0.0.0") as server:
            assert server.getsockname() == ("0.0.0.0", 3000)
            assert home.phone.probe("192.168.0.102:3000").accepted
            assert not home.phone.probe("192.168.0.102:3001").accepted
        assert [nic.name for nic in home.desktop.host().interfaces] == ["lo", "ethernet"]

    def test_bindlabs_errors_come_back_as_themselves(self, home: Network) -> None:
        """A BindError of a host is a BindError here, with its endpoint, cause and hint."""
        from bindlab.errors import BindError

        with home.laptop.listen(3000, "0.0.0.0"), pytest.raises(BindError) as caught:
            home.laptop.listen(3000, "192.168.0.102")
        assert caught.value.errno == errno.EADDRINUSE
        assert str(caught.value.endpoint) == "192.168.0.102:3000"
        assert isinstance(caught.value.__cause__, OSError)
        assert "raised on laptop" in caught.value.__notes__[0]


class TestCalls:
    def test_a_function_is_called_on_the_host(self, home: Network) -> None:
        """``call()`` takes arguments by position and name, and returns what it returned."""
        assert home.laptop.call(divmod, 7, 2) == (3, 1)
        assert home.laptop.call(sorted, [1, 3, 2], reverse=True) == [3, 2, 1]
        names = [name for _, name in home.laptop.call(socket.if_nameindex)]
        assert names == ["lo", "wifi", "ethernet"]

    def test_what_it_raises_is_raised_here(self, home: Network) -> None:
        """An exception keeps its class, errno and arguments, and tells where it was raised."""
        with pytest.raises(FileNotFoundError) as caught:
            home.laptop.call(os.stat, "/nonexistent")
        assert caught.value.filename == "/nonexistent"
        assert "raised on laptop" in caught.value.__notes__[0]
        with pytest.raises(ZeroDivisionError):
            home.laptop.call(divmod, 1, 0)

    def test_sockets_travel_inside_of_anything(self, home: Network) -> None:
        """Sockets among arguments and results are handed over, shared ones once."""
        pair = home.laptop.call(socket.socketpair)
        with pair[0], pair[1]:
            again = home.laptop.call(dict, first=pair[0], other=[pair[0], pair[1]])
            with again["first"], again["other"][1]:
                assert again["first"] is again["other"][0]
                again["first"].sendall(b"x")
                assert pair[1].recv(1) == b"x"

    def test_large_messages_pass(self, home: Network) -> None:
        """Arguments and results may be of any size."""
        assert home.laptop.call(bytes.upper, b"a" * 5_000_000) == b"A" * 5_000_000

    def test_a_call_harms_no_other(self, home: Network) -> None:
        """A function that ends its process, or changes it, does so to its own only."""
        with pytest.raises(LabError, match="ended without an answer, status 3"):
            home.laptop.call(os._exit, 3)
        with pytest.raises(LabError, match="status -9"):
            home.laptop.call(signal.raise_signal, signal.SIGKILL)
        before = home.laptop.call(os.getcwd)
        home.laptop.call(os.chdir, "/proc")
        assert home.laptop.call(os.getcwd) == before

    def test_a_function_must_be_importable(self, home: Network) -> None:
        """A function that has no name to find it by is a TypeError that says so."""
        with pytest.raises(TypeError, match="by its name"):
            home.laptop.call(lambda: None)
        with pytest.raises(AttributeError, match="no attribute 'nothing'") as caught:
            home.laptop.call(getattr, 1, "nothing")
        assert "raised on laptop" in caught.value.__notes__[0]

    def test_calls_run_side_by_side(self, home: Network) -> None:
        """Calls from several threads do not wait for each other, on one host or many."""
        pairs = [socket.socketpair() for _ in range(4)]
        threads = [
            threading.Thread(target=host.call, args=(lab_scripts.say_so_and_wait, theirs))
            for host, (_, theirs) in zip(
                (home.laptop, home.laptop, home.phone, home.laptop), pairs, strict=True
            )
        ]
        for thread in threads:
            thread.start()
        for mine, _ in pairs:
            mine.settimeout(PATIENCE)
            assert mine.recv(1) == b"s"  # all of them are being called now
        assert home.laptop.call(divmod, 7, 2) == (3, 1)
        for mine, _ in pairs:
            mine.send(b"g")
        for thread, (mine, theirs) in zip(threads, pairs, strict=True):
            thread.join()
            mine.close()
            theirs.close()

    def test_an_interrupted_call_is_ended(self, home: Network) -> None:
        """When the caller stops waiting, the function's process does not go on."""

        def interrupt(*_: object) -> None:
            raise InterruptedError("enough")

        def interrupt_when_it_runs() -> None:
            assert mine.recv(1) == b"s"
            os.kill(os.getpid(), signal.SIGALRM)

        mine, theirs = socket.socketpair()
        mine.settimeout(PATIENCE)
        thread = threading.Thread(target=interrupt_when_it_runs)
        thread.start()
        previous = signal.signal(signal.SIGALRM, interrupt)
        try:
            with pytest.raises(InterruptedError, match="enough"):
                home.laptop.call(lab_scripts.say_so_and_sleep, theirs)
        finally:
            thread.join()
            signal.signal(signal.SIGALRM, previous)
        with mine:
            theirs.close()
            assert mine.recv(1) == b""  # nobody holds the other end any more


class TestPrograms:
    def test_a_program_runs_on_the_host(self, home: Network) -> None:
        """A server program of a host is reached from its peers, and ends with the ``with``."""
        env = os.environ | {"PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "http.server", "8000"]
        with home.laptop.run(command, env=env) as web:
            web.wait_for_output("Serving HTTP", timeout=PATIENCE)
            with home.phone.connect("192.168.0.102", 8000) as client:
                client.sendall(b"GET /nothing HTTP/1.0\r\n\r\n")
                assert client.recv(100).startswith(b"HTTP/1.0 404")
            assert web.poll() is None
        assert web.poll() == -signal.SIGTERM
        assert "192.168.0.50" in web.output
        assert meets(home.phone, "192.168.0.102", 8000) == "ECONNREFUSED"

    def test_its_output_and_status_are_kept(self, home: Network) -> None:
        """Output and errors are kept in order, and stay readable when it has ended."""
        with home.laptop.run(["sh", "-c", "echo one; echo two >&2; pwd; exit 3"], cwd="/") as it:
            assert it.wait(PATIENCE) == 3
        assert it.output == "one\ntwo\n/\n"
        assert "ended with 3" in repr(it)

    def test_its_streams_can_be_given(self, home: Network, tmp_path: Path) -> None:
        """A program reads from and writes to the files that it is given."""
        (tmp_path / "in").write_text("hello")
        with (
            (tmp_path / "in").open() as source,
            (tmp_path / "out").open("w") as target,
            home.laptop.run(["cat"], stdin=source, stdout=target) as cat,
        ):
            assert cat.wait(PATIENCE) == 0
        assert (tmp_path / "out").read_text() == "hello"
        assert cat.output == ""

    def test_one_that_cannot_be_started(self, home: Network) -> None:
        """A program that is not there is the error that it is anywhere."""
        with pytest.raises(FileNotFoundError):
            home.laptop.run(["/no/such/program"])
        with pytest.raises(TypeError, match="a command is a list"):
            home.laptop.run("ls")

    def test_one_that_does_not_end_is_killed(self, home: Network) -> None:
        """SIGTERM first; then SIGKILL; and what is left of its process group goes with it."""
        script = "trap '' TERM; sleep 300 & echo $!; while :; do wait; done"
        with home.laptop.run(["sh", "-c", script]) as stubborn:
            stubborn.patience = 0.2
            child = int(stubborn.wait_for_output("\n", PATIENCE))
            with pytest.raises(TimeoutError):
                stubborn.wait(0.05)
        assert stubborn.poll() == -signal.SIGKILL
        assert gone([child])

    def test_waiting_for_words_that_never_come(self, home: Network) -> None:
        """``wait_for_output()`` does not wait for a program that has ended."""
        echo = home.laptop.run(["echo", "hello"])
        with pytest.raises(TimeoutError, match="did not write 'bye', but: hello"):
            echo.wait_for_output("bye", timeout=60)

    def test_signals(self, home: Network) -> None:
        """A signal reaches the program, and SIGPIPE ends it as it would anywhere."""
        with home.laptop.run(["sleep", "300"]) as sleeper:
            sleeper.send_signal(signal.SIGUSR1)
            assert sleeper.wait(PATIENCE) == -signal.SIGUSR1
            sleeper.send_signal(signal.SIGUSR1)
        reader, writer = os.pipe()
        os.close(reader)
        with home.laptop.run(["yes"], stdout=writer) as yes:
            os.close(writer)
            assert yes.wait(PATIENCE) == -signal.SIGPIPE
