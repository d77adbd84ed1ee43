"""A form whose token counts no more: its page was open while somebody signed in, in another tab.

It was not done, whoever is signed in now; what helps is the page anew, one click away.
"""

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme


def stale(request: HttpRequest, reason: str = "") -> HttpResponse:
    if request.user.is_authenticated and request.path == reverse("accounts:sign_in"):
        return redirect("lobby")  # in, by the other tab
    return render(request, "403_csrf.html", {"again": _page_of(request)}, status=403)


def _page_of(request: HttpRequest) -> str:
    """Where the form stood, if that was here."""
    page = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(page, {request.get_host()}, request.is_secure()):
        return reverse("lobby")
    parts = urlsplit(page)
    return parts.path + (f"?{parts.query}" if parts.query else "")
