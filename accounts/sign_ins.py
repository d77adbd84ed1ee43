"""The failed sign-ins that django-axes keeps, under a name that staff understand."""

from axes.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SignInsConfig(AppConfig):
    name = "axes"
    verbose_name = _("Sign-ins")
