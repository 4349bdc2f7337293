"""``python -m http.server 8000``: it serves every interface, unless ``--bind`` says otherwise.

Many pages say that it serves localhost only. Its own help says the contrary, and so does a phone.
The server runs in the lab, on a laptop that no real network reaches; else on paper.
"""

import os
import subprocess
import sys
import tempfile

from bindlab import Host, lab, listen, reachable_from

WIFI, PHONE = "192.168.0.102", "192.168.0.50"
CODE = """
from http.server import BaseHTTPRequestHandler, HTTPServer
server = HTTPServer(("", 8000), BaseHTTPRequestHandler)
print(server.server_address)
server.serve_forever()
"""
PROGRAMS = {
    "python -m http.server 8000": ["-m", "http.server", "8000"],
    "python -m http.server 8000 --bind 127.0.0.1": [
        *("-m", "http.server", "8000", "--bind", "127.0.0.1")
    ],
    'server = HTTPServer(("", 8000), ...); print(server.server_address)': ["-c", CODE],
}


def say_what_the_help_says() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "http.server", "--help"],
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=True,
    )
    *_, of_bind = " ".join(done.stdout.split()).partition("--bind ADDRESS ")
    print(f"Its help says of --bind: {of_bind.partition(')')[0]})")


def run_it(net: lab.Network, name: str, folder: str) -> None:
    """Run the server on the laptop, and try it from the laptop and from the phone."""
    command = [sys.executable, "-u", *PROGRAMS[name]]
    with net.laptop.run(command, cwd=folder) as server:
        words = server.wait_for_output("\n", timeout=20)
        print(f"\n{name}")
        print(f"  it says:    {words.splitlines()[0]}")
        print(f"  the laptop: {net.laptop.probe('127.0.0.1:8000')}")
        print(f"  the phone:  {net.phone.probe(f'{WIFI}:8000')}")


def main() -> None:
    say_what_the_help_says()
    if there := lab.available():
        print("Tried on a laptop and a phone of the lab:")
        with (
            lab.network(laptop={"wifi": f"{WIFI}/24"}, phone={"wifi": f"{PHONE}/24"}) as net,
            tempfile.TemporaryDirectory() as folder,  # it serves all files of where it starts
        ):
            for name in PROGRAMS:
                run_it(net, name, folder)
    else:
        print(f"On paper, for there is no lab here: {there}")
        laptop = Host.of(lo="127.0.0.1/8", wifi=f"{WIFI}/24")
        for endpoint in ("0.0.0.0:8000", "127.0.0.1:8000"):
            print(f"\n{reachable_from(endpoint, host=laptop)}")

    print('\nThe empty address "" in code means all of them, too.')
    try:
        listen(8000, "")
    except ValueError as error:
        print(f'bindlab takes no "": {error}')


if __name__ == "__main__":
    main()
