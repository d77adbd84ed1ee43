"""All addresses of the site, for tests of what holds at each of them."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.urls import URLPattern, get_resolver


def routes(patterns: Any = None, before: str = "") -> Iterator[str]:
    """As text, with what stands for their parts: `rooms/<number:room_id>/`."""
    for one in get_resolver().url_patterns if patterns is None else patterns:
        text = before + str(one.pattern)
        if isinstance(one, URLPattern):
            yield text
        else:
            yield from routes(one.url_patterns, text)


def path_of(route: str, values: Mapping[str, object], other: object = 1) -> str | None:
    """The route with the value of each of its parts, or the other one; None for a route that is a
    regular expression."""
    if "^" in route or "\\" in route:
        return None
    first, *parts = route.split("<")
    path = "/" + first
    for part in parts:
        name, _, rest = part.partition(">")
        path += str(values.get(name.split(":")[-1], other)) + rest
    return path
