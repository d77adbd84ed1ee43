"""Every page and action of the admin for rooms and people, by everyone in docs/policy.md."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.models import User
from rooms.models import Room
from tests.doors.policy import ROLES, scene, table

ROOMS, PEOPLE = "Admin", "Admin: people"
BACKEND = "django.contrib.auth.backends.ModelBackend"
OF_EVERYBODY = {"login", "logout", "view_on_site"}  # the way in and out
CHOSEN = {"shape": "csv", "title": "Tea", "capacity": "9", "email": "new@example.com"}
CHOSEN |= {"display_name": "New"}


def routes():
    """The names of all routes of the admin, but those of models that are Django's or axes'."""
    found = {route.name for route in admin.site.urls[0] if getattr(route, "name", None)}
    for model in (Room, User):
        found |= {route.name for route in admin.site.get_model_admin(model).urls if route.name}
    return (found | {"app_list"}) - OF_EVERYBODY


def actions(model):
    shown_by = admin.site.get_model_admin(model)
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True, is_active=True, is_staff=True)
    return {
        f"{model._meta.label_lower.replace('.', '_')} action {name}"
        for name in shown_by.get_actions(request)
    }


def test_every_page_and_action_has_a_row():
    assert set(table(ROOMS)) | set(table(PEOPLE)) == routes() | actions(Room) | actions(User)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("door", [ROOMS, PEOPLE])
def test_each_cell_is_as_the_policy_says(transactional_db, door, role):
    here = scene(role)
    if door == PEOPLE and role == "staff":
        rights = Permission.objects.filter(codename__in=["view_user", "change_user"])
        here.actor.user_permissions.set(rights)
    expected = {operation: cells[role] for operation, cells in table(door).items()}
    assert {operation: answered(operation, here) for operation in expected} == expected


def answered(operation, here):
    client = Client()
    if here.actor is not None:
        client.force_login(here.actor, backend=BACKEND)
    page, _, action = operation.partition(" action ")
    if action:
        target = here.room.pk if page == "rooms_room" else here.mate.pk
        chosen = {"action": action, "_selected_action": [target], "confirmed": "yes"}
        return outcome(client.post(reverse(f"admin:{page}_changelist"), chosen))
    address = reverse(f"admin:{page}", args=arguments(page, here))
    shown = client.get(address)
    if shown.status_code == 200 and is_step(page):
        return outcome(client.post(address, CHOSEN))
    return outcome(shown)


def arguments(page, here):
    whole = {"index", "status", "autocomplete", "jsi18n", "password_change", "password_change_done"}
    if page in whole or page.endswith(("_changelist", "_add")):
        return []
    if page == "app_list":
        return ["rooms"]
    if page.startswith("rooms_room"):
        person = [here.mate.pk] if page.endswith(("_transfer", "_remove")) else []
        return [here.room.pk, *person]
    return [here.mate.pk]


def is_step(page):
    steps = {
        f"{model._meta.label_lower.replace('.', '_')}_{step.name}"
        for model in (Room, User)
        for step in admin.site.get_model_admin(model).steps
    }
    return page in steps


def outcome(answer):
    if answer.status_code == 302:
        return "sign in" if "/login/" in answer["Location"] else "done"
    if answer.status_code == 200:
        return "file" if answer.streaming else "shown"
    return str(answer.status_code)
