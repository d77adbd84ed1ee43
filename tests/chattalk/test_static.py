"""The files that pages are made of, as they are served."""

from pathlib import Path

from django.conf import settings

from chattalk.server import static


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
