#!/usr/bin/env bash
# What a Korean keyboard types as laughter, ㅋㅋㅋ (Hangul compatibility jamo, U+314B), is changed by
# the form field of Django's user creation into other letters (U+110F, leading consonants that wait
# for a vowel), for it normalizes to NFKC. A REST serializer made from the same model by Django REST
# framework leaves it as it is: so one name, typed alike at two doors, makes two people.
# Source: UsernameField.to_python in django/contrib/auth/forms.py, and the run below.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "Django==5.2.19" "djangorestframework==3.18.3"
"$work/venv/bin/python" - <<'PYTHON'
import sys

import django
from django.conf import settings

settings.configure(INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"])
django.setup()
import rest_framework
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.models import User
from rest_framework.serializers import ModelSerializer


class UserSerializer(ModelSerializer):
    class Meta:
        model = User
        fields = ["username"]
        extra_kwargs = {"username": {"validators": []}}  # uniqueness would ask a database


typed = "ㅋㅋㅋ"
by_form = UsernameField().clean(typed)
serializer = UserSerializer(data={"username": typed})
serializer.is_valid(raise_exception=True)
by_api = serializer.validated_data["username"]
print(f"Django {django.__version__}, Django REST framework {rest_framework.__version__}")
for name, text in (("typed", typed), ("by the form", by_form), ("by the API", by_api)):
    print(f"{name:12} {text}  {' '.join(f'U+{ord(sign):04X}' for sign in text)}")
sys.exit(not (by_api == typed != by_form == "\u110f" * 3))
PYTHON
