"""What KAFKA_URL says, as librdkafka's own options.

kafka://host:9092,other:9092
kafka+ssl://user:password@host:9093/?ssl.ca.location=/etc/ssl/kafka.pem
"""

import re
from urllib.parse import parse_qsl, unquote

SCHEMES = {"kafka": "PLAINTEXT", "kafka+ssl": "SSL"}
PORT = 9092
MECHANISM = "SCRAM-SHA-512"  # of who has a name and a password, unless sasl.mechanism says another
# How to reach it is told by the address; what is produced and read, and how, is ours to say.
OPTIONS = ("sasl.", "ssl.", "socket.", "client.", "broker.address.")

_URL = re.compile(r"(?P<scheme>[a-z+]+)://(?:(?P<who>[^@/?]*)@)?(?P<hosts>[^/?@]*)/?(?:\?(.*))?")
_HOST = re.compile(r"(\[[0-9A-Fa-f:]+\]|[^:\[\]\s]+)(?::(\d{1,5}))?")


def parse(url: str) -> dict[str, str]:
    """Raises ValueError with what is wrong, never with what was given: it may hold a password."""
    found = _URL.fullmatch(url)
    if not found or found["scheme"] not in SCHEMES:
        raise ValueError("it must be kafka://host:port[,host:port…], or kafka+ssl://…")
    hosts = [_host(each.strip()) for each in found["hosts"].split(",")]
    options = {"bootstrap.servers": ",".join(hosts)}
    options["security.protocol"] = SCHEMES[found["scheme"]]
    if found["who"]:
        options |= _who(found["who"])
        options["security.protocol"] = f"SASL_{options['security.protocol']}"
    return options | _more(found[4] or "")


def _host(text: str) -> str:
    found = _HOST.fullmatch(text)
    if not found or not 0 < int(found[2] or PORT) < 65536:
        raise ValueError("each of its hosts must be host:port")
    return f"{found[1]}:{found[2] or PORT}"


def _who(text: str) -> dict[str, str]:
    user, colon, password = text.partition(":")
    if not (user and colon and password):
        raise ValueError("who signs in has a name and a password: kafka://user:password@host")
    name = {"sasl.username": unquote(user), "sasl.password": unquote(password)}
    return {"sasl.mechanism": MECHANISM} | name


def _more(query: str) -> dict[str, str]:
    given = dict(parse_qsl(query, keep_blank_values=True))
    if wrong := [name for name in given if not name.startswith(OPTIONS)]:
        raise ValueError(f"{wrong[0]} is not for it; it takes librdkafka's {', '.join(OPTIONS)}…")
    return given
