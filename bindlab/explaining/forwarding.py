"""How the host of a guest lets others in to a port of the guest: one page of data.

From documentation, each kind with its source; docker-proxy, slirp4netns and pasta were tried.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from bindlab.endpoint import Endpoint, address_text
from bindlab.explaining.changes import Remedy
from bindlab.guest import Guest, GuestKind


class Way(NamedTuple):
    """One way to a port of a guest.

    - *do*: what to do, on the machine that runs the guest if nothing else is said.
    - *opens*: what others open then.
    - *by_loopback*: whether what comes so enters by the guest's own loopback, so that a server
      on 127.0.0.1 is reached; else the server has to be bound to the guest's address, or to
      the wildcard.
    - *udp*: whether it takes UDP.
    """

    do: str
    opens: str = "{scheme}{host}:{port}"
    by_loopback: bool = False
    udp: bool = True


WAYS: Final[Mapping[GuestKind, tuple[Way, ...]]] = {
    # https://docs.docker.com/engine/network/port-publishing/
    "container": (Way("start the container with -p {port}:{port}{suffix}"),),
    # https://kubernetes.io/docs/concepts/services-networking/service/
    # https://kubernetes.io/docs/reference/kubectl/generated/kubectl_port-forward/
    "pod": (
        Way(
            "run kubectl port-forward --address 0.0.0.0 pod/POD {port}:{port}",
            "{scheme}HOST:{port}, where HOST is the machine that runs kubectl",
            by_loopback=True,
            udp=False,
        ),
        Way(
            "give the pod a Service: kubectl expose pod POD --port {port} --type NodePort",
            "the address and the port that kubectl get service POD shows",
        ),
    ),
    # https://code.visualstudio.com/docs/devcontainers/containers#_forwarding-or-publishing-a-port
    "dev container": (
        Way(
            "forward port {port} in the editor (its view Ports)",
            "the address that the editor shows, on the editor's machine only",
            by_loopback=True,
            udp=False,
        ),
        Way('publish it: "appPort": ["{port}:{port}"] in devcontainer.json, and rebuild'),
    ),
    # https://docs.github.com/codespaces/developing-in-a-codespace/forwarding-ports-in-your-codespace
    "codespace": (
        Way(
            "forward port {port}, and open it: gh codespace ports visibility {port}:public",
            "https://{host}",
            by_loopback=True,
            udp=False,
        ),
    ),
    # https://learn.microsoft.com/windows/wsl/networking
    "wsl": (
        Way(
            "run in Windows, as administrator: netsh interface portproxy add v4tov4 "
            "listenaddress=0.0.0.0 listenport={port} connectaddress={address} connectport={port}",
            udp=False,
        ),
        Way(
            "write networkingMode=mirrored under [wsl2] in %UserProfile%\\.wslconfig, and run "
            "wsl --shutdown",
        ),
    ),
    # https://www.virtualbox.org/manual/topics/networkingdetails.html#natforward
    # https://www.qemu.org/docs/master/system/devices/net.html
    "vm": (
        Way(
            "forward port {port} of the machine that runs this one to port {port} of this one "
            "(VirtualBox: Port Forwarding; QEMU: hostfwd={transport}::{port}-:{port})"
        ),
        Way(
            "give this virtual machine bridged networking",
            "the address that it has then",
        ),
    ),
}


def through_host(
    plain: tuple[Remedy, ...], local: tuple[Remedy, ...], guest: Guest, bind: Endpoint
) -> tuple[Remedy, ...]:
    """Return what lets in somebody who needs the host of *guest*, the fewest changes first.

    *plain* are the changes that let such packets in once the host forwards them, *local* those
    that let in programs of the guest itself. *bind* has the port and the transport.
    """
    wildcards = [one for one in plain if one.bind is None or one.bind.is_unspecified]
    host = (guest.host_name or "HOST").replace("PORT", str(bind.port))
    found: list[Remedy] = []
    for way in WAYS[guest.kind]:
        inner = local if way.by_loopback else wildcards or plain
        if not inner or (bind.transport == "udp" and not way.udp):
            continue
        words = {
            "port": bind.port,
            "transport": bind.transport,
            "suffix": "/udp" if bind.transport == "udp" else "",
            "address": address_text(inner[0].verdict.endpoints[0].ip),
            "scheme": "" if bind.transport == "udp" else "http://",
            "host": host,
        }
        opens = way.opens.format(**words)
        if host == "HOST" and "{host}" in way.opens:
            opens += ", where HOST is the address of the machine that runs this one"
        found.append(inner[0].replace(forward=way.do.format(**words), opens=opens))
    return tuple(sorted(found, key=lambda one: len(one.changes)))
