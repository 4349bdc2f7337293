"""127.0.0.1 in a container is the container, not the machine that it runs on.

A container is another machine to the network (unless it is started with the host's), and has a
loopback of its own. A laptop with a container, and a phone on its Wi-Fi, in the lab or on paper.
"""

from bindlab import Host, lab, reachable_from

WIFI, BRIDGE, CONTAINER, PHONE = "192.168.0.102", "172.17.0.1", "172.17.0.2", "192.168.0.50"
TRIES = {  # where the server is, what it is bound to, and what people try
    "laptop 127.0.0.1": ("laptop 127.0.0.1", "container 127.0.0.1", f"container {BRIDGE}"),
    f"laptop {BRIDGE}": (f"container {BRIDGE}", f"phone {WIFI}"),
    "container 127.0.0.1": ("container 127.0.0.1", f"laptop {CONTAINER}"),
    "container 0.0.0.0": (f"laptop {CONTAINER}", "laptop 127.0.0.1"),
}


def in_the_lab(net: lab.Network) -> None:
    for server, tries in TRIES.items():
        where, address = server.split()
        print(f"\na server on the {where}, bound to {address}:3000")
        with net[where].listen(3000, address):
            for each in tries:
                who, dials = each.split()
                print(f"  the {who} dials {net[who].probe(f'{dials}:3000')}")


def on_paper() -> None:
    laptop = Host.of(lo="127.0.0.1/8", docker0=f"{BRIDGE}/16", wifi=f"{WIFI}/24")
    container = Host.of(lo="127.0.0.1/8", eth0=f"{CONTAINER}/16")
    hosts = {"laptop": laptop, "container": container}
    for server in TRIES:
        where, address = server.split()
        print(f"\na server on the {where}, bound to {address}:3000")
        print(reachable_from(f"{address}:3000", host=hosts[where]))


def main() -> None:
    if there := lab.available():
        print("A laptop, a phone, and a container, plugged into the laptop's bridge docker0")
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
            in_the_lab(net)
    else:
        print(f"On paper, for there is no lab here: {there}")
        on_paper()
    print("\nSo a server in a container binds 0.0.0.0 there, and the engine forwards a port to it:")
    print("-p 3000:3000 from all of the host's addresses, -p 127.0.0.1:3000:3000 from loopback")
    print(
        "alone. And a server on the host, for a container, binds the host's address on the bridge"
    )
    print("(on Linux; Docker Desktop has the name host.docker.internal for it).")


if __name__ == "__main__":
    main()
