"""How schemathesis signs in: loaded by it (SCHEMATHESIS_HOOKS), never by us.

Some operations end the sign-in that asks for them. Those are asked by somebody else, each time by a
fresh one, so that the others are not left with a token that counts for nothing.
"""

import json
import os
import time
from typing import Any

import schemathesis

from faults.fuzz.site import PASSWORD, ask

URL = os.environ["FUZZ_URL"]
PEOPLE = json.loads(os.environ["FUZZ_PEOPLE"])  # e-mails: who asks, and who signs out
ENDS_IT = {"tokens_revoke", "devices_list", "devices_remove", "me_password_update"}
FRESH_FOR = 300.0  # seconds, of the ten minutes that a token counts


def token(email: str) -> str:
    pair = ask(URL, "POST", "/api/v1/tokens/", {"email": email, "password": PASSWORD})
    return pair.json["access"]


@schemathesis.auth(refresh_interval=None)
class Bearer:
    kept: tuple[float, str] = (0.0, "")

    def get(self, case: Any, _context: Any) -> str:
        definition = getattr(case.operation, "definition", None)
        raw = getattr(definition, "raw", {})
        if isinstance(raw, dict) and raw.get("operationId") in ENDS_IT:
            return token(PEOPLE["ends"])
        until, kept = Bearer.kept
        if time.monotonic() > until:
            kept = token(PEOPLE["asks"])
            Bearer.kept = time.monotonic() + FRESH_FOR, kept
        return kept

    def set(self, case: Any, data: str, _context: Any) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


# --- checks of our own --------------------------------------------------------------------------

# Of a value that is not of the document's shape: what fits the document is never refused so.
OF_SHAPE = {
    "required", "null", "not_a_list", "max_length", "min_length", "max_value", "min_value",
    "invalid_choice", "not_a_dict", "parse_error",
}  # fmt: skip


@schemathesis.check
def refused_for_a_reason(_ctx: Any, response: Any, case: Any) -> None:
    """A request that fits the document is refused for what the document can't say only."""
    if response.status_code != 400 or case.meta is None or GRAPHQL in response.request.url:
        return
    if case.meta.generation.mode.is_positive:
        problem = response.json()
        told = {problem["code"], *(one["code"] for one in problem.get("errors", []))}
        assert not told & OF_SHAPE, f"it fits the document, and is refused: {problem}"


GRAPHQL = "/graphql/"


@schemathesis.check
def graphql_answers(_ctx: Any, response: Any, case: Any) -> None:
    """What GraphQL refuses has a code that is a client's own fault, and comes as GraphQL. What
    fits the schema is never a bad query."""
    if GRAPHQL not in response.request.url:
        return
    assert response.status_code in (200, 400), f"{response.status_code}: {response.text[:200]}"
    answer = response.json()
    if response.headers["content-type"] == ["application/problem+json"]:
        assert answer["code"] == "bad_request", answer
        return
    assert answer.keys() <= {"data", "errors"} and answer, answer
    fits = case.meta is not None and case.meta.generation.mode.is_positive
    for error in answer.get("errors", []):
        assert error["message"] and error["extensions"]["code"] not in OURS, error
        assert not fits or error["extensions"]["code"] != "bad_query", error


OURS = {"error", "unavailable"}
