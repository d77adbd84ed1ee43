"""The API's OpenAPI document . docs/openapi.yaml is its copy."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

PROBLEM = {
    "type": "object",
    "description": "A refusal (RFC 9457). `code` is stable; `detail` is for people.",
    "required": ["type", "title", "status", "code", "detail"],
    "examples": [
        {
            "type": "about:blank",
            "title": "Conflict",
            "status": 409,
            "code": "room_full",
            "detail": "This room is full. Try again later.",
        }
    ],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                    "pointer": {"type": "string", "format": "json-pointer"},
                    "parameter": {"type": "string"},
                },
            },
        },
    },
}
RETRY_AFTER = {
    "Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}
}


class Schema(AutoSchema):
    """Tags by the first word of the route, as a reader looks for them."""

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix("/api/v1/").split("/")[0]]


class Bearer(OpenApiAuthenticationExtension):
    target_class = "interfaces.api.authentication.TokenAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


def add_problems(result: dict[str, Any], **_generator: Any) -> dict[str, Any]:
    """A hook of spectacular: what every operation may be answered besides."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    for path, operations in result["paths"].items():
        for operation in operations.values():
            for status, text in _refusals(path, operation).items():
                operation["responses"].setdefault(status, _refusal(status, text))
    return result


def _refusals(path: str, operation: dict[str, Any]) -> dict[str, str]:
    asked = operation.get("parameters", [])
    needs_proof = {} not in operation.get("security", [{}])
    may = {"429": "Too many requests.", "503": "A server behind does not answer."}
    if needs_proof or "/tokens/" in path:
        may["401"] = "Not signed in, or not any more."
    if "requestBody" in operation or any(one["in"] == "query" for one in asked):
        may["400"] = "Something in it is not right."
    if "requestBody" in operation:
        may |= {"413": "Over 64 KiB.", "415": "Not application/json."}
    if operation["operationId"] == "tickets_create":
        may["400"] = "Not signed in by token."
    if "{" in path:
        may["404"] = "It does not exist, or not for you."
    if operation["operationId"] in FOR_THE_OWNER:
        may["403"] = "For the owner and staff only."
    if operation["operationId"] in CONFLICTS:
        may["409"] = "As things stand it can't be done: see `code`."
    if operation["operationId"] == "rooms_partial_update":
        may["412"] = "It was changed meanwhile."
    return may


FOR_THE_OWNER = (
    "rooms_partial_update",
    "rooms_close",
    "rooms_reopen",
    "rooms_transfer",
    "members_remove",
)
CONFLICTS = ("membership_join", "events_send", "rooms_transfer")


def _refusal(status: str, text: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    answer = {"description": text, "content": {"application/problem+json": {"schema": schema}}}
    return answer | ({"headers": RETRY_AFTER} if status in ("429", "503") else {})
