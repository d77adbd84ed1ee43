"""Access tokens: which ones count, and for how long after their sign-in has ended."""

import base64
import io
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import jwt
import pytest
from django.conf import settings
from django.core.cache import caches
from django.core.management import call_command
from django.db import connection

from accounts import devices, services, tokens
from accounts.models import Device
from tests.accounts.conftest import PASSWORD, request, sign_in_device, waiting_for

KEY = settings.SIMPLE_JWT["SIGNING_KEY"]


def claims(token):
    return jwt.decode(token, KEY, ["HS256"], audience="chattalk", issuer="chattalk")


def signed(payload, key=KEY, algorithm="HS256", headers=None):
    return jwt.encode(payload, key, algorithm, headers)


def test_a_token_says_who_where_for_whom_and_until_when(alice, pair):
    said = claims(pair.access)
    assert said["sub"] == str(alice.pk)
    assert said["sid"] == pair.device_id.hex
    assert said["token_type"] == "access"
    assert said["exp"] - said["iat"] == pair.expires_in == 600
    assert said["jti"] != claims(pair.refresh)["jti"]


def test_it_is_verified_into_the_person_and_the_device(alice, pair):
    identity = tokens.verify(pair.access)
    assert (identity.user, identity.device_id) == (alice, pair.device_id)
    assert identity.user.email == alice.email


def forged(pair):
    said = claims(pair.access)
    head, body, signature = pair.access.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    public = {"jwk": {"kty": "oct", "k": "eA"}, "jku": "http://evil.example/", "kid": "../../x"}
    return {
        "another key": signed(said, "k" * 64),
        "the secret key itself": signed(said, settings.SECRET_KEY),
        "alg none": f"{none}.{body}.",
        "alg none, signed": f"{none}.{body}.{signature}",
        "another algorithm": signed(said, KEY, "HS512"),
        "a key in the header": signed(said, "x" * 32, headers=public),
        "another audience": signed(said | {"aud": "else"}),
        "no audience": signed({k: v for k, v in said.items() if k != "aud"}),
        "another issuer": signed(said | {"iss": "else"}),
        "no end": signed({k: v for k, v in said.items() if k != "exp"}),
        "ended": signed(said | {"exp": said["iat"] - 60}),
        "not begun": signed(said | {"nbf": said["exp"]}),
        "no id": signed({k: v for k, v in said.items() if k != "jti"}),
        "no device": signed({k: v for k, v in said.items() if k != "sid"}),
        "a device of nobody": signed(said | {"sid": uuid4().hex}),
        "a device that is no id": signed(said | {"sid": ["x"]}),
        "another person": signed(said | {"sub": str(int(said["sub"]) + 1)}),
        "a person that is no number": signed(said | {"sub": "alice"}),
        "a refresh token": pair.refresh,
        "a flipped bit": f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}",
        "nothing": "",
        "no token": "abc",
        "no JSON": "a.b.c",
        "deep JSON": f"{head}.{deep()}.{signature}",
        "half a surrogate pair": "\ud800." + body + "." + signature,
        "very long": "x" * 100_000,
    }


def deep():
    return base64.urlsafe_b64encode(b"[" * 900 + b"]" * 900).decode().rstrip("=")


def test_what_is_forged_is_refused_whether_or_not_the_real_one_is_known(pair):
    for _ in range(2):
        for what, token in forged(pair).items():
            with pytest.raises(tokens.NotValid):
                tokens.verify(token)
                pytest.fail(what)
        tokens.verify(pair.access)


def test_the_second_look_asks_no_database(pair, django_assert_num_queries):
    with django_assert_num_queries(1):
        tokens.verify(pair.access)
    with django_assert_num_queries(0):
        assert tokens.verify(pair.access).user.display_name == "Alice"


def test_what_is_kept_has_no_password_and_no_token_in_it(pair, alice):
    tokens.verify(pair.access)
    redis = caches["tokens"].client.get_client()
    keys = list(redis.scan_iter("*token:*"))
    assert len(keys) == 1
    kept = redis.get(keys[0])
    assert pair.access.encode() not in keys[0] + kept
    assert alice.password.encode() not in kept


