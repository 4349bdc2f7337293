"""Programs that have a port for a server elsewhere, by their names: one page of data.

docker-proxy, slirp4netns, pasta, ssh and nginx were looked at; the others are from documentation.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Relay(NamedTuple):
    """What such a program is.

    - *does*: what it does with what comes, and where the server proper is, as a clause.
    - *behind*: why it accepts and closes at once, most often.
    - *rebind*: how it is told to listen on another address.
    """

    does: str
    behind: str
    rebind: str


_INSIDE: Final = (
    "nothing answers in the container; most often the server in it is bound to the container's "
    "127.0.0.1: let it bind 0.0.0.0"
)
_CONTAINER: Final = Relay(
    "passes it to a container, where the server proper is",
    _INSIDE,
    "publish the port with no address in front of it: -p {port}:{port}",
)
# One program by two names, and its process may have the other's.
_PASST: Final = _CONTAINER._replace(
    does="passes it to a container or a virtual machine, where the server proper is"
)
_PROXY: Final = Relay(
    "is a reverse proxy as a rule: the server proper is elsewhere then",
    "it turns clients away, or passes them to a server that does",
    "name the address in its configuration",
)
_FORWARD: Final = Relay(
    "passes it through an SSH tunnel: the server proper is at the other end",
    "nothing listens at the other end of the tunnel, or it is refused there",
    "start it as ssh -L 0.0.0.0:{port}:SERVER:PORT",
)

RELAYS: Final[Mapping[str, Relay]] = {
    # https://docs.docker.com/engine/network/packet-filtering-firewalls/
    "docker-proxy": _CONTAINER,
    # https://github.com/rootless-containers/rootlesskit/blob/master/docs/port.md
    "rootlesskit": _CONTAINER,
    "rootlessport": _CONTAINER,
    # https://github.com/rootless-containers/slirp4netns, https://passt.top/
    "slirp4netns": _CONTAINER,
    "pasta": _PASST,
    "pasta.avx2": _PASST,
    "passt": _PASST,
    "passt.avx2": _PASST,
    # https://learn.microsoft.com/windows/wsl/networking
    "wslrelay": Relay(
        "passes it to WSL 2, where the server proper is",
        "nothing listens on the port in WSL 2",
        "use netsh interface portproxy: this one is for localhost only",
    ),
    # https://man.openbsd.org/ssh#L
    "ssh": _FORWARD,
    "autossh": _FORWARD,
    # https://kubernetes.io/docs/reference/kubectl/generated/kubectl_port-forward/
    "kubectl": Relay(
        "passes it to a pod (port-forward), where the server proper is",
        "nothing listens on that port in the pod: it enters by the pod's 127.0.0.1",
        "start it with --address 0.0.0.0",
    ),
    "socat": Relay(
        "passes it on: the server proper is elsewhere",
        "nothing answers where it passes the connection on to",
        "start it without bind=, or with another address there",
    ),
    "nginx": _PROXY,
    "caddy": _PROXY,
    "traefik": _PROXY,
    "haproxy": _PROXY,
    "envoy": _PROXY,
}

UNKNOWN: Final = (
    "a relay does so when nothing answers behind it; most often the server there, as in a "
    "container, is bound to its own 127.0.0.1: let it bind 0.0.0.0. A server that turns clients "
    "away does so too"
)
