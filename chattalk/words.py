"""Texts of Django and django-axes that our catalogue says in better Korean, or in our words.

They stand here so that makemessages keeps them.
"""

from django.utils.translation import gettext_noop as _
from django.utils.translation import ngettext_lazy

DJANGO = (
    _("This field is required."),
    _("This field cannot be blank."),
    _("This field cannot be null."),
    _("superuser status"),
    _("Important dates"),
    _("Action:"),
    _("Action"),
    _("Run the selected action"),
    _("No action selected."),
    _("Items must be selected in order to perform actions on them. No items have been changed."),
    _("Select this object for an action - {}"),
    _("Select all objects on this page for an action"),
    _("Click here to select the objects across all pages"),
    _("%(name)s with ID “%(key)s” doesn’t exist. Perhaps it was deleted?"),
    _("View %s"),
    _("Select %s to view"),
    _("Select %s to change"),
    _("You don’t have permission to view or edit anything."),
    _("Recent actions"),
    _("My actions"),
    _("None available"),
    _("History"),
    _("Change history: %s"),
    _("Date/time"),
    _("This object doesn’t have a change history. It probably wasn’t added via this admin site."),
    _(" By %(filter_title)s "),
    _("Clear all filters"),
    _("Toggle theme (current theme: auto)"),
    _("Toggle theme (current theme: light)"),
    _("Toggle theme (current theme: dark)"),
    _("Toggle navigation"),
    _("Start typing to filter…"),
    _("Save and add another"),
    _("Save and continue editing"),
    _("Yes, I’m sure"),
    _("No, take me back"),
    _("Skip to main content"),
    _("The two password fields didn’t match."),
    _("The password is too similar to the %(verbose_name)s."),
    _(
        "Please enter the correct %(username)s and password for a staff account. Note "
        "that both fields may be case-sensitive."
    ),
    _(
        "You are authenticated as %(username)s, but are not authorized to access this "
        "page. Would you like to login to a different account?"
    ),
    ngettext_lazy(
        "Ensure this value has at most %(limit_value)d character (it has %(show_value)d).",
        "Ensure this value has at most %(limit_value)d characters (it has %(show_value)d).",
        "limit_value",
    ),
)
AXES = (
    _("access attempt"),
    _("access attempts"),
    _("access failure"),
    _("access failures"),
    _("access log"),
    _("access logs"),
)
