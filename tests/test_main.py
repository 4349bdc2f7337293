"""What ``python -m bindlab`` prints, and the status it ends with."""

import json
import os
import subprocess
import sys

import pytest
from attempts import EMPTY, LINUX, loopback_alone, port_of

from bindlab import Host, bind, interfaces, listen
from bindlab.command import main
from bindlab.command.machine import machine_document, machine_text


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    """Return what the program prints, if it ends with *status*."""
    assert main(arguments) == status
    out, err = capsys.readouterr()
    assert err == ""
    return out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return what it says of arguments that are wrong."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    return " ".join(err.split())


def test_as_a_program() -> None:
    """It runs with ``python -m``, and its status is the process's."""
    command = [sys.executable, "-W", "error", "-m", "bindlab"]
    with bind() as unheard:
        port = str(port_of(unheard))
        done = subprocess.run([*command, port], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (4, "")
    assert done.stdout.lower().startswith(EMPTY)
    done = subprocess.run([*command, "--help"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "exit status:\n  0 " in done.stdout


# Writes nothing before its buffer is full or flushed, as where nobody sets PYTHONUNBUFFERED.
BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


@pytest.mark.parametrize("unbuffered", [False, True])
def test_a_reader_that_has_seen_enough(unbuffered: bool) -> None:
    """A pipe that nobody reads, as behind ``| head``, is no error, and nothing is said of it."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        done = subprocess.run(
            [sys.executable, "-m", "bindlab", "0.0.0.0:3000"],
            env={**BUFFERED, "PYTHONUNBUFFERED": "1" if unbuffered else ""},
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_disk_that_is_full() -> None:
    """An answer that cannot be written is an error of the system's, with its words."""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "bindlab", "0.0.0.0:3000"],
            env=BUFFERED,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr == "bindlab: [Errno 28] No space left on device\n"


WITHOUT_DESCRIPTORS = """
import resource, sys
from bindlab.command import main
spare, *arguments = sys.argv[1:]
limit = 3 + int(spare)
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
sys.exit(main(arguments))
"""


@LINUX
@pytest.mark.parametrize("spare", [0, 1, 2, 4])
@pytest.mark.parametrize("arguments", [[], ["3000"], ["0.0.0.0:3000"]], ids=" ".join)
def test_no_free_descriptor(arguments: list[str], spare: int) -> None:
    """Where no descriptor is left, the system's refusal is said, and nothing else is raised."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_DESCRIPTORS, str(spare), *arguments],
        env=BUFFERED,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert (done.returncode, done.stderr) in [(0, ""), (4, "")] or (
        done.returncode == 3 and done.stderr.startswith("bindlab: [Errno ")
    )


@pytest.mark.skipif(
    sys.platform == "win32" or not os.path.exists("/dev/full"), reason="no /dev/full here"
)
def test_no_free_descriptor_and_a_disk_that_is_full() -> None:
    """The error of the output is said where nothing else can be opened, too."""
    code = "from bindlab.command.output import discard_output\n"
    code += "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"
    code += "print('lost'); discard_output()"
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-c", code]
        done = subprocess.run(
            command, env=BUFFERED, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (0, "")


def test_names_that_the_output_has_no_letters_for() -> None:
    """An interface may have a name in any script, and the output be for ASCII only."""
    host = Host.of(lo="127.0.0.1/8", 无线网="192.168.0.102/24")
    code = (
        "import bindlab.command.answers as answers, bindlab.command, bindlab, sys;"
        "answers.this_host = lambda: bindlab.Host.from_json(sys.stdin.read());"
        "sys.exit(bindlab.command.main([]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**BUFFERED, "PYTHONIOENCODING": "ascii"},
        input=host.to_json(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(r"Others reach this machine at 192.168.0.102 (\u65e0")


def test_no_zone_is_told_to_others() -> None:
    """A zone is each machine's own: others are given the address without this machine's."""
    host = Host.of(lo="127.0.0.1/8", wifi="fe80::2/64")
    assert machine_text(host, unfolded=False).startswith(
        "Others reach this machine at fe80::2%ITS-ZONE (wifi)."
    )
    assert '"address": "fe80::2"' in json.dumps(machine_document(host))


def test_the_networks(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a target: where others reach this machine, and each interface with its addresses."""
    first, *rows = printed(capsys).splitlines()
    assert first.startswith(("Others reach this machine ", "No other machine reaches this one: "))
    assert "127.0.0.1/8" not in "".join(rows)
    assert "127.0.0.1/8" in printed(capsys, "--all")
    document = json.loads(printed(capsys, "--json"))
    assert (document["schema"], document["kind"]) == (1, "machine")
    assert Host.from_json(json.dumps(document["host"])).interfaces
    assert all({"address", "interface", "why"} == set(use) for use in document["others_use"])
    assert not any(use["address"].startswith("127.") for use in document["others_use"])


def test_a_port_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """A number is the port of a server on this machine: what it is bound to is found out."""
    with listen() as server:
        port = port_of(server)
        text = printed(capsys, str(port))
        assert f"listens on 127.0.0.1:{port}" in text
        text = printed(capsys, str(port), "--from", "internet", status=1)
        assert "No: the internet cannot reach it." in text
        document = json.loads(printed(capsys, str(port), "--json", "--from", "127.0.0.1"))
    assert document["bindings"] == [f"127.0.0.1:{port}"]
    assert document["verdict"]["answer"] == "yes"
    assert document["verdict"]["endpoints"][0]["endpoint"] == f"127.0.0.1:{port}"
    printed(capsys, str(port), status=4)


def test_a_udp_port(capsys: pytest.CaptureFixture[str]) -> None:
    """With ``--udp``, or with ``/udp`` behind it, the port is one of UDP."""
    with bind(transport="udp") as server:
        port = port_of(server)
        for arguments in ([str(port), "--udp"], [f"{port}/udp"]):
            assert f"receives on 127.0.0.1:{port}/udp" in printed(capsys, *arguments)
    assert "has no port" in refused(capsys, "3000/sctp")


def test_whoever_is_on_an_interface(capsys: pytest.CaptureFixture[str]) -> None:
    """The origin may be the name of an interface of this machine."""
    link = next((i for i in interfaces() if not i.holds_loopback), None)
    if link is None:
        pytest.skip("this machine has no interface but loopback")
    text = printed(capsys, "127.0.0.1:3000", "--from", link.name, status=1)
    assert f"No: anyone on {link.display_name} cannot reach it." in text


def test_an_endpoint_is_judged(capsys: pytest.CaptureFixture[str]) -> None:
    """Of an endpoint the table is printed, and nothing is tried."""
    text = printed(capsys, "0.0.0.0:3000")
    assert text.startswith("Private" if loopback_alone() else "Open")
    assert "Bound to 0.0.0.0:3000: every IPv4 address of this machine." in text or loopback_alone()
    document = json.loads(printed(capsys, "127.0.0.1:3000", "--json"))
    table = document["table"]
    assert (table["scope"], table["urls"]) == ("host", ["http://127.0.0.1:3000"])
    assert table["rows"][0]["origin"] == "this_host"
    assert {row["answer"] for row in table["rows"][1:]} == {"no"}
    assert table["rows"][-1]["reason"] == "loopback"
    text = printed(capsys, "127.0.0.1:3000", "--from", "beyond", status=1)
    assert text.startswith("No: other networks cannot reach it.")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["localhost:3000"], '"localhost" is a name'),
        (["3000x"], "has no port"),
        (["99999"], "port 99999 is out of range"),
        (["0"], "port 0 is not the port of a server"),
        (["3000", "--from", "0.0.0.0"], "nothing sends from such an address"),
        (["127.0.0.1:3000", "--udp"], "write 127.0.0.1:3000/udp"),
        (["--from", "192.168.0.50"], "need a target"),
        (["3000", "4000"], "unrecognized arguments"),
    ],
)
def test_wrong_arguments(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be asked ends with status 2, and says what to write."""
    assert said in refused(capsys, *arguments)


def test_probing_from_the_other_side(capsys: pytest.CaptureFixture[str]) -> None:
    """What one attempt met, what that means, and what to run on the other machine."""
    with listen() as server:
        port = port_of(server)
        text = printed(capsys, "probe", f"127.0.0.1:{port}")
        assert text.startswith(f"Yes: 127.0.0.1:{port} accepted the connection after ")
        document = json.loads(printed(capsys, "probe", f"http://127.0.0.1:{port}/x", "--json"))
        assert (document["outcome"], document["accepted"]) == ("accepted", True)
    text = printed(capsys, "probe", f"127.0.0.1:{port}", status=4)
    assert text.startswith(f"No: 127.0.0.1:{port} refused after ")
    assert text.endswith(f"this says more: bindlab {port} --from here\n")
    assert "has no port" in refused(capsys, "probe", "127.0.0.1")


def test_here_is_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    """``--from here`` asks for programs on this machine."""
    with listen() as server:
        port = port_of(server)
        text = printed(capsys, str(port), "--from", "here")
    assert text.startswith(f"Yes: this machine opens http://127.0.0.1:{port}")


@LINUX
def test_an_audit_demands(capsys: pytest.CaptureFixture[str]) -> None:
    """The status says whether another port than those allowed is open to other machines."""
    with listen(0, "0.0.0.0") as server:
        port = str(port_of(server))
        main(["audit", "--json"])
        beyond = json.loads(capsys.readouterr().out)["beyond"]
        assert port in beyond
        allowed = [word for each in beyond for word in ("--allow", each)]
        text = printed(capsys, "audit", *allowed)
        assert text.startswith("Yes: nothing but ")
        others = [word for each in beyond if each != port for word in ("--allow", each)]
        text = printed(capsys, "audit", "--allow", "1", *others, status=1)
        assert text.startswith(f"No: {port} should not be open to other machines.")
    assert "is no port" in refused(capsys, "audit", "--allow", "x")


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    """``--version`` names the program and its version."""
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith("bindlab 0.")


def test_messages_speak_of_options(capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong with an argument is said in the words of the command, and fits the page."""
    with pytest.raises(SystemExit):
        main(["127.0.0.1:3000", "--from", "nobody"])
    said = capsys.readouterr().err
    assert said.startswith("bindlab: --from nobody: ")
    assert not {"THIS_HOST", "Interface", "Endpoint.parse"} & set(said.replace(",", " ").split())
    assert max(map(len, said.splitlines())) <= 80
