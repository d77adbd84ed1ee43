"""How a person or a room looks in a small tile: an initial and one of eight tones."""

from django import template

TONES = 8  # .tone-0 … .tone-7 in static/css/base.css

register = template.Library()


@register.filter
def tone(number: int) -> int:
    return number % TONES


@register.filter
def initial(name: str) -> str:
    return name.strip()[:1] or "?"
