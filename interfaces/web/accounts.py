from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth import views as auth
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import activate, get_language_from_request
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from accounts import lockout
from accounts import services as accounts
from accounts.models import User
from core import client_ip, rate_limits
from core.numbers import number
from interfaces.web.account_forms import PasswordForm, ProfileForm, SignInForm, SignUpForm

SIGNED_OUT = "signed_out"  # a cookie for the page that comes after it: who was it?
BACKEND = "django.contrib.auth.backends.ModelBackend"


class Gate(auth.RedirectURLMixin):
    """Where you come in: on to `next` if it is ours and no gate itself, else to the lobby."""

    next_page = "lobby"

    def get_redirect_url(self) -> str:
        onward = super().get_redirect_url()
        gates = (reverse_lazy("accounts:sign_in"), reverse_lazy("accounts:sign_up"))
        return "" if onward.startswith(tuple(map(str, gates))) else onward

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(next=self.get_redirect_url(), **kwargs)

    def form_invalid(self, form: Form) -> HttpResponse:
        return rate_limits.told(super().form_invalid(form), form.non_field_errors().as_data())


@method_decorator([sensitive_post_parameters("password"), never_cache], name="dispatch")
class SignUpPage(Gate, FormView):
    template_name = "accounts/sign_up.html"
    form_class = SignUpForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return redirect(self.get_success_url())
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: Form) -> HttpResponse:
        try:
            address = client_ip.of(self.request)
            user = accounts.sign_up(address=address, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
            return self.form_invalid(form)
        login(self.request, user, backend=BACKEND)
        return super().form_valid(form)


class SignInPage(Gate, auth.LoginView):
    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """After a sign-out: the page forgets what its browser keeps of that person, once."""
        gone = request.COOKIES.get(SIGNED_OUT, "")
        response = self.render_to_response(self.get_context_data(signed_out=number(gone)))
        if gone:
            response.delete_cookie(SIGNED_OUT, path=request.path, samesite="Strict")
        return response


class SignOutPage(auth.LogoutView):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user_id = request.user.pk
        response = super().post(request, *args, **kwargs)
        if user_id is not None:
            response.set_cookie(
                SIGNED_OUT,
                str(user_id),
                max_age=60,
                path=reverse("accounts:sign_in"),
                secure=settings.HTTPS,
                httponly=True,
                samesite="Strict",
            )
        return response


class ProfilePage(LoginRequiredMixin, FormView):
    template_name = "accounts/profile.html"
    form_class = ProfileForm
    success_url = reverse_lazy("accounts:profile")

    def get_initial(self) -> dict[str, Any]:
        user = self.request.user
        return {"display_name": user.display_name, "phone": user.phone, "language": user.language}

    def form_valid(self, form: Form) -> HttpResponse:
        # A fresh copy: a refused name must not stand in the header of the page that refuses it.
        user = User.objects.get(pk=self.request.user.pk)
        try:
            accounts.edit_profile(user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
            return self.form_invalid(form)
        # The sentence is read in the language just chosen.
        activate(user.language or get_language_from_request(self.request))
        messages.success(self.request, _("Your profile is saved."))
        return super().form_valid(form)


class PasswordPage(auth.PasswordChangeView):
    template_name = "accounts/password.html"
    form_class = PasswordForm
    success_url = reverse_lazy("accounts:profile")

    def form_valid(self, form: Form) -> HttpResponse:
        user, said = self.request.user, form.cleaned_data
        try:
            accounts.change_password(
                self.request, user, current=said["old_password"], new=said["new_password1"]
            )
        except ValidationError as refusal:
            return self._refused(form, refusal)
        update_session_auth_hash(self.request, user)
        messages.success(self.request, _("Your password is changed. Other devices are signed out."))
        return redirect(self.success_url)

    def _refused(self, form: Form, refusal: ValidationError) -> HttpResponse:
        if hasattr(refusal, "error_dict"):
            fields = {"current": "old_password", "new": "new_password1"}
            refusal = ValidationError({fields[f]: e for f, e in refusal.error_dict.items()})
        form.add_error(None, refusal)
        return rate_limits.told(self.form_invalid(form), form.non_field_errors().as_data())


@never_cache
def locked_out(request: HttpRequest, *_ignored: Any) -> HttpResponse:
    """Too many failed sign-ins. django-axes calls it, with one argument more or less."""
    wait = lockout.seconds_left(request)
    context = {"until": lockout.until(request), "minutes": max(1, -(-wait // 60))}
    response = render(request, "accounts/locked_out.html", context, status=429)
    response["Retry-After"] = str(wait)
    return response
