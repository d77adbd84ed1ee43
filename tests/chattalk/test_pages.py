"""What every page has, and the pages for when something went wrong."""

import re
from pathlib import Path

import pytest
from django.test import Client, RequestFactory
from django.views.defaults import server_error

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"


@pytest.mark.django_db
@pytest.mark.parametrize(("language", "words"), [("en", "Nothing here"), ("ko", "없습니다")])
def test_an_address_that_leads_nowhere_says_so_in_the_readers_language(client, language, words):
    answer = client.get("/nowhere/", headers={"Accept-Language": language})
    assert answer.status_code == 404
    assert words in answer.content.decode()


@pytest.mark.django_db
def test_a_form_without_its_token_is_explained():
    answer = Client(enforce_csrf_checks=True).post("/accounts/sign-in/", {})
    assert answer.status_code == 403
    assert "open for too long" in answer.content.decode()


def test_the_page_of_a_broken_server_needs_no_database():
    answer = server_error(RequestFactory().get("/"))
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.content.decode()


@pytest.mark.django_db
def test_a_page_has_language_landmarks_and_a_way_past_the_header(client):
    page = client.get("/accounts/sign-in/").content.decode()
    assert '<html lang="en">' in page
    assert '<a class="skip" href="#main">' in page
    for landmark in ("<header", "<nav", '<main id="main"'):
        assert landmark in page


@pytest.mark.django_db
def test_scripts_and_styles_come_from_our_own_files_only(client):
    policy = client.get("/")["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "style-src 'self'"} <= set(policy)


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_no_template_has_an_inline_script_or_style(path):
    source = path.read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", source)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", source))
