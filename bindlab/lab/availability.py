"""Whether this system lets the lab make its networks."""

from bindlab.lab.machine import Machine
from bindlab.lab.network import network
from bindlab.value import Value

__all__ = ["Availability", "available"]


class Availability(Value):
    """True where the lab works; else false, and ``reason`` says why."""

    reason: str = ""

    def __bool__(self) -> bool:
        return not self.reason

    def __str__(self) -> str:
        return self.reason or "the lab is available"


def available() -> Availability:
    """Return whether :func:`network` works here, by trying: yes, or why not.

    It takes as long as making a small network. In a test suite:

    ``pytestmark = pytest.mark.skipif(not (lab := available()), reason=str(lab))``
    """
    try:
        with network(here=Machine({"wire": ()})):
            return Availability()
    except OSError as error:
        return Availability(str(error))
