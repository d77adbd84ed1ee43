"""Hosts on one machine: network namespaces on a bridge of their own, by iproute2, as root.

All that is made has the pid of this process in its name, and goes with it. What one that was killed
left behind goes when the next one begins.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

PREFIX = "ctf"  # names of interfaces have 15 characters at most
OURS = re.compile(rf"\b{PREFIX}(\d+)(?:h\d+)?\b")


class Missing(Exception):
    """This machine can't have hosts; the text says why."""


class Network:
    """`hosts` namespaces. This one, which has the stores and the proxy, is .1 and .2 in it."""

    def __init__(self, hosts: int) -> None:
        self.bridge = f"{PREFIX}{os.getpid()}"
        self._net = f"10.213.{os.getpid() % 250}"
        self.names = [f"{self.bridge}h{number}" for number in range(hosts)]
        self.first, self.second = self._address(1), self._address(2)
        self.addresses = [self._address(11 + number) for number in range(hosts)]
        self.subnet = f"{self._net}.0/24"

    def _address(self, number: int) -> str:
        return f"{self._net}.{number}"

    def start(self) -> None:
        if os.geteuid() != 0:
            raise Missing("only root may make network namespaces")
        if not shutil.which("ip"):
            raise Missing("network namespaces need iproute2: apt install iproute2")
        _clear_leftovers()
        try:
            _ip("link", "add", self.bridge, "type", "bridge")
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode().strip()
            raise Missing(f"no bridge can be made here, it takes CAP_NET_ADMIN: {said}") from None
        for address in (self.first, self.second):
            _ip("address", "add", f"{address}/24", "dev", self.bridge)
        _ip("link", "set", self.bridge, "up")
        for name, address in zip(self.names, self.addresses, strict=True):
            self._add(name, address)

    def _add(self, name: str, address: str) -> None:
        _ip("netns", "add", name)
        _ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        _ip("link", "set", name, "master", self.bridge, "up")
        for command in (["address", "add", f"{address}/24", "dev", "eth0"],
                        ["link", "set", "eth0", "up"], ["link", "set", "lo", "up"]):  # fmt: skip
            _ip("-n", name, *command)

    def cut(self, number: int) -> None:
        """No word more, in either direction: nobody is told."""
        _ip("link", "set", self.names[number], "down")

    def join(self, number: int) -> None:
        _ip("link", "set", self.names[number], "up")

    def inside(self, number: int, command: list[str]) -> list[str]:
        """That command, on that host."""
        return [shutil.which("ip") or "ip", "netns", "exec", self.names[number], *command]

    def stop(self) -> None:
        _remove(self.bridge)


def _clear_leftovers() -> None:
    found = _ip("-o", "link", "show", "type", "bridge") + _ip("netns", "list")
    for pid in {one[1] for one in OURS.finditer(found)}:
        if not Path(f"/proc/{pid}").exists():
            _remove(f"{PREFIX}{pid}")


def _remove(bridge: str) -> None:
    """What is of that name, as far as it is there; all of it is tried."""
    listed = _ip("netns", "list").split()
    for name in (one for one in listed if re.fullmatch(rf"{bridge}h\d+", one)):
        _ip("netns", "delete", name)  # and the end of its line in here with it
    if bridge in _ip("-o", "link", "show", "type", "bridge"):
        _ip("link", "delete", bridge)


def _ip(*words: str) -> str:
    done = subprocess.run(["ip", *words], check=True, capture_output=True)
    return done.stdout.decode()
