"""A real Apache Kafka broker, from the jars that `make tests/kafka/jars/done` brings: for tests,
faults and the benchmark. One node, on loopback, at ports of its own, in a folder of its own."""

import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

JARS = Path(__file__).resolve().parents[1] / "tests" / "kafka" / "jars"
CLUSTER = "AAAAAAAAAAAAAAAAAAAAAQ"
# It starts in half of the time when nothing is compiled twice, and needs little memory.
JAVA = [
    shutil.which("java") or "java",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xshare:auto",
]
USERS, PASSWORD = ("relay", "ingest", "nobody"), "open"  # who sign in
LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
PROTOCOLS = {"OPEN": "PLAINTEXT", "SIGNED": "SASL_PLAINTEXT", "CONTROLLER": "PLAINTEXT"}
START_WITHIN = 60.0  # seconds, on a machine that has other things to do
STOP_WITHIN = 15.0

LOGGING = """
status = error
appender.file.type = Console
appender.file.name = out
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d %p %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
"""


def missing() -> str:
    """What this machine lacks for it; nothing if it has all."""
    if JAVA[0] == "java":
        return "Java is not installed (apt install default-jre-headless)."
    if not (JARS / "done").exists():
        return (
            "Kafka's jars are not here: make tests/kafka/jars/done (by Maven: apt install maven)."
        )
    return ""


class Kafka:
    """Call `start` from a thread that outlives it: it ends with that."""

    def __init__(self, home: Path, memory: str = "256m", **settings: str) -> None:
        from chattalk.embedded import Process

        self.home = home
        self.port, self._signed_in, self._controller = _free_ports(3)
        self._settings = settings
        home.mkdir(parents=True, exist_ok=True)
        (home / "log4j2.properties").write_text(LOGGING)
        (home / "server.properties").write_text(self._properties())
        command = [*JAVA, f"-Xmx{memory}", f"-Dlog4j2.configurationFile={home}/log4j2.properties"]
        command += ["-cp", f"{JARS}/*", "kafka.Kafka", str(home / "server.properties")]
        log = home / "kafka.log"
        self.process = Process("Kafka", command, log=log, stop_signal=signal.SIGTERM)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"kafka://{self.address}"

    def url_of(self, name: str, password: str = PASSWORD) -> str:
        """For one of USERS, who may do nothing but what somebody gave the right to; who comes
        without a name may do all."""
        return f"kafka://{name}:{password}@127.0.0.1:{self._signed_in}/?sasl.mechanism=PLAIN"

    def format(self) -> None:
        """Once, before the first start."""
        properties = str(self.home / "server.properties")
        tool = "kafka.tools.StorageTool"
        self.run(tool, "format", "--standalone", "-t", CLUSTER, "-c", properties)

    def start(self) -> None:
        self.process.start()

    def wait(self) -> None:
        self.process.until(self._answers, START_WITHIN)

    def _answers(self) -> bool | None:
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient

        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            quiet: dict[str, Any] = {"bootstrap.servers": self.address, "log_level": 0}
            return bool(AdminClient(quiet).list_topics(timeout=5).brokers) or None
        except (OSError, KafkaException):
            return None

    def kill9(self) -> None:
        self.process.signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.stop(STOP_WITHIN)

    def run(self, main: str, *words: str) -> str:
        """One of Kafka's own programs."""
        command = [*JAVA, "-cp", f"{JARS}/*", main, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def _properties(self) -> str:
        one = {f"{name}.replication.factor": "1" for name in (
            "offsets.topic", "transaction.state.log", "share.coordinator.state.topic"
        )}  # fmt: skip
        ports = {"OPEN": self.port, "SIGNED": self._signed_in, "CONTROLLER": self._controller}
        users = " ".join(f'user_{name}="{PASSWORD}"' for name in USERS)
        settings: Mapping[str, str] = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{self._controller}",
            "listeners": ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items()),
            "listener.security.protocol.map": ",".join(f"{a}:{b}" for a, b in PROTOCOLS.items()),
            "inter.broker.listener.name": "OPEN",
            "controller.listener.names": "CONTROLLER",
            "sasl.enabled.mechanisms": "PLAIN",
            "listener.name.signed.plain.sasl.jaas.config": f"{LOGIN} required {users};",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "log.dirs": str(self.home / "data"),
            # One that was killed is back as soon as its session is over.
            "broker.session.timeout.ms": "1000",
            "broker.heartbeat.interval.ms": "200",
            "num.partitions": "4",
            "offsets.topic.num.partitions": "1",
            "transaction.state.log.num.partitions": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            "auto.create.topics.enable": "false",
            **one,
            **self._settings,
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())


def _free_ports(count: int) -> list[int]:
    """The broker keeps them over its restarts."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports
