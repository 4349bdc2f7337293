"""What type checkers see of the lab: read by mypy and pyright, never run."""

import socket
from typing import assert_type

from bindlab import Host, Probe, lab, wait_until_listening
from bindlab.lab import LabHost, Machine, Network, Nic, Program, firewall


def hosts() -> None:
    with lab.network(
        laptop={"wifi": "192.168.0.102/24", "ethernet": ["10.0.0.12/24", "fd00::12/64"]},
        router=Machine({"wifi": Nic("192.168.0.1/24", up=False)}, forwarding=True),
    ) as net:
        assert_type(net, Network)
        assert_type(net.laptop, LabHost)
        assert_type(net["router"], LabHost)
        assert_type(net.laptop.listen(3000, "0.0.0.0"), socket.socket)
        assert_type(net.laptop.connect("192.168.0.1", 80), socket.socket)
        assert_type(net.laptop.host(), Host)
        assert_type(net.laptop.probe("192.168.0.1:80"), Probe)
        assert_type(net.laptop.call(divmod, 7, 2), tuple[int, int])
        assert_type(net.laptop.call(wait_until_listening, "192.168.0.1:80", timeout=1), Probe)
        assert_type(net.laptop.run(["true"]), Program)
        assert_type(net.laptop.run(["true"]).output, str)

        net.laptop.call(wait_until_listening, None)  # type: ignore[arg-type]
        net.laptop.listen("3000")  # type: ignore[arg-type]

    lab.network(laptop=5)  # type: ignore[arg-type]
    Machine(routes=["default"])  # type: ignore[list-item]
    firewall("ignore")  # type: ignore[arg-type]
