"""Other machines for a test: real hosts on real networks, in Linux network namespaces::

    from bindlab import lab
    with lab.network(
        laptop={"wifi": "192.168.0.102/24", "ethernet": "10.0.0.12/24"},
        phone={"wifi": "192.168.0.50/24"},
    ) as net:
        server = net.laptop.listen(3000, "0.0.0.0")    # a socket of the laptop, used here
        peer = net.phone.connect("192.168.0.102", 3000)

Importing this works on every system; making a network takes Linux (:func:`available`).
"""

from bindlab.lab.errors import LabError
from bindlab.lab.firewall import firewall
from bindlab.lab.host import LabHost
from bindlab.lab.machine import Machine, Nic
from bindlab.lab.network import Availability, Network, available, network
from bindlab.lab.program import Program

__all__ = [
    "Availability",
    "LabError",
    "LabHost",
    "Machine",
    "Network",
    "Nic",
    "Program",
    "available",
    "firewall",
    "network",
]
