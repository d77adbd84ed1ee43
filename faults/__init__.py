"""The fault harness: what ChatTalk does when what it stands on fails (docs/reliability.md)."""

WORD = "die"  # what a message says to make a worker fail that is made to (faults/failpoints.py)


def failing(name: str) -> dict[str, str]:
    """The environment of a worker that fails in that way."""
    return {
        "DJANGO_SETTINGS_MODULE": "faults.settings",
        "DEBUG": "true",
        "CHATTALK_FAIL": name,
    }
