"""What staff do to other people's accounts; each thing on the audit trail.

Nobody raises their own rights: only superusers give rights, and only they touch staff.
"""

from collections.abc import Collection

from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from accounts import audit, devices
from accounts import services as accounts
from accounts.models import User, normal_email


def may_manage(person: User, by: User) -> bool:
    """Superusers may all; other staff with the right to change people, those who are not staff."""
    if not (by.is_active and by.is_staff and by.has_perm("accounts.change_user")):
        return False
    return by.is_superuser or not (person.is_staff or person.is_superuser)


def _locked(user_id: int, by: User) -> User:
    person = User.objects.select_for_update(no_key=True).get(pk=user_id)
    if not may_manage(person, by):
        raise PermissionDenied(_("You may not change this person."))
    return person


def deactivate(user_id: int, by: User) -> bool:
    """They can't sign in, and are signed out everywhere. False if it was so before.

    Raises User.DoesNotExist, PermissionDenied, ValidationError(self).
    """
    if user_id == by.pk:
        raise ValidationError(_("You can't deactivate yourself."), code="self")
    with transaction.atomic():
        person = _locked(user_id, by)
        if not person.is_active:
            return False
        person.is_active = False
        person.save(update_fields=["is_active"])
        _end_sign_ins(person)
        audit.record(by, person, "deactivated")
    return True


def reactivate(user_id: int, by: User) -> bool:
    """They may sign in again; no earlier sign-in comes back. False if they were active.

    Raises User.DoesNotExist, PermissionDenied.
    """
    with transaction.atomic():
        person = _locked(user_id, by)
        if person.is_active:
            return False
        person.is_active = True
        person.save(update_fields=["is_active"])
        audit.record(by, person, "reactivated")
    return True


def sign_out_everywhere(user_id: int, by: User) -> None:
    """End all sessions and devices; open sockets close within 2 s.

    Raises User.DoesNotExist, PermissionDenied.
    """
    with transaction.atomic():
        person = _locked(user_id, by)
        _end_sign_ins(person)
        audit.record(by, person, "signed out everywhere")


def _end_sign_ins(person: User) -> None:
    person.sign_outs = F("sign_outs") + 1
    person.save(update_fields=["sign_outs"])
    devices.revoke_all(person.pk)


def edit_person(
    user_id: int, by: User, *, email: str, display_name: str, phone: str, language: str
) -> User:
    """Raises PermissionDenied, ValidationError by field."""
    with transaction.atomic():
        person = _locked(user_id, by)
        person.email = normal_email(email)
        if User.objects.exclude(pk=user_id).filter(email=person.email).exists():
            text = _("There is already an account with this e-mail.")
            raise ValidationError({"email": ValidationError(text, "unique")})
        accounts.edit_profile(person, display_name=display_name, phone=phone, language=language)
        person.save(update_fields=["email"])
        audit.record(by, person, f"changed the account: {person.email}, {person.display_name!r}")
    return person


def set_rights(
    user_id: int,
    by: User,
    *,
    is_staff: bool,
    is_superuser: bool,
    groups: Collection[Group],
    user_permissions: Collection[Permission],
) -> User:
    """Raises PermissionDenied (only superusers may), ValidationError(self)."""
    with transaction.atomic():
        person = _locked(user_id, by)
        if not by.is_superuser:
            raise PermissionDenied(_("Only superusers give rights."))
        if user_id == by.pk and not (is_staff and is_superuser):
            raise ValidationError(_("You can't take away your own rights."), code="self")
        person.is_staff, person.is_superuser = is_staff, is_superuser
        person.save(update_fields=["is_staff", "is_superuser"])
        person.groups.set(groups)
        person.user_permissions.set(user_permissions)
        names = sorted([g.name for g in groups] + [p.codename for p in user_permissions])
        what = f"staff {is_staff}, superuser {is_superuser}, {', '.join(names) or 'nothing else'}"
        audit.record(by, person, f"set the rights: {what}")
    return person
