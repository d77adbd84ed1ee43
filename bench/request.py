"""One request with JSON, and its answer whatever its status, for who may wait in a thread."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    url: str, method: str, body: Any = None, headers: Mapping[str, str] | None = None, *,
    within: float,
) -> Answer:  # fmt: skip
    """`within` is seconds. Raises OSError when there is no answer."""
    data = None if body is None else json.dumps(body).encode()
    kind = {"Content-Type": "application/json"} if data else {}
    request = urllib.request.Request(url, data, {**(headers or {}), **kind}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=within) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as refusal:
        with refusal:
            return Answer(refusal.code, refusal.headers, refusal.read())
