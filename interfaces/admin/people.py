"""People: what staff see of them and do to them, through accounts/moderation.py."""

from collections.abc import Callable

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import FilteredSelectMultiple
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group, Permission
from django.forms import model_to_dict
from django.utils.translation import gettext_lazy as _

from accounts import devices, moderation
from accounts.models import User, normal_email
from core.text import one_line
from interfaces.admin.object_actions import Panel, Step, StepsAdmin
from interfaces.web.account_forms import MISSING, ProfileForm


class NewPersonForm(AdminUserCreationForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.error_messages["required"] = MISSING.get(name, MISSING["password"])

    def clean_email(self):
        return normal_email(self.cleaned_data["email"])

    def clean_display_name(self):
        return one_line(self.cleaned_data["display_name"])


class PersonForm(ProfileForm):
    email = forms.EmailField(
        label=_("E-mail"), max_length=254, error_messages={"required": MISSING["email"]}
    )
    field_order = ["email", "display_name", "phone", "language"]


class RightsForm(forms.Form):
    is_staff = forms.BooleanField(label=_("staff"), required=False)
    is_superuser = forms.BooleanField(label=_("May do everything"), required=False)
    groups = forms.ModelMultipleChoiceField(
        Group.objects.all(),
        label=_("groups"),
        required=False,
        widget=FilteredSelectMultiple(_("groups"), False),
    )
    user_permissions = forms.ModelMultipleChoiceField(
        Permission.objects.select_related("content_type"),
        label=_("rights"),
        required=False,
        widget=FilteredSelectMultiple(_("rights"), False),
    )


def _person_form(person, by, data):
    return PersonForm(data, initial=model_to_dict(person, PersonForm.base_fields))


def _rights_form(person, by, data):
    return RightsForm(data, initial=model_to_dict(person, RightsForm.base_fields))


def _edit(person, by, **fields):
    moderation.edit_person(person.pk, by, **fields)
    return _("The account is changed.")


def _set_rights(person, by, **fields):
    moderation.set_rights(person.pk, by, **fields)
    return _("The rights are set.")


def _deactivate(person, by):
    was_active = moderation.deactivate(person.pk, by)
    return _("The account is deactivated.") if was_active else _("It was deactivated before.")


def _reactivate(person, by):
    was_inactive = moderation.reactivate(person.pk, by)
    return _("The account is active again.") if was_inactive else _("It was active before.")


def _sign_out(person, by):
    moderation.sign_out_everywhere(person.pk, by)
    return _("Signed out everywhere.")


@admin.register(User)
class PersonAdmin(StepsAdmin, UserAdmin):
    steps = [
        Step("edit", _("Change the account…"), "", _edit, _person_form),
        Step(
            "rights",
            _("Rights…"),
            _("What this person may do in the admin. Only superusers give rights."),
            _set_rights,
            _rights_form,
            offered=lambda person, by: by.is_superuser,
        ),
        Step(
            "sign-out",
            _("Sign out everywhere…"),
            _("All browsers and devices are signed out, and open connections close at once."),
            _sign_out,
            many=_("Sign out everywhere"),
            is_destructive=True,
        ),
        Step(
            "deactivate",
            _("Deactivate…"),
            _("They can't sign in any more and are signed out everywhere. Their seats stay."),
            _deactivate,
            offered=lambda person, by: person.is_active and person != by,
            many=_("Deactivate"),
            is_destructive=True,
        ),
        Step(
            "reactivate",
            _("Reactivate…"),
            _("They may sign in again, with the password they had."),
            _reactivate,
            offered=lambda person, by: not person.is_active,
            many=_("Reactivate"),
        ),
    ]
    more_panels: list[Callable] = []  # what other apps know of a person
    ordering = ["-pk"]
    list_display = ["email", "display_name", "is_active", "is_staff", "date_joined", "last_login"]
    list_filter = ["is_active", "is_staff", "language"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["email", "display_name"]
    fieldsets = [
        (None, {"fields": ["email", "display_name", "phone", "language"]}),
        (_("Rights"), {"fields": ["is_active", "is_staff", "is_superuser", "rights"]}),
        (_("Dates"), {"fields": ["date_joined", "last_login"]}),
    ]
    add_form = NewPersonForm
    add_fieldsets = [
        (None, {"fields": ["email", "display_name", "usable_password", "password1", "password2"]})
    ]

    def has_add_permission(self, request):
        return request.user.has_perms(["accounts.add_user", "accounts.change_user"])

    def has_change_permission(self, request, obj=None):
        may = super().has_change_permission(request, obj)
        return may and (obj is None or moderation.may_manage(obj, request.user))

    @admin.display(description=_("groups and rights"))
    def rights(self, person):
        groups = [group.name for group in person.groups.all()]
        rights = person.user_permissions.values_list("codename", flat=True)
        return ", ".join([*groups, *rights]) or "–"

    def panels(self, request, person):
        signed_in = devices.devices(person.pk)[: devices.DEVICES_MAX]
        mine = Panel("admin/_devices.html", {"devices": signed_in})
        return [mine, *(panel(request, person) for panel in self.more_panels)]


admin.site.unregister(Group)


@admin.register(Group)
class RightsGroupAdmin(GroupAdmin):
    """Whoever may change a group they are in could raise their own rights: superusers only."""

    def has_module_permission(self, request):
        return request.user.is_active and request.user.is_superuser

    def has_view_permission(self, request, obj=None):
        return self.has_module_permission(request)

    has_change_permission = has_delete_permission = has_view_permission

    def has_add_permission(self, request):
        return self.has_module_permission(request)
