"""What people use instead, as far as it is installed (the ``bench`` extra).

Peers that hand out numbers are asked without the memory that some keep of one test session.
"""

import importlib.util
import socket
from collections.abc import Callable

__all__ = ["port_numbers", "present"]

PATIENT = 1_000


def present(module: str) -> bool:
    """Return whether *module* can be imported."""
    return importlib.util.find_spec(module) is not None


def port_numbers() -> dict[str, Callable[[], int]]:
    """Return what hands out the number of a free port, by the name of the package."""
    modules = {
        "pytest-asyncio": ("pytest_asyncio", _pytest_asyncio),
        "anyio": ("anyio", _anyio),
        "portpicker": ("portpicker", _portpicker),
        "ephemeral-port-reserve": ("ephemeral_port_reserve", _ephemeral_port_reserve),
        "port-for": ("port_for", _port_for),
    }
    return {name: ask for name, (module, ask) in modules.items() if present(module)}


def _pytest_asyncio() -> int:
    from pytest_asyncio import plugin

    return plugin._unused_port(socket.SOCK_STREAM)


def _anyio() -> int:
    from anyio.pytest_plugin import FreePortFactory

    return FreePortFactory(socket.SOCK_STREAM)()


def _portpicker() -> int:
    import portpicker

    for _ in range(PATIENT):
        try:
            return portpicker.pick_unused_port()
        except portpicker.NoFreePortFoundError:  # its few guesses were all taken: ask again
            continue
    raise OSError("no port")


def _ephemeral_port_reserve() -> int:
    from ephemeral_port_reserve import reserve

    return reserve("127.0.0.1")


def _port_for() -> int:
    import port_for

    return port_for.select_random()
