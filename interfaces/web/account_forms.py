"""Forms show and collect. What is allowed, accounts/services.py decides."""

from typing import Any

from django import forms
from django.contrib.auth import forms as auth
from django.utils.translation import gettext_lazy as _

from accounts.models import DISPLAY_NAME_MAX, User, normal_email
from accounts.passwords import PASSWORD_MAX
from accounts.services import faults

# What is said where nothing was entered.
MISSING = {
    "email": _("Enter an e-mail."),
    "display_name": _("Enter a name."),
    "password": _("Enter a password."),
}


class SignUpForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        error_messages={"required": MISSING["email"]},
        widget=forms.EmailInput({"autocomplete": "email", "autofocus": True}),
    )
    display_name = forms.CharField(
        label=_("Display name"),
        max_length=DISPLAY_NAME_MAX,
        error_messages={"required": MISSING["display_name"]},
        help_text=_("What others see beside your messages."),
        widget=forms.TextInput({"autocomplete": "nickname"}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=PASSWORD_MAX,
        strip=False,
        error_messages={"required": MISSING["password"]},
        help_text=_("At least 8 characters. No common password, not only digits."),
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        """Tells what is wrong with the rest beside what is missing. Where nothing is missing,
        `sign_up` tells all of it."""
        if self.errors:
            for name, wrong in faults(**self.cleaned_data).items():
                self.add_error(name, wrong)
        return self.cleaned_data


class SignInForm(auth.AuthenticationForm):
    # One sentence for unknown e-mail and wrong password: it tells nobody who has an account.
    error_messages = {
        "invalid_login": _("E-mail or password is not right."),
        "inactive": _("E-mail or password is not right."),
    }
    username = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        error_messages={"required": MISSING["email"]},
        widget=forms.EmailInput({"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=PASSWORD_MAX,
        strip=False,
        error_messages={"required": MISSING["password"]},
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )

    def clean_username(self) -> str:
        return normal_email(self.cleaned_data["username"])


class ProfileForm(forms.Form):
    display_name = forms.CharField(
        label=_("Display name"),
        max_length=DISPLAY_NAME_MAX,
        error_messages={"required": MISSING["display_name"]},
        help_text=_("What others see beside your messages."),
        widget=forms.TextInput({"autocomplete": "nickname"}),
    )
    phone = forms.CharField(
        label=_("Phone"),
        max_length=20,
        required=False,
        help_text=_("Nobody else sees it."),
        widget=forms.TextInput({"type": "tel", "autocomplete": "tel"}),
    )
    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=User._meta.get_field("language").choices,
    )

    def clean(self) -> dict[str, Any]:
        """Tells what is wrong with the rest beside what is missing, as at sign-up."""
        if self.errors:
            given = {"display_name", "phone"} & self.cleaned_data.keys()
            for name, wrong in faults(**{name: self.cleaned_data[name] for name in given}).items():
                self.add_error(name, wrong)
        return self.cleaned_data


class PasswordForm(auth.PasswordChangeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].label = _("Current password")
        self.fields["new_password1"].help_text = SignUpForm.base_fields["password"].help_text
        self.fields["new_password2"].label = _("New password, again")
        self.fields["new_password2"].help_text = ""
        for field in self.fields.values():
            field.error_messages["required"] = MISSING["password"]
            field.widget.attrs["maxlength"] = PASSWORD_MAX

    def clean_old_password(self) -> str:
        """The service looks whether it is right, for a wrong one has to count."""
        return self.cleaned_data["old_password"]

    def clean(self) -> dict[str, Any]:
        """All that is wrong with the new one. The current one is looked at when nothing is, in the
        service: that is a guess, and none is spent on what is refused anyway."""
        self.validate_passwords("new_password1", "new_password2")
        self.validate_password_for_user(self.user, "new_password1")
        return self.cleaned_data
