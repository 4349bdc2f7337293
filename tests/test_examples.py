"""Every example runs to its end, and prints what it says that it prints."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"

# What each example must print, line by line and in this order, as regular expressions.
EXPECTED = {
    "01_start_a_server.py": [
        r"1\. Bind: .*",
        r"   this socket is 127\.0\.0\.1:(\d+), not listening",
        r"   a connection is refused: nobody listens yet",
        r"   a second server on that port: AddressInUseError at bind",
        r"2\. Listen: .*",
        r"   this socket is 127\.0\.0\.1:(\d+)",
        r"   http://127\.0\.0\.1:\d+ says: hello from 127\.0\.0\.1",
        r"bound to 127\.0\.0\.1:\d+",
        r"this machine +yes +http://127\.0\.0\.1:\d+ .*",
        r"beyond, by a router +no .*never leaves this machine",
        r"the internet +no .*never leaves this machine",
        r"5\. Closed: .*",
    ],
    "02_loopback_or_wildcard.py": [
        r"bound to 127\.0\.0\.1:\d+",
        r"bound to 0\.0\.0\.0:\d+: every IPv4 address of this machine",
        r"bound to 127\.0\.0\.1:3000",
        r"192\.168\.0\.0/24 \(wifi\) +no .*never leaves this machine",
        r"\|  wifi      192\.168\.0\.102 +\|  x-- 192\.168\.0\.0/24 \(wifi\)",
        r"a browser on the laptop opens http://127\.0\.0\.1:3000",
        r"a phone on the Wi-Fi cannot: bound to loopback, which never leaves this machine",
        r"bound to 0\.0\.0\.0:3000: every IPv4 address of this machine",
        r"192\.168\.0\.0/24 \(wifi\) +conditional +http://192\.168\.0\.102:3000 .*",
        r"10\.0\.0\.0/24 \(ethernet\) +conditional +http://10\.0\.0\.12:3000 .*",
        r"\|  wifi      192\.168\.0\.102 +\|<-\?-- 192\.168\.0\.0/24 \(wifi\), at .*",
        r"a browser on the laptop opens http://127\.0\.0\.1:3000",
        r"a phone on the Wi-Fi opens   http://192\.168\.0\.102:3000",
    ],
    # With the lab or without: the lines between, of who tries, are only there with it.
    "06_they_cannot_connect.py": [
        r"A laptop .*",
        r"serving on 127\.0\.0\.1:3000, .*",
        r"  bindlab on the phone:  no: bound to loopback, which never leaves this machine",
        r"serving on 192\.168\.0\.102:3000, .*",
        r"  bindlab on the phone:  conditional: at 192\.168\.0\.102 by wifi, .*",
        r"  it opens               http://192\.168\.0\.102:3000",
        r"serving on 0\.0\.0\.0:3000, .*",
        r"  it opens               http://192\.168\.0\.102:3000",
    ],
    "test_my_server.py": [
        r".*::test_nobody_else_gets_in PASSED .*",
        r".*::test_the_phone_is_shut_out PASSED .*",
        r".*::test_it_answers_on_loopback_and_nowhere_else PASSED .*",
        r".*::test_on_a_socket_that_it_is_given PASSED .*",
        r".*::test_on_a_port_number_that_it_is_told (PASSED|SKIPPED) .*",
        r".*::test_the_client_when_no_server_is_there PASSED .*",
    ],
}


def run(script: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run *script*, or the tests in it, as its reader would, where a warning is an error."""
    command = [sys.executable, "-W", "error"]
    if script.name.startswith("test_"):
        plugins = ["-p", "no:cacheprovider", "-p", "no:asyncio"]
        command += ["-m", "pytest", "-v", "-c", os.devnull, *plugins, *options]
    return subprocess.run(
        [*command, script], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("script", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_example(script: str) -> None:
    """Each script ends well within seconds, with the lines that belong to it."""
    done = run(EXAMPLES / script)
    assert (done.returncode, done.stderr) == (0, "")
    lines = iter(done.stdout.splitlines())
    for wanted in EXPECTED[script]:
        assert any(re.fullmatch(wanted, line) for line in lines), f"{wanted}\n{done.stdout}"
    assert "://0.0.0.0" not in done.stdout


def test_the_failing_case_in_the_readme(tmp_path: Path) -> None:
    """What the README shows is what the example prints when its server is on the wildcard."""
    example = (EXAMPLES / "test_my_server.py").read_text()
    broken = tmp_path / "test_my_server.py"
    broken.write_text(example.replace('HOST = "127.0.0.1"', 'HOST = "0.0.0.0"'))
    done = run(broken, "-k", "test_nobody_else_gets_in", "--rootdir", str(tmp_path))
    assert done.returncode == 1
    printed = [line.rstrip() for line in done.stdout.splitlines() if re.match("[>E]( |$)", line)]
    readme = (EXAMPLES.parent / "README.md").read_text()
    *_, shown = re.findall(r"^```text\n(.*?)^```$", readme, flags=re.DOTALL | re.MULTILINE)
    # Whatever the number of the port, as long as the columns are as wide.
    assert re.sub(r":\d{5}\b", ":43210", "\n".join(printed)) == shown.rstrip()
