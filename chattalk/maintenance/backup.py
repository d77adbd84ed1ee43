"""All that is promised into one file, of one moment, while people talk.

Presence is read first: then every person and room that it names is in the database's snapshot.
Redis is left out, since nothing that lives there is promised.
"""

from pathlib import Path
from typing import Any

from chattalk.maintenance import archive, contents, copy_sql, verify_sql
from chattalk.maintenance.archive import Manifest, NewArchive
from chattalk.maintenance.copy_sql import Table
from chattalk.maintenance.progress import Advance, progress
from messaging.log import CLOCK, rows
from presence import stored


def make(path: Path, stream: Any, secret_key: str = "") -> Manifest:
    """`stream` gets the progress. With `secret_key`, whoever has the file can sign as the site.

    Raises CommandError, and then there is no file.
    """
    tables, migrations = contents.tables(), contents.migrations()
    with archive.new(path) as draft:
        with progress(stream, "presence", stored.count()) as advance:
            presence = draft.add(archive.PRESENCE, contents.presence(), advance)
        with verify_sql.snapshot():
            ((taken_at,),) = rows(CLOCK, {})
            columns = {one.name: list(one.columns) for one in tables}
            manifest = Manifest(taken_at.isoformat(), migrations, columns)
            manifest.members[archive.PRESENCE] = presence
            with progress(stream, "rows", sum(map(copy_sql.count, tables))) as advance:
                _copy(draft, manifest, tables, advance)
        if secret_key:
            key = draft.add(archive.SECRET_KEY, [secret_key.encode()])
            manifest.members[archive.SECRET_KEY] = key
        draft.close(manifest)
    return manifest


def _copy(draft: NewArchive, manifest: Manifest, tables: list[Table], advance: Advance) -> None:
    logs = contents.Logs()
    for one in tables:
        name = archive.name_of(one.name)
        manifest.members[name] = draft.add(name, logs.out(one), advance)
    states = (state.written(room) for room, state in logs.states().items())
    manifest.members[archive.ROOMS] = draft.add(archive.ROOMS, states)
