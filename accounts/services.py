"""Accounts: opening one and keeping it up to date. Addresses are in lower case throughout."""

from collections.abc import Sequence
from uuid import UUID

from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import lockout, passwords
from accounts.models import User, normal_email
from core import rate_limits
from core.text import one_line

Faults = dict[str, list[ValidationError]]  # by field


def sign_up(
    *,
    email: str,
    password: str,
    display_name: str,
    address: str,
    language: str = "",
    phone: str = "",
    any_password: bool = False,
) -> User:
    """A new account, for who asks from `address` (core/client_ip.py).

    Raises ValidationError: rate_limited, and by field, the e-mail's with code `unique`. That this
    tells who has an account can't be helped without sending mail; so every try counts.
    """
    rate_limits.hit("sign_up", address)
    user = User(
        email=normal_email(email),
        display_name=display_name,
        language=language,
        phone=phone.strip(),
    )
    found = _faults(user) | ({} if any_password else _faults_of_password(password, user))
    if found:
        raise ValidationError(found)
    passwords.asked_by.set(f"{address} {user.email}")
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:  # somebody was quicker, between our look and our insert
        text = _("There is already an account with this e-mail.")
        raise ValidationError({"email": ValidationError(text, "unique")}) from None
    return user


def faults(
    *, email: str = "", display_name: str = "", phone: str = "", password: str = ""
) -> Faults:
    """All that is wrong with those that are given; not whether the e-mail is taken, which only
    `sign_up` tells, where every try counts."""
    user = User(email=normal_email(email), display_name=display_name, phone=phone.strip())
    given = {"email": email, "display_name": display_name}
    missing = [name for name, text in given.items() if not text]
    found = _faults(user, but_for=missing, with_unique=False)
    return found | (_faults_of_password(password, user) if password else {})


def edit_profile(user: User, *, display_name: str, phone: str, language: str) -> User:
    user.display_name, user.phone, user.language = display_name, phone.strip(), language
    _check(user)
    user.save(update_fields=["display_name", "phone", "language"])
    return user


def change_password(
    request: HttpRequest, user: User, *, current: str, new: str, keep_device: UUID | None = None
) -> None:
    """Ends all other sign-ins.

    Raises ValidationError: rate_limited, locked_out, unavailable, and by field (current:
    `wrong_password`). A wrong one is a failed sign-in, of this address: who took over a browser or
    a phone guesses no faster than a stranger.
    """
    rate_limits.hit("password", str(user.pk))
    if authenticate(request, username=user.email, password=current) is None:
        raise _wrong_password(request)
    lockout.forget(request, user.email)
    try:
        validate_password(new, user)
    except ValidationError as error:
        raise ValidationError({"new": error.error_list}) from None
    user.set_password(new)
    with transaction.atomic():
        user.save(update_fields=["password"])
        others = user.devices.exclude(pk=keep_device) if keep_device else user.devices.all()
        others.delete()
        user.devices.update(password_mark=user.password_mark)


def _wrong_password(request: HttpRequest) -> ValidationError:
    if (refusal := lockout.refusal(request)) is not None:
        return refusal
    text = _("This is not your password.")
    return ValidationError({"current": ValidationError(text, "wrong_password")})


def _check(user: User) -> None:
    if found := _faults(user):
        raise ValidationError(found)


def _faults(user: User, but_for: Sequence[str] = (), with_unique: bool = True) -> Faults:
    found: Faults = {}
    if "display_name" not in but_for:
        try:
            user.display_name = one_line(user.display_name)
        except ValidationError as error:
            found["display_name"] = error.error_list
    known = {"password", *but_for, *found}
    try:
        user.full_clean(exclude=known, validate_constraints=False, validate_unique=with_unique)
    except ValidationError as error:
        found |= error.error_dict
    return found


def _faults_of_password(password: str, user: User) -> Faults:
    try:
        validate_password(password, user)
    except ValidationError as error:
        return {"password": error.error_list}
    return {}
