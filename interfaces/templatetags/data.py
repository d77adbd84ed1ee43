"""What a page's script begins with, inside the page."""

from typing import Any

from django import template
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.html import json_script
from django.utils.safestring import SafeString

register = template.Library()


class Plain(DjangoJSONEncoder):
    """In the page's own letters: escaped, Korean would be twice as long and an emoji three times,
    and messaging/live/frames.py could not tell how much a page of lines is."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"ensure_ascii": False})


@register.filter
def as_data(value: object, element_id: str) -> SafeString:
    return json_script(value, element_id, encoder=Plain)
