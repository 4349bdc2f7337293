"""Assertions on who gets in, for unittest, pytest and anything else that knows AssertionError::

    from bindlab.testing import assert_loopback_only
    assert_loopback_only(server)            # an asyncio.Server, a socket, a port number, ...

The message of a failure is the table of who could get in, and by which interface. What cannot
be asked about (a closed socket, a name, a port out of range) is a ``ValueError`` or a
``TypeError`` instead: a test that asks nothing is wrong, and not the server under test.
"""

from bindlab.testing.predicting import (
    assert_loopback_only,
    assert_not_reachable,
    assert_only_open,
    assert_reachable,
)
from bindlab.testing.trying import assert_answers_only_on

__all__ = [
    "assert_answers_only_on",
    "assert_loopback_only",
    "assert_not_reachable",
    "assert_only_open",
    "assert_reachable",
]