def test_it_is_kept_no_longer_than_it_lives(pair):
    tokens.verify(pair.access)
    redis = caches["tokens"].client.get_client()
    (key,) = redis.scan_iter("*token:*")
    assert 0 < redis.ttl(key) <= pair.expires_in


def end(how, alice, pair):
    if how == "this device":
        assert devices.revoke(alice.pk, pair.device_id)
    elif how == "all devices":
        assert devices.revoke_all(alice.pk) == 1
    elif how == "a new password":
        services.change_password(request(), alice, current=PASSWORD, new="another evening")
    elif how == "a new password by command":
        alice.set_password("another evening")
        alice.save()
    elif how == "deactivated":
        alice.is_active = False
        alice.save(update_fields=["is_active"])
    else:
        alice.delete()


ENDS = ["this device", "all devices", "a new password", "a new password by command", "deactivated"]


@pytest.mark.parametrize("how", [*ENDS, "deleted"])
@pytest.mark.parametrize("kept", [True, False])
def test_a_token_ends_with_its_sign_in_kept_or_not(transactional_db, alice, pair, how, kept):
    if kept:
        tokens.verify(pair.access)
    end(how, alice, pair)
    with pytest.raises(tokens.NotValid):
        tokens.verify(pair.access)


def test_another_device_stays_when_one_is_signed_out(alice, pair):
    other = sign_in_device(alice)
    devices.revoke(alice.pk, pair.device_id)
    assert tokens.verify(other.access).device_id == other.device_id


def test_nobody_signs_out_anothers_device(alice, bob, pair):
    assert not devices.revoke(bob.pk, pair.device_id)
    tokens.verify(pair.access)


def test_the_device_that_changes_the_password_stays(transactional_db, alice, pair):
    other = sign_in_device(alice)
    services.change_password(
        request(), alice, current=PASSWORD, new="another evening", keep_device=pair.device_id
    )
    tokens.verify(pair.access)
    with pytest.raises(tokens.NotValid):
        tokens.verify(other.access)


def test_a_new_name_is_seen_at_once(transactional_db, alice, pair):
    tokens.verify(pair.access)
    services.edit_profile(alice, display_name="Alicia", phone="", language="ko")
    assert tokens.verify(pair.access).user.display_name == "Alicia"


def test_what_is_kept_late_from_older_knowledge_counts_for_nothing(
    transactional_db, alice, pair, monkeypatch
):
    """The sign-in ends after the database was read, and before that is kept."""
    look = tokens._look

    def and_then_it_ends(token):
        facts = look(token)
        devices.revoke(alice.pk, pair.device_id)
        return facts

    monkeypatch.setattr(tokens, "_look", and_then_it_ends)
    tokens.verify(pair.access)  # it did count when it was looked at
    monkeypatch.setattr(tokens, "_look", look)
    with pytest.raises(tokens.NotValid):
        tokens.verify(pair.access)


def test_those_who_ask_for_the_same_at_once_look_once(transactional_db, pair, monkeypatch):
    looks, all_here = [], threading.Barrier(20)
    look = tokens._look

    def slow(token):
        looks.append(token)
        assert together.wait(10)
        return look(token)

    together = threading.Event()
    monkeypatch.setattr(tokens, "_look", slow)

    def verify():
        all_here.wait(10)
        return verified()

    def verified():
        try:
            return tokens.verify(pair.access).device_id
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(verify) for _ in range(20)]
        waiting_for(lambda: len(looks) == 1)
        together.set()
        assert {answer.result() for answer in answers} == {pair.device_id}
    # Who came after the first had answered may have looked again, but found it kept.
    assert len(looks) == 1


def test_devices_that_have_ended_are_over(alice, pair):
    Device.objects.update(expires_at=Device.objects.get().created_at - timedelta(seconds=1))
    with pytest.raises(tokens.NotValid):
        tokens.verify(pair.access)


def test_the_command_that_changes_a_password_ends_tokens_too(
    transactional_db, alice, pair, monkeypatch
):
    tokens.verify(pair.access)
    monkeypatch.setattr("getpass.getpass", lambda **_: "quite another evening")
    call_command("changepassword", alice.email, verbosity=0, stdout=io.StringIO())
    with pytest.raises(tokens.NotValid):
        tokens.verify(pair.access)
