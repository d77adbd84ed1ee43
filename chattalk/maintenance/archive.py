"""The file of a backup: a zip of the rows as text, the presence documents, and a manifest.

manifest.json            what it is, of when, and what must be in it
rooms.tsv                of each room: number, last_seq, personnel, lines, SHA-256 of its log
postgresql/<table>.copy  rows as COPY writes them
mongodb/presence.jsonl   documents, one a line
secret_key               only if that was asked for
"""

import hashlib
import json
import os
import time
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from chattalk.maintenance.progress import Advance

FORMAT, VERSION = "chattalk-backup", 1
PIECE = 256 * 1024  # bytes, of text that is written or read at once
MANIFEST_MAX = 16 * 1024 * 1024  # bytes
# RuntimeError: encrypted, or JSON too deep.
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, KeyError)

ROOMS, PRESENCE, SECRET_KEY, MANIFEST = (
    "rooms.tsv",
    "mongodb/presence.jsonl",
    "secret_key",
    "manifest.json",
)


@dataclass
class ArchivePart:
    """What must be in a part of the file."""

    lines: int
    size: int  # bytes of text
    sha256: str


@dataclass
class Manifest:
    taken_at: str  # RFC 3339: the moment of the database's snapshot
    migrations: list[str]  # app.name
    tables: dict[str, list[str]]  # columns, in their order
    members: dict[str, ArchivePart] = field(default_factory=dict)

    def written(self) -> str:
        return json.dumps({"format": FORMAT, "version": VERSION} | asdict(self), indent=1)


def name_of(table: str) -> str:
    return f"postgresql/{table}.copy"


@contextmanager
def new(path: Path) -> Iterator["NewArchive"]:
    """Written beside its place and moved there when all is in it; only its owner may read it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if path.exists():
            raise CommandError(f"{path} is there already: give another name.")
        with open(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
                yield NewArchive(archive)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(path)
        _keep_name(path.parent)
    except OSError as error:
        raise CommandError(f"{path} can't be written: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):  # nothing to remove where nothing could be made
            beside.unlink(missing_ok=True)


def _keep_name(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class NewArchive:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def add(self, name: str, lines: Iterable[bytes], advance: Advance | None = None) -> ArchivePart:
        """Streamed: no more than a piece is held at once."""
        told, sha256, size, many = 0, hashlib.sha256(), 0, 0
        entry = zipfile.ZipInfo(name, time.localtime()[:6])
        entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
        with self._archive.open(entry, "w", force_zip64=True) as part:
            for many, piece in _pieces(lines):
                part.write(piece)
                sha256.update(piece)
                size += len(piece)
                if advance:
                    advance(many - told)
                told = many
        return ArchivePart(many, size, sha256.hexdigest())

    def close(self, manifest: Manifest) -> None:
        self._archive.writestr(MANIFEST, manifest.written())


def _pieces(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Lines joined to pieces, and how many lines there were so far."""
    waiting, many = bytearray(), 0
    for many, line in enumerate(lines, 1):
        waiting += line
        if len(waiting) >= PIECE:
            yield many, bytes(waiting)
            waiting.clear()
    if waiting:
        yield many, bytes(waiting)


class Archive:
    """A backup that is read. `check` it whole before believing anything but the manifest."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path, self._archive = path, archive
        self.manifest = self._manifest()

    def _manifest(self) -> Manifest:
        try:
            if self._archive.getinfo(MANIFEST).file_size > MANIFEST_MAX:
                raise ValueError("too long")
            stored = json.loads(self._archive.read(MANIFEST))
            version = stored.pop("version") if stored.pop("format") == FORMAT else 0
        except (*BROKEN, TypeError, AttributeError):
            raise foreign(self.path) from None
        if version != VERSION:
            raise CommandError(
                f"{self.path} was made by a newer ChatTalk: restore it with that one."
            )
        try:
            members = {name: ArchivePart(**one) for name, one in stored.pop("members").items()}
            return Manifest(**stored, members=members)
        except (*BROKEN, TypeError, AttributeError):
            raise foreign(self.path) from None

    @property
    def size(self) -> int:
        return sum(member.size for member in self.manifest.members.values())

    def check(self, advance: Advance) -> None:
        """Every byte is what it was. Raises CommandError."""
        for name, member in self.manifest.members.items():
            sha256 = hashlib.sha256()
            try:
                for piece in self.pieces(name):
                    sha256.update(piece)
                    advance(len(piece))
            except (*BROKEN, OSError) as error:
                raise damaged(self.path, name) from error
            if sha256.hexdigest() != member.sha256:
                raise damaged(self.path, name)

    def pieces(self, name: str) -> Iterator[bytes]:
        with self._archive.open(name) as part:
            while piece := part.read(PIECE):
                yield piece

    def lines(self, name: str) -> Iterator[bytes]:
        with self._archive.open(name) as part:
            yield from part

    def __contains__(self, name: str) -> bool:
        return name in self.manifest.members


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    try:
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise CommandError(f"{path} can't be read: {error.strerror or error}.") from error
    except BROKEN:
        raise foreign(path) from None
    with archive:
        yield Archive(path, archive)


def foreign(path: Path) -> CommandError:
    return CommandError(f"{path} is no backup of ChatTalk, or it was cut off. Nothing was changed.")


def damaged(path: Path, part: str) -> CommandError:
    return CommandError(f"{path} is damaged ({part}). Nothing was changed: use another backup.")


def document(line: bytes) -> dict[str, Any]:
    stored: dict[str, Any] = json.loads(line)
    return stored
