"""Whether a sign-in holds: both forms of the rule know each of its ends."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import validity
from accounts.models import Device
from accounts.validity import Proof
from tests.accounts.conftest import owners

User = get_user_model()


def by_sql(proof, name="Alice"):
    with connection.cursor() as cursor:
        cursor.execute(validity.HOLD, validity.hold_params([proof], [name]))
        ((holds, _other_name),) = cursor.fetchall()
    return holds


def change(**fields):
    User.objects.filter(email="alice@example.com").update(**fields)


def new_password():
    user = User.objects.get(email="alice@example.com")
    user.set_password("ten green bottles")
    user.save()


PERSON = {
    "deactivated": lambda: change(is_active=False),
    "a new password": new_password,
}
EARLIER = timezone.now() - timedelta(days=1)
SESSION = PERSON | {
    "signed out": lambda: Session.objects.all().delete(),
    "signed out everywhere": lambda: change(sign_outs=1),
    "expired": lambda: Session.objects.update(expire_date=EARLIER),
    "nobody's": lambda: User.objects.all().delete(),
}
DEVICE = PERSON | {
    "signed out": lambda: Device.objects.all().delete(),
    "expired": lambda: Device.objects.update(expires_at=EARLIER),
    "nobody's": lambda: User.objects.all().delete(),
}


@pytest.mark.parametrize("end", SESSION)
def test_a_session_holds_until_its_end_in_both_forms(alice, end):
    client = Client()
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    key = client.session.session_key
    proof = Proof(alice.pk, session=key, mark=alice.session_mark)
    assert (owners([key]), by_sql(proof)) == ([alice], True)
    SESSION[end]()
    cache.clear()  # which a sign-out does by itself
    assert (owners([key]), by_sql(proof)) == ([None], False)


@pytest.mark.parametrize("end", DEVICE)
def test_a_device_holds_until_its_end_in_both_forms(alice, pair, end):
    proof = Proof(alice.pk, device=pair.device_id)
    assert (holds(pair.device_id), by_sql(proof)) == (True, True)
    DEVICE[end]()
    assert (holds(pair.device_id), by_sql(proof)) == (False, False)


def holds(device_id):
    device = Device.objects.select_related("user").filter(pk=device_id).first()
    return device is not None and validity.device_holds(device)


def test_a_proof_of_somebody_elses_holds_for_nobody(alice, pair):
    other = User.objects.create_user("bob@example.com", display_name="Bob")
    assert by_sql(Proof(alice.pk, device=pair.device_id))
    assert not by_sql(Proof(other.pk, device=pair.device_id), "Bob")
    assert not by_sql(Proof(alice.pk))
