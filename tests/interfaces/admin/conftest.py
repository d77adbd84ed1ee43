"""boss is a superuser, sam staff who may change rooms, pat staff who may change people."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import User
from messaging import services

BACKEND = "django.contrib.auth.backends.ModelBackend"


def staff(name, *rights):
    user = User.objects.create_user(f"{name}@example.com", display_name=name.title(), is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return user


def signed_in(user):
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


@pytest.fixture(autouse=True)
def committed(transactional_db):
    """People are seated by a thread of the door, on a connection of its own."""


@pytest.fixture
def boss(db):
    return User.objects.create_superuser("boss@example.com", display_name="Boss")


@pytest.fixture
def sam(db):
    return staff("sam", "view_room", "change_room")


@pytest.fixture
def viewer(db):
    return staff("viewer", "view_room", "view_user")


@pytest.fixture
def pat(db):
    return staff("pat", "view_user", "change_user")


@pytest.fixture
def room(alice, bob):
    room = services.open_room(alice, title="Tea", capacity=10)
    services.join(room.pk, bob)
    room.refresh_from_db()
    return room


def history_of(client, target):
    """What the object's history page says."""
    label, model = target._meta.app_label, target._meta.model_name
    answer = client.get(f"/admin/{label}/{model}/{target.pk}/history/")
    assert answer.status_code == 200
    return [entry.get_change_message() for entry in answer.context["action_list"]]
