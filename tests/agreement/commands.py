"""What ip(8) is told on a host of the lab, for what its description has no words."""

import subprocess
from collections.abc import Sequence

__all__ = ["run_ip"]


def run_ip(commands: Sequence[str]) -> None:
    """Run each of *commands* as words of ip(8), or of sysctl as ``sysctl KEY=VALUE``."""
    for command in commands:
        words = command.split()
        if words[0] == "sysctl":
            key, _, value = words[1].partition("=")
            with open(f"/proc/sys/{key}", "w", encoding="utf-8") as setting:
                setting.write(value)
            continue
        done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"ip {command}: {done.stderr.strip()}")
