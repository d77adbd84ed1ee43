"""What browsers are told of each page, and that nothing is left to say before going live."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "DEBUG": "false",
    "SECRET_KEY": "only for this test: " + "0123456789" * 5,
    "ALLOWED_HOSTS": "chat.example.org",
}


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/accounts/sign-in/", "/api/v1/me/", "/nowhere/"])
def test_every_answer_tells_browsers_what_it_does_not_need(client, path):
    answer = client.get(path)
    assert "camera=()" in answer["Permissions-Policy"]
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in answer["Content-Security-Policy"]


LOOK = """
import django; django.setup()
from django.conf import settings as s
from django.core.management import call_command
from django.test import Client
call_command("check", "--deploy", "--fail-level", "WARNING")
plain = Client(headers={"Host": "chat.example.org"}).get("/jsi18n/", secure=False)
safe = Client(headers={"Host": "chat.example.org"}).get("/jsi18n/", secure=True)
print(plain.status_code, plain["Location"])
print(safe.status_code, safe["Strict-Transport-Security"])
print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SESSION_COOKIE_HTTPONLY)
"""


def test_with_the_settings_of_production_no_warning_is_left():
    run = subprocess.run(
        [sys.executable, "-c", LOOK], cwd=ROOT, env=os.environ | PRODUCTION,
        capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()[-3:]
    assert lines[0] == "301 https://chat.example.org/jsi18n/"
    assert lines[1] == "200 max-age=31536000; includeSubDomains; preload"
    assert lines[2] == "True True True"


def test_the_example_names_what_production_needs():
    example = (ROOT / ".env.example").read_text()
    assert all(f"#{name}=" in example for name in PRODUCTION)
