"""The servers: a row for each snippet of the guide, with what is to be expected of it."""

from collections.abc import Callable
from typing import NamedTuple

from bindlab import Endpoint
from tests.servers.running import Answer, ask_grpc, ask_http


class Case(NamedTuple):
    """A server, by its heading in the guide."""

    heading: str
    module: str  # what has to be installed
    app: str  # the ``myapp`` that its snippet imports
    several: bool = False  # takes more than one socket
    listens: bool = False  # calls listen() by itself, so that a bound socket will do
    backlog: int | None = None  # what it makes of the socket's own, if it listens once more
    lent: bool = False  # takes no socket, but a number that is lent to it
    execs: bool = False  # becomes another program, which does not tell what it leaves open
    sees: bool = True  # sees who asks, on IPv6 too
    ask: Callable[[Endpoint], Answer] = ask_http
    keeps: bool = False  # its own listener is open until the process ends
    status: int = 0  # when it is stopped by Ctrl-C and does not end by that signal
    ignored: tuple[str, ...] = ()  # warnings of its own, for PYTHONWARNINGS

    def __str__(self) -> str:
        return self.heading


_UNCLOSED_SOCKET = "ignore:unclosed <socket.socket:ResourceWarning"
_UNCLOSED_FILE = "ignore:unclosed file:ResourceWarning"
_NEVER_AWAITED = "ignore:coroutine 'Server.serve' was never awaited:RuntimeWarning"

CASES = (
    Case("http.server, socketserver", "http.server", "handler"),
    Case("wsgiref", "wsgiref", "wsgi"),
    Case("asyncio", "asyncio", "asyncio_streams", listens=True, backlog=100),
    Case(
        "asyncio on two sockets",
        "asyncio",
        "asyncio_streams",
        several=True,
        listens=True,
        backlog=100,
    ),
    Case("uvicorn", "uvicorn", "asgi", several=True, listens=True, backlog=2048),
    Case(
        "uvicorn with workers",
        "uvicorn",
        "asgi",
        listens=True,
        backlog=2048,
        ignored=(
            _UNCLOSED_FILE,  # the standard input that its workers open
            _NEVER_AWAITED,  # by a worker that Ctrl-C stops while it is starting
        ),
    ),
    Case("hypercorn", "hypercorn", "asgi", several=True, listens=True, backlog=100),
    Case("daphne", "daphne", "asgi", execs=True, sees=False),
    Case("granian", "granian", "asgi", lent=True, keeps=True),
    Case(
        "gunicorn",
        "gunicorn",
        "wsgi",
        several=True,
        listens=True,
        execs=True,
        ignored=(
            _UNCLOSED_SOCKET,  # duplicates of what it is given
            _UNCLOSED_FILE,  # the one by which it watches a worker that Ctrl-C stops early
        ),
    ),
    Case(
        "waitress",
        "waitress",
        "wsgi",
        several=True,
        listens=True,
        backlog=1024,
        ignored=(_UNCLOSED_SOCKET, _UNCLOSED_FILE),  # Ctrl-C ends serve() without closing
    ),
    Case("werkzeug, Flask", "flask", "flask_app"),
    Case("Django", "django", "django_wsgi"),
    Case("cheroot", "cheroot", "wsgi", listens=True, backlog=5),
    Case("aiohttp", "aiohttp", "aiohttp_app", several=True, listens=True, backlog=128),
    Case("tornado", "tornado", "tornado_app", several=True),
    Case("twisted", "twisted", "twisted_site", several=True),
    Case("trio", "trio", "trio_streams", several=True, status=1),  # for an ExceptionGroup
    Case("anyio", "anyio", "anyio_streams"),
    Case("sanic", "sanic", "sanic_app", listens=True, backlog=100),
    Case("grpc.aio", "grpc", "grpc_service", lent=True, ask=ask_grpc),
)
