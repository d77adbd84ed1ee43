"""`manage.py backup` and `restore`: the file is of one moment, and comes back as it was."""

import json
import os
import stat
import subprocess
import sys
import threading
import zipfile
from io import StringIO

import pytest
from django.conf import settings as site
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import User
from chattalk.maintenance import archive, contents, restore, verify_sql
from chattalk.server.workers import ROOT
from messaging import services
from messaging.models import Event
from presence import last_seen, stored
from presence.marks import Mark
from presence.room_state import micros
from presence.services import last_exit
from rooms.models import Room

NASTY = "tab\there, line\nfeed, back\\slash \\N 한국어 🦉 \\."


def empty() -> None:
    """As a new system is: migrated, and nobody was there."""
    call_command("flush", interactive=False, verbosity=0)
    stored.clear()


def backed_up(path, **options):
    call_command("backup", str(path), stdout=StringIO(), **options)
    with archive.opened(path) as backup:
        return backup.manifest


def states():
    logs = contents.Logs()
    with verify_sql.snapshot():
        for one in contents.tables():
            for _ in logs.out(one):
                pass
        return logs.states()


def test_everything_comes_back_as_it_was_and_the_log_goes_on(room, alice, bob, say, tmp_path):
    say(room, bob, NASTY)
    quiet = services.open_room(bob, title="Nobody yet", capacity=2)
    last_seen.write([Mark(room.pk, alice.pk, 7, online=True, process="p")])
    last_seen.write([Mark(room.pk, bob.pk, 7, exit_at=5_000_000, seq=4)])
    before = states()
    manifest = backed_up(path := tmp_path / "chat.zip")
    empty()
    assert not User.objects.exists()

    call_command("restore", str(path), stdout=(out := StringIO()))

    assert "All holds." in out.getvalue()
    assert states() == before and set(before) == {room.pk, quiet.pk}
    assert room.events.latest("seq").body == NASTY
    again = backed_up(tmp_path / "again.zip")
    tables = {name for name in manifest.members if name != archive.PRESENCE}
    assert {n: manifest.members[n] for n in tables} == {n: again.members[n] for n in tables}
    assert last_exit(room.pk, bob.pk).seq == 4 and micros(last_exit(room.pk, bob.pk).at) == 5e6
    exit_at = last_exit(room.pk, alice.pk).at  # who was here went when the backup was made
    assert exit_at.isoformat() == manifest.taken_at
    assert not any(one["online"] for batch in stored.batches(10) for one in batch)
    assert say(Room.objects.get(pk=room.pk), alice) == before[room.pk].head + 1
    assert services.open_room(User.objects.get(pk=bob.pk), title="New", capacity=2).pk > quiet.pk


def test_it_is_of_one_moment_while_people_talk(room, alice, bob, say, tmp_path):
    over = threading.Event()

    def talk():
        while not over.is_set():
            say(room, alice)
            say(room, bob)
        connection.close()

    (writer := threading.Thread(target=talk)).start()
    try:
        for n in range(3):
            manifest = backed_up(tmp_path / f"{n}.zip")
    finally:
        over.set()
        writer.join()
    assert Room.objects.get().last_seq > 50
    lines = manifest.members["postgresql/messaging_event.copy"].lines
    with archive.opened(tmp_path / "2.zip") as backup:
        ((number, head, personnel, many, _hash),) = map(bytes.split, backup.lines(archive.ROOMS))
    assert (int(number), int(personnel)) == (room.pk, 2) and int(head) == int(many) == lines
    empty()
    call_command("restore", str(tmp_path / "2.zip"), stdout=StringIO())
    assert Event.objects.count() == lines


def test_only_its_owner_can_read_it_and_nothing_is_overwritten(room, tmp_path):
    backed_up(path := tmp_path / "chat.zip")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    written = path.read_bytes()
    with pytest.raises(CommandError, match="is there already"):
        backed_up(path)
    assert path.read_bytes() == written and os.listdir(tmp_path) == ["chat.zip"]


def test_a_backup_that_fails_leaves_no_file(room, tmp_path, monkeypatch):
    def fail(self):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(contents.Logs, "states", fail)
    with pytest.raises(CommandError, match="No space left"):
        backed_up(tmp_path / "chat.zip")
    assert os.listdir(tmp_path) == []


def test_without_servers_a_sentence_says_so(tmp_path):
    given = ("DATABASE_URL", "REDIS_URL", "MONGODB_URL")
    own = {name: value for name, value in os.environ.items() if name not in given}
    command = [sys.executable, str(ROOT / "manage.py"), "backup", str(tmp_path / "chat.zip")]
    done = subprocess.run(
        command, env=own | {"CHATTALK_DATA": str(tmp_path / "data")}, capture_output=True, text=True
    )
    assert done.returncode == 1 and "start manage.py up" in done.stderr
    assert "Traceback" not in done.stderr and not list(tmp_path.glob("*.zip*"))


