"""The proxies of `deploy/`, each started from the file that is there: only ports, certificates and
paths are others."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from chattalk.embedded import Process

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
NAME = "chat.example"
SITE = "127.0.0.1:8000"  # in each of the files
NEEDED = {"nginx": "nginx", "haproxy": "haproxy", "openssl": "openssl", "curl": "curl"}
missing = [package for program, package in NEEDED.items() if not shutil.which(program)]
needs_proxies = pytest.mark.skipif(
    bool(missing) and not os.environ.get("CI"), reason=f"{', '.join(missing)} are not installed."
)


class Proxy:
    """`reload` is a command."""

    def __init__(self, folder: Path, site: str) -> None:
        self.folder, self.site = folder, site
        self.port = free_port()
        self.ca = folder / "chat.example.crt"
        self.process = self.begin()

    @property
    def url(self) -> str:
        return f"https://{NAME}:{self.port}"

    def begin(self) -> Process:
        raise NotImplementedError

    def reload(self) -> None:
        raise NotImplementedError

    def write(self, name: str, *changes: tuple[str, str]) -> Path:
        """The file that is shipped, with other ports and paths; each of them stands there."""
        text = (DEPLOY / name).read_text()
        for before, now in ((SITE, self.site), *changes):
            assert before in text, f"{name} names no {before!r}"
            text = text.replace(before, now)
        (self.folder / name).write_text(text)
        return self.folder / name

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """Until another process of it serves beside the one before, or in its place."""
        children = psutil.Process(self.process.pid).children
        before = set(children())
        yield
        self.process.until(lambda: bool(set(children()) - before) or None)

    def run(self, *command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, timeout=30)

    def curl(self, path: str, *options: str, source: str = "127.0.0.1") -> str:
        """By HTTP/2, from that address of ours: status and version of HTTP, headers, and body."""
        known = "--cacert", str(self.ca), "--resolve", f"{NAME}:{self.port}:127.0.0.1"
        asked = ["curl", "-sSi", "--http2", "--interface", source, *known, *options]
        asked += [self.url + path]
        return subprocess.run(asked, check=True, capture_output=True, text=True).stdout

    def line(self, source: str = "127.0.0.1") -> dict[str, object]:
        """How a WebSocket is opened through it, from that address of ours."""
        trusts = ssl.create_default_context(cafile=self.ca)
        return {"host": "127.0.0.1", "port": self.port, "ssl": trusts, "local_addr": (source, 0)}


class Nginx(Proxy):
    def begin(self) -> Process:
        site = self.write(
            "nginx.conf",
            ("listen 80;", f"listen 127.0.0.1:{free_port()};"),
            ("listen [::]:80;", ""),
            ("listen 443 ssl", f"listen 127.0.0.1:{self.port} ssl"),
            ("listen [::]:443 ssl http2;", ""),
            ("/etc/ssl/", f"{self.folder}/"),
        )
        own = [f"{kind}_temp_path {self.folder}/{kind};" for kind in
               ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")]  # fmt: skip
        whole = self.folder / "whole.conf"
        whole.write_text(
            f"daemon off; pid {self.folder}/nginx.pid; error_log {self.folder}/error.log;"
            f"events {{}} http {{ access_log off; {' '.join(own)} include {site}; }}"
        )
        self.command = ["nginx", "-e", f"{self.folder}/error.log", "-c", str(whole)]
        return Process("nginx", self.full(self.command), log=self.folder / "log")

    def full(self, command: list[str]) -> list[str]:
        return [str(shutil.which(command[0])), *command[1:]]

    def reload(self) -> None:
        with self.renewed():
            self.run(*self.command, "-s", "reload")


class Haproxy(Proxy):
    def begin(self) -> Process:
        pair = self.ca.read_text() + self.ca.with_suffix(".key").read_text()
        (self.folder / "chat.example.pem").write_text(pair)
        file = self.write(
            "haproxy.cfg",
            ("bind :80", f"bind 127.0.0.1:{free_port()}"),
            ("bind :443", f"bind 127.0.0.1:{self.port}"),
            ("/etc/ssl/", f"{self.folder}/"),
            ("/dev/log", "stdout format raw"),
        )
        command = [str(shutil.which("haproxy")), "-W", "-f", str(file)]
        return Process("haproxy", command, log=self.folder / "log")

    def reload(self) -> None:
        with self.renewed():
            self.process.signal(signal.SIGUSR2)


class Caddy(Proxy):
    """Never as root: there it brings an authority of its own into the machine's trust."""

    def begin(self) -> Process:
        given = f"tls {self.ca} {self.ca.with_suffix('.key')}"
        file = self.write(
            "Caddyfile",
            ("\nchat.example {", f"\n{self.url} {{\n\t{given}"),
            ("unix//run/caddy/admin.sock", f"unix/{self.folder}/admin.sock"),
            (
                "{\n\t# `caddy reload`",
                "{\n\tskip_install_trust\n\tauto_https off\n\t# `caddy reload`",
            ),
        )
        # Its user may not be let to where ours lies.
        caddy = shutil.copy(Path(sys.executable).with_name("caddy"), f"{self.folder}/caddy")
        self.asked = [caddy, "reload", "--force", "--config", str(file), "--adapter", "caddyfile"]
        self.asked += ["--address", f"unix/{self.folder}/admin.sock"]
        command = [caddy, "run", "--config", str(file), "--adapter", "caddyfile"]
        user = "nobody" if os.geteuid() == 0 else ""
        return Process("caddy", command, log=self.folder / "log", user=user)

    def reload(self) -> None:
        self.run(*self.asked)


KINDS: dict[str, Callable[[Path, str], Proxy]] = {
    "nginx": Nginx,
    "haproxy": Haproxy,
    "caddy": Caddy,
}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@contextmanager
def running(site: str) -> Iterator[dict[str, Proxy]]:
    """All of them before that site; `nobody` may read their folders."""
    home = Path(tempfile.mkdtemp(prefix="proxies-"))
    home.chmod(0o755)
    certificate = _certificate(home)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        proxies = {}
        for name, kind in KINDS.items():
            folder = home / name
            folder.mkdir()
            folder.chmod(0o777)
            for file in certificate:
                shutil.copy(file, folder)
            proxy = proxies[name] = kind(folder, site)
            own = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(folder))
            proxy.process.start(own)
            stack.callback(proxy.process.stop)
        for proxy in proxies.values():
            proxy.process.until(lambda port=proxy.port: _listens(port) or None)
        yield proxies


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def _certificate(folder: Path) -> list[Path]:
    made = [folder / "chat.example.crt", folder / "chat.example.key"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}",
         "-out", str(made[0]), "-keyout", str(made[1])],
        check=True, capture_output=True,
    )  # fmt: skip
    for file in made:
        file.chmod(0o644)
    return made
