"""The form shows and tidies; what is allowed, rooms/services.py decides."""

from django import forms
from django.utils.translation import gettext_lazy as _

from core.text import composed, one_line
from rooms.models import CAPACITY_MAX, Room

SEATS = _("Enter a number from 1 to 10,000.")


class RoomForm(forms.ModelForm):
    class Meta:
        model = Room
        fields = ["title", "description", "capacity"]
        widgets = {
            "title": forms.TextInput({"autocomplete": "off", "autofocus": True}),
            "description": forms.Textarea({"rows": 3}),
            "capacity": forms.NumberInput({"min": 1, "max": CAPACITY_MAX, "autocomplete": "off"}),
        }
        error_messages = {
            "title": {"required": _("Enter a title.")},
            "capacity": {"required": _("Enter the number of seats.")}
            | dict.fromkeys(("min_value", "max_value", "invalid"), SEATS),
        }
        help_texts = {"description": _("What the room is about. Everybody can read it.")}

    def clean_title(self) -> str:
        return one_line(self.cleaned_data["title"])

    def clean_description(self) -> str:
        return composed(self.cleaned_data["description"])
