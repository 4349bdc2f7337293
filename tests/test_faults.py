"""System calls that fail: each of them, at each place, with each plausible error number."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from attempts import LATE, LINUX, descriptors

from bindlab.errors import ResourcesExhaustedError
from bindlab.opening import bind, listen
from bindlab.opening.allocation import allocate

HERE = Path(__file__).parent


@LATE
@LINUX
def test_every_system_call_may_fail(tmp_path: Path) -> None:
    """Always a BindError of the right class, stage and hint, and never a descriptor more.

    A preloaded library makes the calls fail in one process, some thousand cases in a second;
    one of them is a kernel without IPv6, EAFNOSUPPORT (hard case 6).
    """
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    shim = tmp_path / "shim.so"
    build = [compiler, "-shared", "-fPIC", "-o", str(shim), str(HERE / "fault_shim.c"), "-ldl"]
    subprocess.run(build, check=True, capture_output=True, timeout=60)
    path = os.pathsep.join([str(HERE.parent), str(HERE)])
    run = subprocess.run(
        [sys.executable, "-W", "error", str(HERE / "fault_driver.py")],
        env={**os.environ, "LD_PRELOAD": str(shim), "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.stdout == ""
    assert run.returncode == 0, run.stderr
    assert int(run.stderr.removesuffix(" cases\n")) > 500  # and no ResourceWarning


OPENINGS = [
    pytest.param(bind, id="bind"),
    pytest.param(listen, id="listen"),
    pytest.param(allocate, id="allocate"),
    pytest.param(lambda: allocate("localhost", transports=("tcp", "udp")), id="group"),
    pytest.param(lambda: allocate(within=range(20000, 30000)), id="within"),
]


@LINUX
@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize("spare", range(3))
def test_running_out_of_descriptors_is_a_clean_error(
    opening: Callable[[], object], spare: int
) -> None:
    """With none left: ResourcesExhaustedError, also from what explains it, and none is lost."""
    import resource  # which Windows has not

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = max(map(int, descriptors())) + 12
    with ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        fillers: list[int] = []
        stack.callback(lambda: [os.close(fd) for fd in fillers])
        while True:
            try:
                fillers.append(os.dup(0))
            except OSError:
                break
        for _ in range(spare):
            os.close(fillers.pop())
        kept: list[object] = []
        with pytest.raises(ResourcesExhaustedError, match="RLIMIT_NOFILE"):
            kept.extend(opening() for _ in range(4))
        for one in kept:
            one.close()  # type: ignore[attr-defined]
        again = [os.dup(0) for _ in range(spare)]
        fillers.extend(again)


# In a process of its own, because pytest keeps what __del__ raised, with its sockets.
STORM = """
import gc, os, signal
from bindlab.opening.allocation import allocate
from bindlab.opening import listen

class Ring(Exception):
    pass

rung = opened = 0
armed = False

def handler(number, frame):
    global rung, armed
    rung += 1
    if {raises} and armed and rung % 3 == 0:
        armed = False  # once for each opening: what catches it needs time
        raise Ring

before = len(os.listdir("/proc/self/fd"))
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
for turn in range(4000):
    try:
        armed = True
        (listen if turn % 2 else allocate)().close()
        armed = False
        opened += 1
    except Ring:
        continue
signal.setitimer(signal.ITIMER_REAL, 0)
gc.collect()
print(rung, opened, len(os.listdir("/proc/self/fd")) - before)
"""


@LINUX
@pytest.mark.parametrize("raises", [False, True], ids=["returning", "raising"])
def test_a_storm_of_signals_changes_nothing(raises: bool) -> None:
    """Thousands of signals during 4,000 openings: no error, or only the handler's, and no leak."""
    code = STORM.replace("{raises}", str(raises))
    command = [sys.executable, "-W", "ignore::ResourceWarning", "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    rung, opened, leaked = map(int, run.stdout.split())
    assert rung > 500
    assert opened > 500 if raises else opened == 4000
    assert leaked == 0
