"""A page that asks before something is done that can't be undone at once.

Without a script it is a page of its own; static/js/ask.js shows it as a dialog over the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@dataclass(frozen=True)
class Question:
    title: str
    told: Sequence[str]  # what will come of it
    button: str
    action: str  # where its form posts to
    back: str


def page(request: HttpRequest, question: Question) -> HttpResponse:
    return render(request, "messaging/ask.html", {"question": question})
