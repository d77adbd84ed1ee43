"""Whether a sign-in holds: the one rule, as Python asks it of one, and PostgreSQL of many at once.

A sign-in is a session or a device. It holds while its row is there and has not expired, its person
is active, and what it was made with is theirs still: the password, and of a session the count of
their sign-outs everywhere. tests/accounts/test_validity.py asks both forms of each end.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, load_backend
from django.contrib.auth.backends import ModelBackend
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.models import Device, User
from core.postgresql import arrays


class Proof(NamedTuple):
    """What a sign-in was shown by: a session, with its person's `session_mark` of then; or a
    device, which knows the `password_mark` of its sign-in itself."""

    user_id: int
    session: str | None = None
    mark: str | None = None
    device: UUID | None = None


def device_holds(device: Device) -> bool:
    same_password = device.password_mark == device.user.password_mark
    return device.user.is_active and same_password and device.expires_at > timezone.now()


def session_owner(held: Mapping[str, Any], people: Mapping[int, User]) -> User | None:
    """The one of these people whose session holds this, judged as `django.contrib.auth.get_user`
    does. That it has not expired its loader sees."""
    user = people.get(int(held.get(SESSION_KEY, 0)))
    name, mark = held.get(BACKEND_SESSION_KEY), held.get(HASH_SESSION_KEY)
    if user is None or not mark or name not in settings.AUTHENTICATION_BACKENDS:
        return None
    backend = load_backend(name)
    if not isinstance(backend, ModelBackend) or not backend.user_can_authenticate(user):
        return None
    good = chain([user.get_session_auth_hash()], user.get_session_auth_fallback_hash())
    return user if any(constant_time_compare(mark, one) for one in good) else None


# Whether each of these holds, and the person's name if it is another than the one given. The marks
# are those of accounts/models.py.
# Uses indexes: django_session_pkey, accounts_device_pkey, accounts_user_pkey.
HOLD = """
SELECT u.id IS NOT NULL AND (
    s.session_key IS NOT NULL AND u.sign_outs || ':' || u.password = p.mark
    OR d.id IS NOT NULL AND d.password_mark = encode(sha256(convert_to(u.password, 'UTF8')), 'hex')
), CASE WHEN u.display_name <> p.name THEN u.display_name END
FROM unnest(%(users)s::bigint[], %(names)s::text[], %(sessions)s::text[], %(marks)s::text[],
            %(devices)s::uuid[]) WITH ORDINALITY AS p (user_id, name, session, mark, device, n)
LEFT JOIN django_session s ON s.session_key = p.session AND s.expire_date > now()
LEFT JOIN accounts_device d
       ON d.id = p.device AND d.user_id = p.user_id AND d.expires_at > now()
LEFT JOIN accounts_user u ON u.id = p.user_id AND u.is_active
ORDER BY p.n
"""


def hold_params(proofs: Sequence[Proof], names: Sequence[str]) -> dict[str, str]:
    return {
        "users": arrays.of_numbers(proof.user_id for proof in proofs),
        "names": arrays.of_texts(names),
        "sessions": arrays.of_texts(proof.session for proof in proofs),
        "marks": arrays.of_texts(proof.mark for proof in proofs),
        "devices": arrays.of_plain(str(proof.device or "NULL") for proof in proofs),
    }
