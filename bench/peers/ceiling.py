"""Ceilings: how far fan-out goes with nothing else to do.

`C` makes one send() per delivery; `Bun` joins what waits for a socket, in native code. Both send a
text message as it came to all of its path. No database, no Redis, no names.

    python -m bench.peers.ceiling
"""

import platform
import subprocess
from pathlib import Path

from bench.peers import Absent, trial
from bench.peers.child import Child, free_port, tool
from bench.peers.npm import install
from bench.servers import HOME, Servers

HERE = Path(__file__).parent / "ceilings"
FLAGS = ["-O2", "-std=gnu11", "-Wall", "-Wextra"]


class Ceiling(Child):
    wire, path = "plain", "/ws/chat/%s/"
    stores: tuple[str, ...] = ()


class C(Ceiling):
    name = "C, one send() per delivery"
    program = HOME / "ceilings" / "fanout"

    def install(self) -> dict[str, str]:
        compiler = tool("gcc")
        sources = [HERE / "fanout.c", HERE / "handshake.c"]
        newest = max(path.stat().st_mtime for path in [*sources, HERE / "handshake.h"])
        if not self.program.exists() or self.program.stat().st_mtime < newest:
            self.program.parent.mkdir(parents=True, exist_ok=True)
            command = [compiler, *FLAGS, "-o", str(self.program), *map(str, sources)]
            subprocess.run(command, check=True)
        return {"gcc": _printed(compiler, "-dumpfullversion")}

    def start(self, servers: Servers) -> None:
        self.port = free_port()
        self._run([str(self.program), str(self.port)], {})


class Bun(Ceiling):
    name = "Bun, native publish/subscribe"
    home = HOME / "bun"
    program = home / "node_modules" / "@oven" / "bun-linux-x64" / "bin" / "bun"

    def install(self) -> dict[str, str]:
        if platform.machine() != "x86_64" or "avx2" not in Path("/proc/cpuinfo").read_text():
            raise Absent("its npm package is built for x86-64 with AVX2")
        install(HERE / "bun", self.home)
        self.program.chmod(0o755)
        return {"Bun": _printed(str(self.program), "--version")}

    def start(self, servers: Servers) -> None:
        self.port = free_port()
        self._run([str(self.program), str(HERE / "bun" / "rooms.js"), str(self.port)], {})


def _printed(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


PEERS = (C, Bun)

if __name__ == "__main__":
    trial.main(PEERS)
