from django.contrib.admin import apps


class AdminConfig(apps.AdminConfig):
    """Django's admin with our first page. In INSTALLED_APPS by its own name."""

    default = False
    default_site = "chattalk.dashboard.Site"
