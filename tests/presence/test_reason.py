"""Why MongoDB stores nothing, from what each server of its wire says; never what it was given."""

import pytest
from pymongo.errors import BulkWriteError, ServerSelectionTimeoutError, WriteError

from presence import last_seen


@pytest.mark.parametrize(
    "error, why",
    [
        (WriteError("database or disk is full", 8), "disk full"),  # SQLite, in NX-27017
        (BulkWriteError({"writeErrors": [{"errmsg": "database or disk is full"}]}), "disk full"),
        (WriteError("14031 OutOfDiskSpace: available disk space", 14031), "disk full"),
        (ServerSelectionTimeoutError("No servers found yet"), ""),
    ],
)
def test_a_full_disk_is_told_from_other_reasons(error, why):
    assert last_seen.reason(error) == why
