"""Every example runs to its end, prints what the index says, and leaves nothing behind."""

import ast
import importlib.util
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bindlab import lab
from bindlab.__main__ import main

EXAMPLES = Path(__file__).parent.parent / "examples"
INDEX = (EXAMPLES / "README.md").read_text()
PAGES = "https://bindlab.readthedocs.io/en/latest/"
SHOWN = dict(re.findall(r"^### [^\n]*\((\S+\.py)\)$.*?^```text\n(.*?)^```$", INDEX, re.M | re.S))
SCRIPTS = sorted(path.name for path in EXAMPLES.glob("*.py"))
NUMBERED = [name for name in SCRIPTS if name[0].isdigit()]

# What a script says where something is missing of which the index shows the output.
MISSING = re.compile(r".*(no lab here|leaves out|can be shown|cannot lend|SKIPPED).*")

# Runs an example, and fails if it leaves a descriptor, a thread or a process behind. Orphans of
# its children count: the subreaper (prctl(2)) is given them.
RUNNER = """
import ctypes, gc, os, runpy, sys, threading, time

def descriptors():
    return sorted(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else []

def processes():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
        return True
    except ChildProcessError:
        return False

if sys.platform.startswith("linux"):
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
sys.argv[:] = sys.argv[1:]
before = descriptors()
runpy.run_path(sys.argv[0], run_name="__main__")
gc.collect()
assert descriptors() == before, descriptors()
assert threading.enumerate() == [threading.main_thread()], threading.enumerate()
deadline = time.monotonic() + 5  # what was killed may take its time to end
while hasattr(os, "fork") and processes():
    assert time.monotonic() < deadline, "a process is left"
    time.sleep(0.01)
"""


# Machines of readers: how to make one of a fresh namespace, in which loopback is down.
POOR = {
    "no lab, no IPv6": (
        "echo 0 > /proc/sys/user/max_net_namespaces && ip link set lo up && "
        "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6"
    ),
    "no lab, no loopback": "echo 0 > /proc/sys/user/max_net_namespaces",
    "no network": "true",
}


