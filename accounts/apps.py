from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save
from django.urls import register_converter
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        from accounts import tokens
        from core import numbers

        register_converter(numbers.Number, "number")
        for changed in (post_save, post_delete):
            changed.connect(tokens.person_changed, sender="accounts.User")
