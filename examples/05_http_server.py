"""``python -m http.server 8000``: it serves every interface, unless ``--bind`` says otherwise.

Many pages say that it serves localhost only. Its own help says the contrary, and so does a phone.
The server runs in the lab, on a laptop that no real network reaches; else on paper.
"""

import os
import subprocess
import sys
import tempfile
import textwrap

from bindlab import Host, lab, listen, reachable_from

WIFI, PHONE = "192.168.0.102", "192.168.0.50"
LAPTOP = Host.of(lo="127.0.0.1/8", wifi=f"{WIFI}/24")
PROGRAMS = {
    "python -m http.server 8000": "0.0.0.0",
    "python -m http.server 8000 --bind 127.0.0.1": "127.0.0.1",
}


def its_help() -> str:
    """Return what its help says of --bind."""
    done = subprocess.run(
        [sys.executable, "-m", "http.server", "--help"],
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=True,
    )
    *_, of_bind = " ".join(done.stdout.split()).partition("--bind ADDRESS ")
    return of_bind.partition(")")[0] + ")"


def in_the_lab(net: lab.Network, name: str, folder: str) -> None:
    """Run the server on the laptop, and try it from the laptop and from the phone."""
    command = [sys.executable, "-u", *name.split()[1:]]
    with net.laptop.run(command, cwd=folder) as server:
        server.wait_for_output("\n", timeout=20)
        print(f"\n{name}")
        print(f"  the laptop: {net.laptop.probe('127.0.0.1:8000').outcome.value}")
        print(f"  the phone:  {net.phone.probe(f'{WIFI}:8000').outcome.value}")


def main() -> None:
    print(f"Its help says of --bind: {its_help()}")
    for name, bound in PROGRAMS.items():
        # Copy this (without host= for your own machine):
        reach = reachable_from(f"{bound}:8000", host=LAPTOP)
        print(f"{name}: a phone on the Wi-Fi {reach.verdict(PHONE).answer.value}")

    if there := lab.available():
        print("\nTried on a laptop and a phone of the lab:")
        with (
            lab.network(laptop={"wifi": f"{WIFI}/24"}, phone={"wifi": f"{PHONE}/24"}) as net,
            tempfile.TemporaryDirectory() as folder,  # it serves all files of where it starts
        ):
            for name in PROGRAMS:
                in_the_lab(net, name, folder)
    else:
        print(f"\n(nobody tried: there is no lab here: {there})")

    # In code, the empty address "" means all of them, too. bindlab takes none.
    try:
        listen(8000, "")
    except ValueError as error:
        print()
        print(textwrap.fill(f'listen(8000, ""): {error}', 80))


if __name__ == "__main__":
    main()
