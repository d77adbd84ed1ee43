"""What staff do to accounts: no right is raised, and each thing is on the trail."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts import devices, moderation
from accounts.models import User
from tests.accounts.conftest import request
from tests.interfaces.admin.conftest import history_of, signed_in

PASSWORD = "nine green bottles"


def page(person, step="change"):
    return f"/admin/accounts/user/{person.pk}/{step}/"


def test_deactivating_ends_sessions_and_devices_for_good(pat, bob):
    bob.set_password(PASSWORD)
    bob.save()
    browser, staff = signed_in(bob), signed_in(pat)
    devices.sign_in(request(), bob.email, PASSWORD)
    staff.post(page(bob, "deactivate"))
    assert browser.get("/accounts/profile/").status_code == 302
    assert not devices.devices(bob.pk).exists()
    staff.post(page(bob, "reactivate"))
    assert User.objects.get(pk=bob.pk).is_active
    assert browser.get("/accounts/profile/").status_code == 302  # that session does not come back
    assert signed_in(User.objects.get(pk=bob.pk)).get("/accounts/profile/").status_code == 200
    assert history_of(staff, bob) == ["deactivated", "reactivated"]


def test_signing_out_everywhere_leaves_the_account_and_the_others_alone(pat, bob, charlie):
    browser, other, staff = signed_in(bob), signed_in(charlie), signed_in(pat)
    staff.post(page(bob, "sign-out"))
    assert browser.get("/accounts/profile/").status_code == 302
    assert other.get("/accounts/profile/").status_code == 200
    assert signed_in(User.objects.get(pk=bob.pk)).get("/accounts/profile/").status_code == 200
    assert history_of(staff, bob) == ["signed out everywhere"]


def test_an_account_is_changed_by_the_rules_of_accounts(pat, bob, charlie):
    client = signed_in(pat)
    fields = {"email": "Bobby@Example.com", "display_name": "Bobby", "phone": "", "language": "ko"}
    refused = client.post(page(bob, "edit"), fields | {"email": charlie.email})
    assert "already an account" in refused.content.decode()
    refused = client.post(page(bob, "edit"), fields | {"display_name": "\u3164"})
    assert "can be seen" in refused.content.decode()
    assert client.post(page(bob, "edit"), fields).status_code == 302
    changed = User.objects.get(pk=bob.pk)
    assert (changed.email, changed.display_name, changed.language) == (
        "bobby@example.com",
        "Bobby",
        "ko",
    )
    assert history_of(client, bob) == ["changed the account: bobby@example.com, 'Bobby'"]


@pytest.mark.parametrize("step", ["edit", "sign-out", "deactivate", "password", "rights"])
def test_staff_may_not_touch_other_staff_nor_superusers(pat, boss, viewer, step):
    for person in (boss, viewer):
        assert signed_in(pat).get(page(person, step)).status_code == 403
        assert signed_in(pat).post(page(person, step), {"is_superuser": "on"}).status_code == 403
    assert User.objects.get(pk=boss.pk).is_active


def test_staff_give_no_rights_not_even_to_themselves(pat, bob):
    for person in (pat, bob):
        asked = {"is_staff": "on", "is_superuser": "on"}
        assert signed_in(pat).post(page(person, "rights"), asked).status_code == 403
        assert not User.objects.get(pk=person.pk).is_superuser
    assert signed_in(pat).get("/admin/auth/group/").status_code == 403


def test_a_superuser_gives_rights_but_keeps_their_own(boss, bob):
    client = signed_in(boss)
    assert client.get(page(bob, "rights")).status_code == 200
    client.post(page(bob, "rights"), {"is_staff": "on"})
    assert User.objects.get(pk=bob.pk).is_staff
    answer = client.post(page(boss, "rights"), {})
    assert "own rights" in answer.content.decode()
    assert User.objects.get(pk=boss.pk).is_superuser
    assert "set the rights: staff True" in history_of(client, bob)[0]


def test_nobody_deactivates_themselves(boss):
    with pytest.raises(ValidationError):
        moderation.deactivate(boss.pk, boss)


def test_the_service_refuses_who_is_no_staff(bob, charlie):
    with pytest.raises(PermissionDenied):
        moderation.deactivate(bob.pk, charlie)


@pytest.mark.parametrize("step", ["change", "password", "edit"])
def test_no_page_shows_a_password_hash(boss, bob, step):
    bob.set_password(PASSWORD)
    bob.save()
    answer = signed_in(boss).get(page(bob, step)).content.decode()
    assert "argon2" not in answer and bob.password[-12:] not in answer


def test_a_person_who_may_only_look_sees_no_hash_either(viewer, bob):
    bob.set_password(PASSWORD)
    bob.save()
    assert "argon2" not in signed_in(viewer).get(page(bob)).content.decode()


def test_a_person_has_rooms_and_devices_on_their_page(boss, bob, room):
    bob.set_password(PASSWORD)
    bob.save()
    devices.sign_in(request("Talk/1.0"), bob.email, PASSWORD)
    answer = signed_in(boss).get(page(bob)).content.decode()
    assert "Tea" in answer and "Talk/1.0" in answer


def test_a_person_is_added_by_the_rules_of_accounts(boss):
    fields = {"email": "New@Example.com", "display_name": "New", "usable_password": "true"}
    fields |= {"password1": PASSWORD, "password2": PASSWORD}
    assert signed_in(boss).post("/admin/accounts/user/add/", fields).status_code == 302
    assert User.objects.filter(email="new@example.com", is_staff=False).exists()


def test_nobody_is_deleted_here(boss, bob):
    assert signed_in(boss).post(page(bob, "delete"), {"post": "yes"}).status_code == 403


def test_many_are_deactivated_after_a_confirmation_and_each_refusal_is_said(pat, bob, boss):
    chosen = {"action": "deactivate", "_selected_action": [bob.pk, boss.pk]}
    client = signed_in(pat)
    client.post("/admin/accounts/user/", chosen)
    assert User.objects.get(pk=bob.pk).is_active
    answer = client.post("/admin/accounts/user/", chosen | {"confirmed": "yes"}, follow=True)
    assert not User.objects.get(pk=bob.pk).is_active
    assert User.objects.get(pk=boss.pk).is_active
    assert "You may not change this person." in answer.content.decode()
