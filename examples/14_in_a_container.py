"""127.0.0.1 in a container is the container, not the machine that it runs on.

A container is another machine to the network (unless it is started with the host's), and has a
loopback of its own. So a server in a container binds 0.0.0.0 there, and the engine forwards a
port to it: -p 3000:3000 from all of the host's addresses, -p 127.0.0.1:3000:3000 from loopback
alone. A server on the host, for a container, binds the host's address on the bridge (Docker
Desktop has the name host.docker.internal for it). WSL2 is much the same: Windows is the host.

A laptop with a container on its bridge docker0, and a phone on its Wi-Fi, in the lab or on paper.
"""

from bindlab import Host, lab, reachable_from

WIFI, BRIDGE, CONTAINER, PHONE = "192.168.0.102", "172.17.0.1", "172.17.0.2", "192.168.0.50"
LAPTOP = Host.of(lo="127.0.0.1/8", docker0=f"{BRIDGE}/16", wifi=f"{WIFI}/24")
INSIDE = Host.of(lo="127.0.0.1/8", eth0=f"{CONTAINER}/16")
TRIES = {  # where the server is, what it is bound to, and what people try
    "laptop 127.0.0.1": ("laptop 127.0.0.1", "container 127.0.0.1", f"container {BRIDGE}"),
    f"laptop {BRIDGE}": (f"container {BRIDGE}", f"phone {WIFI}"),
    "container 127.0.0.1": ("container 127.0.0.1", f"laptop {CONTAINER}"),
    "container 0.0.0.0": (f"laptop {CONTAINER}", "laptop 127.0.0.1"),
}


def can_the_laptop_open(address: str) -> None:
    # Copy this (in a container, leave host= out):
    verdict = reachable_from(f"{address}:3000", host=INSIDE).verdict(BRIDGE)
    print(f"a server in the container on {address}, for the laptop: {verdict.answer.value}")


def in_the_lab() -> None:
    with lab.network(
        laptop={
            "wifi": f"{WIFI}/24",
            "docker0": lab.Nic(f"{BRIDGE}/16", network="docker", bridge=True),
        },
        container=lab.Machine(
            {"eth0": lab.Nic(f"{CONTAINER}/16", network="docker")}, gateway=BRIDGE
        ),
        phone={"wifi": f"{PHONE}/24"},
    ) as net:
        for server, tries in TRIES.items():
            where, address = server.split()
            print(f"\na server on the {where}, bound to {address}:3000")
            with net[where].listen(3000, address):
                for each in tries:
                    who, dials = each.split()
                    met = net[who].probe(f"{dials}:3000").outcome.value
                    print(f"  the {who:9} dials {dials:13} {met}")


def on_paper() -> None:
    hosts = {"laptop": LAPTOP, "container": INSIDE}
    for server in TRIES:
        where, address = server.split()
        print(f"\na server on the {where}, bound to {address}:3000")
        print(reachable_from(f"{address}:3000", host=hosts[where]))


if __name__ == "__main__":
    can_the_laptop_open("127.0.0.1")
    can_the_laptop_open("0.0.0.0")
    if there := lab.available():
        in_the_lab()
    else:
        print(f"\n(on paper, for there is no lab here: {there})")
        on_paper()
