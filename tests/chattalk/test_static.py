"""The files that pages are made of, as they are served."""

import os
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.templatetags.static import static as address_of

from chattalk.server import static

OTHER = "/static/v-000000000000/"


@pytest.fixture
def worker(tmp_path, settings, rf, monkeypatch):
    """A worker's files, of one folder, as they are when it starts: what it answers to a path."""
    settings.STATICFILES_DIRS = [tmp_path]
    monkeypatch.setattr(static, "_prefix", "")

    def start(**more):
        for name, value in more.items():
            setattr(settings, name, value)
        files = static.StaticFiles(lambda request: HttpResponse("no file", status=404))
        return lambda path, **headers: files(rf.get(path, headers=headers))

    return start


def test_all_files_of_our_pages_are_in_memory_at_once():
    """With one more than are kept, a page that asks for all in turn would find none of them."""
    folders = [Path(one[1] if isinstance(one, tuple) else one) for one in settings.STATICFILES_DIRS]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert 60 < len(files) <= static.KEPT


def test_the_client_is_served_and_what_is_beside_it_is_not(client, db):
    for module in (settings.BASE_DIR / "clients" / "js" / "lib").iterdir():
        answer = client.get(f"/static/client/{module.name}")
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("text/javascript")
    assert client.get("/static/client/package.json").status_code == 404


def test_all_addresses_of_a_page_have_one_version_and_are_kept_for_good(client, db):
    for page in ("/", "/admin/login/"):
        text = client.get(page).content.decode()
        found = re.findall(r"(?:href|src)=\"(/static/[^\"#]+)", text)
        assert len(found) > 5
        assert len({one.split("/")[2] for one in found}) == 1
        for one in found:
            assert client.get(one)["Cache-Control"] == static.FOR_GOOD


def test_our_files_name_each_other_by_relative_addresses():
    """So all that a page loads is of its version."""
    for folder in ("static", "clients/js/lib"):
        for path in (settings.BASE_DIR / folder).rglob("*.*"):
            for quote in "\"'(":
                assert f"{quote}/static/" not in path.read_text(), path


def test_the_address_of_another_version_has_the_present_file_and_is_asked_again(worker, tmp_path):
    (tmp_path / "a.js").write_text("one")
    ask = worker()
    assert ask(address_of("a.js"))["Cache-Control"] == static.FOR_GOOD
    for path in (f"{OTHER}a.js", "/static/a.js"):
        answer = ask(path)
        assert (answer.content, answer["Cache-Control"]) == (b"one", "max-age=0, public")
        assert ask(path, if_none_match=answer["ETag"]).status_code == 304
    assert ask(f"{OTHER}b.js").status_code == 404


def test_a_worker_has_our_files_as_they_were_when_it_started(worker, tmp_path):
    one, two = tmp_path / "one.js", tmp_path / "two.js"
    one.write_text("one")
    two.write_text("two")
    ask = worker()
    addresses = before, also = address_of("one.js"), address_of("two.js")
    one.write_text("one, anew")
    two.unlink()
    assert [ask(path).content for path in addresses] == [b"one", b"two"]
    successor = worker()
    assert address_of("one.js") != before
    assert successor(address_of("one.js")).content == b"one, anew"
    assert successor(before).content == b"one, anew"
    assert successor(before)["Cache-Control"] != static.FOR_GOOD
    assert successor(also).status_code == 404


def test_the_version_is_that_of_the_contents_and_not_of_their_times(worker, tmp_path):
    """Two hosts have one, who got the same files at other times."""
    (tmp_path / "a.js").write_text("one")
    worker()
    before = address_of("a.js")
    os.utime(tmp_path / "a.js", (1, 1))
    worker()
    assert address_of("a.js") == before


def test_with_debug_a_file_is_read_each_time_and_has_no_version(worker, tmp_path):
    (tmp_path / "a.js").write_text("one")
    ask = worker(DEBUG=True)
    assert address_of("a.js") == "/static/a.js"
    (tmp_path / "a.js").write_text("two!")
    for path in ("/static/a.js", f"{OTHER}a.js"):
        assert (ask(path).content, ask(path)["Cache-Control"]) == (b"two!", "max-age=0, public")