def run(
    script: Path, *options: str, through: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run *script*, or the tests in it, as its reader would, where a warning is an error."""
    command = [sys.executable, "-W", "error"]
    columns = {**os.environ, "COLUMNS": "80"}
    if script.name.startswith("test_"):
        plugins = ["-p", "no:cacheprovider", "-p", "no:asyncio"]
        command += ["-m", "pytest", "-v", "-c", os.devnull, *plugins, *options]
    else:
        command += ["-c", RUNNER]
    return subprocess.run(
        [*through, *command, script],
        env=columns,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def masked(line: str) -> str:
    """Return *line* without what differs from run to run: ports, process numbers, times."""
    line = re.sub(r"\b(?!3000\b|8000\b)\d{4,5}\b", "PORT", line.rstrip())
    line = re.sub(r"\bprocess \S+", "process N", line)
    return re.sub(r"\bafter \d+(\.\d+)? m?s\b", "after TIME", line)


def pattern_of(shown: str) -> str:
    """Return the regular expression of a line of the index, in which ``...`` is anything."""
    if shown == "...":
        return r"(?:.*\n)*?"
    return re.escape(masked(shown)).replace(r"\.\.\.", ".*") + r"\n"


def first_difference(shown: str, printed: str) -> str:
    """Return the first line of *shown* that *printed* does not follow; "" if it follows all."""
    text = "".join(f"{masked(line)}\n" for line in printed.splitlines())
    lines = shown.splitlines()
    patterns = [pattern_of(line) for line in lines]
    if re.fullmatch("".join(patterns), text):
        return ""
    for count, line in enumerate(lines, start=1):
        if not re.match("".join(patterns[:count]), text):
            return line
    return "(the end)"


def test_the_comparison_sees_what_differs() -> None:
    """A line may be left out only where the index says so, and only what is masked may differ."""
    shown = "a 127.0.0.1:40001\n...\nd after 0.2 ms\n"
    assert first_difference(shown, "a 127.0.0.1:50002\nb\nc\nd after 1.20 s\n") == ""
    assert first_difference(shown, "a 127.0.0.1:50002\nd after 7 ms\n") == ""
    assert first_difference(shown, "a 127.0.0.2:50002\nd after 7 ms\n") == "a 127.0.0.1:40001"
    assert first_difference(shown, "a 127.0.0.1:50002\nb\n") == "d after 0.2 ms"
    assert first_difference(shown, "a 127.0.0.1:50002\nd after 7 ms\ne\n") == "(the end)"
    assert first_difference("x ... z\n", "x y z\n") == ""
    assert first_difference("x 3000\n", "x 8000\n") == "x 3000"


@pytest.mark.parametrize("script", SCRIPTS)
def test_example(script: str) -> None:
    """Each script ends well within seconds, leaves nothing behind, and prints what is shown."""
    done = run(EXAMPLES / script)
    assert (done.returncode, done.stderr) == (0, "")
    difference = first_difference(SHOWN[script], done.stdout)
    if difference and (missing := MISSING.search(done.stdout)):
        assert not ("no lab" in missing.group() and lab.available()), done.stdout
        pytest.skip(missing.group().strip())
    assert not difference, f"the index shows another line: {difference}\n\n{done.stdout}"


@pytest.mark.slow
@pytest.mark.parametrize("machine", POOR)
@pytest.mark.parametrize("script", NUMBERED)
def test_on_any_machine(script: str, machine: str) -> None:
    """Each script runs to its end where there is no lab, no IPv6 or no loopback, and says so."""
    inside = ("unshare", "--map-root-user", "--net", "sh", "-c", f'{POOR[machine]} && exec "$@"')
    try:
        subprocess.run([*inside, "sh", "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no such machine can be made here: {error}")
    done = run(EXAMPLES / script, through=(*inside, "sh"))
    assert (done.returncode, done.stderr) == (0, "")
    if "no lab" in machine and "lab.available()" in (EXAMPLES / script).read_text():
        assert "no lab here: the kernel refuses" in done.stdout


def test_the_index_names_each_example_in_order() -> None:
    """No script is missing in the index, and the numbers are its order."""
    assert list(SHOWN) == SCRIPTS
    assert [int(name[:2]) for name in NUMBERED] == list(range(1, len(NUMBERED) + 1))


def test_links_of_the_index_lead_somewhere() -> None:
    """Each link is a file here, or a page of the documentation, whatever it is renamed to."""
    targets = {target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", INDEX)}
    pages = {target for target in targets if target.startswith(PAGES)}
    docs = EXAMPLES.parent / "docs"
    named = {docs / page.removeprefix(PAGES).replace(".html", ".md") for page in pages}
    named |= {EXAMPLES / target for target in targets - pages}
    assert sorted(path for path in named if not path.exists()) == []


def test_what_to_ask_of_a_running_server(
    listening_socket: socket.socket, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commands that the index gives for port 5000 answer for a server that is there."""
    port = str(listening_socket.getsockname()[1])
    plain, with_origin = re.findall(r"^    \.ci/try python -m bindlab (.*)$", INDEX, re.M)
    assert main(plain.replace("5000", port).split()) == 0
    assert f"listens on 127.0.0.1:{port}" in capsys.readouterr().out
    assert main(with_origin.replace("5000", port).split()) == 1
    assert "No: 192.168.0.50 cannot reach it." in capsys.readouterr().out
    (tried,) = re.findall(r'^    \.ci/try python -c "(.*)"$', INDEX, re.M)
    exec(tried.replace("5000", port), {})


@pytest.mark.parametrize(
    ("shown", "helps"),
    [
        ("http.server --bind 192.168.0.102", ("--bind", "all interfaces")),
        ("flask run --host 192.168.0.102", ("--host",)),
        ("django runserver 192.168.0.102:8000", ("ipaddr:port",)),
        ("uvicorn --host 192.168.0.102", ("--host", "127.0.0.1")),
        ("gunicorn --bind 192.168.0.102:8000", ("--bind", "127.0.0.1:8000")),
    ],
)
def test_how_servers_are_told_what_to_bind(shown: str, helps: tuple[str, ...]) -> None:
    """What the index says of a server stands in the server's own help, with its default."""
    assert shown.removeprefix("django ") in INDEX
    module, *words = shown.split()
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    done = subprocess.run(
        [sys.executable, "-m", module, *[w for w in words[:1] if w.startswith("run")], "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert [text for text in helps if text not in done.stdout] == []


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_are_short_and_stand_alone(script: str) -> None:
    """A script is 20 to 80 lines, and imports nothing but bindlab and what Python has.

    The tests of a server, which show the fixtures, import pytest as well.
    """
    text = (EXAMPLES / script).read_text()
    assert 20 <= len(text.splitlines()) <= 80
    nodes = list(ast.walk(ast.parse(text)))
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in modules} <= {
        "bindlab",
        *sys.stdlib_module_names,
        *(["pytest"] if script.startswith("test_") else []),
    }


def test_nobody_is_sent_to_a_wildcard() -> None:
    """No example offers a URL that nobody can open, but where it quotes http.server."""
    for script, shown in SHOWN.items():
        lines = [line for line in shown.splitlines() if "it says:" not in line]
        assert not [line for line in lines if re.search(r"://(0\.0\.0\.0|\[::\])", line)], script


@pytest.mark.parametrize("script", NUMBERED)
def test_there_are_lines_to_copy(script: str) -> None:
    """Each script marks once the few lines that matter, which are code that it runs."""
    marked = re.findall(
        r"^( *)# Copy this.*:\n((?:\1\S?.*\n)+?)(?:\n|(?!\1))", text_of(script), re.M
    )
    assert len(marked) == 1
    lines = marked[0][1].splitlines()
    assert 2 <= len(lines) <= 7, lines


def text_of(script: str) -> str:
    return (EXAMPLES / script).read_text()


@pytest.mark.parametrize("script", SHOWN)
def test_shown_lines_fit_a_terminal(script: str) -> None:
    """No line of what a script prints is wider than 80 columns."""
    assert [line for line in SHOWN[script].splitlines() if len(line) > 80] == []


FLOWS = {  # of the design, each with the script that shows it
    "starting a server": "01_start_a_server.py",
    "bound to loopback": "02_loopback.py",
    "bound to the wildcard; why 0.0.0.0 works": "03_wildcard.py",
    "ports as apartment numbers": "04_apartment_numbers.py",
    "http.server with and without --bind": "05_http_server.py",
    "they can't connect": "06_they_cannot_connect.py",
    "one LAN address; what an interface is": "07_address_or_device.py",
    "loopback keeps private, the wildcard exposes": "08_private_or_exposed.py",
    "the summary table": "09_summary_table.py",
}


@pytest.mark.parametrize("flow", FLOWS)
def test_each_flow_has_its_place(flow: str) -> None:
    """The questions of the documents that this project began with are all there."""
    assert FLOWS[flow] in SCRIPTS
