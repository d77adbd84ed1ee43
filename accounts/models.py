"""People: one account per e-mail address, whatever its capitals; and where they signed in."""

from __future__ import annotations

import hashlib
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

DISPLAY_NAME_MAX = 40  # characters


def normal_email(text: str) -> str:
    return text.strip().lower()


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: object) -> User:
        user = self.model(email=normal_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    email = models.EmailField(
        _("e-mail"),
        max_length=254,
        unique=True,
        error_messages={"unique": _("There is already an account with this e-mail.")},
    )
    display_name = models.CharField(_("display name"), max_length=DISPLAY_NAME_MAX)
    phone = models.CharField(
        _("phone"),
        max_length=20,
        blank=True,
        validators=[RegexValidator(r"^\+?[0-9][0-9 -]{5,18}$", _("Enter a phone number."))],
    )
    language = models.CharField(
        _("language"),
        max_length=5,
        blank=True,
        choices=[("", _("As the browser asks")), ("en", "English"), ("ko", "한국어")],
    )
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    date_joined = models.DateTimeField(_("joined"), default=timezone.now, editable=False)
    # How often they were signed out everywhere: a session of before counts for nothing.
    sign_outs = models.PositiveIntegerField(default=0, db_default=0, editable=False)

    objects = UserManager()

    EMAIL_FIELD = USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["display_name"]

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            # With the unique index: one account per address, whatever its capitals.
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="email_in_lower_case"
            )
        ]

    def __str__(self) -> str:
        return self.display_name or self.email

    def get_short_name(self) -> str:
        return self.display_name

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Django's, and another one after each sign-out everywhere: no session has to be found."""
        of_password: str = super()._get_session_auth_hash(secret)  # type: ignore[misc]
        return f"{of_password}{self.sign_outs}" if self.sign_outs else of_password

    @property
    def session_mark(self) -> str:
        """What a session stands on. PostgreSQL makes it, too: accounts/validity.py."""
        return f"{self.sign_outs}:{self.password}"

    @property
    def password_mark(self) -> str:
        """Changes with the password. PostgreSQL makes it, too: accounts/validity.py."""
        return hashlib.sha256(self.password.encode()).hexdigest()


class Device(models.Model):
    """One sign-in by token: a family of refresh tokens, of which exactly one is good.

    It ends when its row goes, when it expires, and when the password is no longer that of its
    sign-in. Its access tokens name it (`sid`) and end with it.
    """

    id = models.UUIDField(primary_key=True, default=uuid4)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="devices",
        verbose_name=_("person"),
    )
    label = models.CharField(_("device"), max_length=200, blank=True)  # as its User-Agent says
    password_mark = models.CharField(max_length=64, editable=False)
    # The refresh token that is good, the one that it came from, and who showed that one.
    refresh_id = models.UUIDField(default=uuid4, editable=False)
    spent_id = models.UUIDField(null=True, editable=False)
    spent_by = models.CharField(max_length=64, blank=True, editable=False)
    created_at = models.DateTimeField(_("signed in"), default=timezone.now, editable=False)
    refreshed_at = models.DateTimeField(_("last used"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("ends"), editable=False)

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")

    def __str__(self) -> str:
        return self.label or str(self.pk)
