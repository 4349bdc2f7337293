"""Machines on paper that many tests ask about."""

import pytest

from bindlab import Host


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much of the kernel was watched; with pytest-xdist each worker saw a part."""
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    watched = [
        value
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == "observations"
    ]
    if watched:
        terminalreporter.write_line(
            f"agreement: {sum(watched)} observations of the kernel in {len(watched)} topologies"
        )


@pytest.fixture
def laptop() -> Host:
    """The machine of the documents: loopback, Wi-Fi and Ethernet."""
    return Host.of(
        lo=["127.0.0.1/8", "::1/128"],
        wifi=["192.168.0.102/24", "fe80::2/64"],
        ethernet=["10.0.0.12/24", "fe80::12/64"],
    )
