import os

from django.apps import AppConfig


class FaultsConfig(AppConfig):
    """In a worker that is to fail: CHATTALK_FAIL says where."""

    name = "faults"

    def ready(self) -> None:
        from faults import failpoints

        if fails := os.environ.get("CHATTALK_FAIL"):
            failpoints.install(fails)
