"""Machines on paper that many tests ask about."""

import pytest

from bindlab import Host


@pytest.fixture
def laptop() -> Host:
    """The machine of the documents: loopback, Wi-Fi and Ethernet."""
    return Host.of(
        lo=["127.0.0.1/8", "::1/128"],
        wifi=["192.168.0.102/24", "fe80::2/64"],
        ethernet=["10.0.0.12/24", "fe80::12/64"],
    )
