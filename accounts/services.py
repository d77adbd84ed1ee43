"""Accounts: opening one and keeping it up to date. Addresses are in lower case throughout."""

from uuid import UUID

from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import lockout, pace, passwords
from accounts.models import User, normal_email
from accounts.text import one_line


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
    """A new account, for who asks from `address` (accounts/addresses.py).

    Raises ValidationError: rate_limited, and by field, the e-mail's with code `unique`. That this
    tells who has an account can't be helped without sending mail; so every try counts.
    """
    pace.spend("sign_up", address)
    user = User(
        email=normal_email(email),
        display_name=display_name,
        language=language,
        phone=phone.strip(),
    )
    _check(user)
    try:
        if not any_password:
            validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.error_list}) from None
    passwords.asked_by.set(f"{address} {user.email}")
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:  # somebody was quicker, between our look and our insert
        text = _("There is already an account with this e-mail.")
        raise ValidationError({"email": ValidationError(text, "unique")}) from None
    return user


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
    pace.spend("password", str(user.pk))
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
    try:
        user.display_name = one_line(user.display_name)
    except ValidationError as error:
        raise ValidationError({"display_name": error.error_list}) from None
    user.full_clean(exclude=["password"], validate_constraints=False)
