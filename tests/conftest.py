"""What all tests share: a machine on paper, and what the end of a run says."""

import os

import pytest
from hypothesis import settings

from bindlab import Host

collect_ignore = ["systems"]  # what .ci/systems runs elsewhere

os.environ["COLUMNS"] = "80"  # what people read is as wide as their terminal

settings.register_profile("bindlab", deadline=None)  # no test judges how busy a machine is
settings.load_profile("bindlab")

LEAST = 0.9  # of what can never connect is a NO, over all topologies


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how to run everything, and how much of the kernel was watched.

    With pytest-xdist each worker saw a part of it.
    """
    if terminalreporter.config.getoption("markexpr") == "not slow":
        terminalreporter.write_line("these were the fast tests; all of them: pytest -m ''")
    if seen := _seen(terminalreporter):
        total, count = sum(seen["observations"]), len(seen["observations"])
        never, no = sum(seen["never"]), sum(seen["never_no"])
        terminalreporter.write_line(
            f"agreement: {total} observations of the kernel in {count} topologies, each held "
            "against a verdict"
        )
        share = f"{100 * no / never:.1f} %" if never else "-"
        terminalreporter.write_line(
            f"agreement: of {never} pairs that can never connect {share} are a NO"
        )
        if not _is_precise(seen):
            terminalreporter.write_line(
                f"agreement: imprecise, {LEAST:.0%} are asked for", red=True
            )


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run of every topology whose verdicts are not precise enough, all together."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and not hasattr(session.config, "workerinput"):
        seen = _seen(reporter)
        if seen and not _is_precise(seen):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _seen(reporter: pytest.TerminalReporter) -> dict[str, list[int]]:
    """Return what the agreement tests recorded, by its name, one number for each of them."""
    seen: dict[str, list[int]] = {}
    for report in reporter.getreports("passed") + reporter.getreports("failed"):
        if "test_agreement" in report.nodeid:
            for name, value in report.user_properties:
                seen.setdefault(name, []).append(value)
    return seen


def _is_precise(seen: dict[str, list[int]]) -> bool:
    """Return whether enough is a NO; a part of the topologies is not asked."""
    complete = len(seen["observations"]) >= seen["topologies"][0]
    return not complete or sum(seen["never_no"]) >= LEAST * sum(seen["never"])


@pytest.fixture
def laptop() -> Host:
    """The machine of the documents: loopback, Wi-Fi and Ethernet."""
    return Host.of(
        lo=["127.0.0.1/8", "::1/128"],
        wifi=["192.168.0.102/24", "fe80::2/64"],
        ethernet=["10.0.0.12/24", "fe80::12/64"],
    )