def changed(path, edit):
    """The same file with another manifest."""
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    manifest = json.loads(parts["manifest.json"])
    edit(manifest)
    parts["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(path, "w") as new:
        for name, text in parts.items():
            new.writestr(name, text)


def damage(path):
    name = "postgresql/messaging_event.copy"
    with zipfile.ZipFile(path) as old, old.open(name) as part:
        middle = part._fileobj._pos + old.getinfo(name).compress_size // 2
    written = bytearray(path.read_bytes())
    written[middle] ^= 0xFF
    path.write_bytes(written)


BAD = {
    "cut off": (lambda path: path.write_bytes(path.read_bytes()[:-100]), "no backup of ChatTalk"),
    "something else": (lambda path: path.write_text("hello"), "no backup of ChatTalk"),
    "another zip": (lambda path: zipfile.ZipFile(path, "w").close(), "no backup of ChatTalk"),
    "damaged": (damage, r"is damaged \(postgresql/messaging_event.copy\)"),
    "another text": (
        lambda path: changed(path, lambda m: m["members"]["rooms.tsv"].update(sha256="0" * 64)),
        r"is damaged \(rooms.tsv\)",
    ),
    "a newer format": (
        lambda path: changed(path, lambda m: m.update(version=2)),
        "a newer ChatTalk",
    ),
    "newer migrations": (
        lambda path: changed(path, lambda m: m["migrations"].append("rooms.9999_later")),
        "a newer ChatTalk",
    ),
    "older migrations": (
        lambda path: changed(path, lambda m: m["migrations"].remove("rooms.0001_initial")),
        "an older ChatTalk",
    ),
    "other columns": (
        lambda path: changed(path, lambda m: m["tables"]["rooms_room"].append("colour")),
        "no backup of ChatTalk",
    ),
    "a table less": (
        lambda path: changed(path, lambda m: m["tables"].pop("rooms_room")),
        "no backup of ChatTalk",
    ),
    "a manifest of nonsense": (
        lambda path: changed(path, lambda m: m.update(members=[1])),
        "no backup of ChatTalk",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_not_right_changes_nothing(room, tmp_path, name):
    backed_up(path := tmp_path / "chat.zip")
    spoil, sentence = BAD[name]
    spoil(path)
    empty()
    with pytest.raises(CommandError, match=sentence):
        call_command("restore", str(path))
    assert not User.objects.exists() and stored.count() == 0


def test_a_system_in_use_is_left_alone(room, alice, tmp_path):
    backed_up(path := tmp_path / "chat.zip")
    before = states()
    with pytest.raises(CommandError, match="rows already .* another database in DATABASE_URL"):
        call_command("restore", str(path))
    assert states() == before
    last_seen.write([Mark(room.pk, alice.pk, 1, exit_at=5)])
    call_command("flush", interactive=False, verbosity=0)
    with pytest.raises(CommandError, match="1 presence documents already"):
        call_command("restore", str(path))
    assert stored.count() == 1


def test_rows_that_do_not_fit_together_change_nothing(room, bob, tmp_path):
    """Every byte is as the manifest says, and still somebody is missing."""
    backed_up(path := tmp_path / "chat.zip")
    name = "postgresql/accounts_user.copy"
    with zipfile.ZipFile(path) as old:
        kept = old.read(name).splitlines(keepends=True)[:1]
        parts = {one: old.read(one) for one in old.namelist()}
    parts[name] = b"".join(kept)
    with zipfile.ZipFile(path, "w") as new:
        for one, text in parts.items():
            new.writestr(one, text)
    digest = restore._digest(kept, lambda steps: None)
    changed(path, lambda m: m["members"].update({name: vars(digest)}))
    empty()
    with pytest.raises(CommandError, match="PostgreSQL refused"):
        call_command("restore", str(path))
    assert not User.objects.exists() and stored.count() == 0


def test_the_secret_key_comes_along_only_if_asked_for(room, tmp_path, monkeypatch):
    assert archive.SECRET_KEY not in backed_up(tmp_path / "without.zip").members
    backed_up(path := tmp_path / "with.zip", with_secret_key=True)
    with pytest.raises(CommandError, match="SECRET_KEY is given by the environment"):
        call_command("restore", str(path), "--with-secret-key")
    empty()
    monkeypatch.delenv("SECRET_KEY")
    monkeypatch.setattr(site, "DATA_DIR", tmp_path)
    call_command("restore", str(path), "--with-secret-key", stdout=(out := StringIO()))
    assert "restart manage.py up" in out.getvalue() and site.SECRET_KEY not in out.getvalue()
    key = tmp_path / "secret_key"
    assert key.read_text() == site.SECRET_KEY and stat.S_IMODE(key.stat().st_mode) == 0o600
