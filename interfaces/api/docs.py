"""The OpenAPI document and the page that shows it, for everyone."""

import hashlib
from functools import cache
from threading import Lock
from typing import Any, NamedTuple

from django.http import HttpResponse
from django.utils import translation
from django.utils.cache import get_conditional_response
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.renderers import BaseRenderer, TemplateHTMLRenderer
from rest_framework.request import Request


class Script(TemplateHTMLRenderer):
    """A template that is a script."""

    media_type = "application/javascript"
    format = "js"


class Written(NamedTuple):
    """The document as it is sent, and its mark."""

    body: bytes
    etag: str


class SchemaView(SpectacularAPIView):
    throttle_classes = ()
    schema = None  # it is no part of itself

    def get(self, request: Request, *_args: Any, **_named: Any) -> HttpResponse:
        renderer = request.accepted_renderer
        written = document(type(renderer))
        response = HttpResponse(written.body, content_type=renderer.media_type)
        response["Content-Disposition"] = f'inline; filename="chattalk.{renderer.format}"'
        response["Cache-Control"] = "public, no-cache"  # kept, and asked for whether it still holds
        response["ETag"] = written.etag
        answer = get_conditional_response(request._request, etag=written.etag, response=response)
        assert isinstance(answer, HttpResponse)
        return answer


_making = Lock()  # the generator takes parts of what another one is making for its own


def document(renderer: type[BaseRenderer]) -> Written:
    """Made when it is first asked for, once for all who do: a worker starts without it."""
    with _making:
        return _made(renderer)


@cache
def _made(renderer: type[BaseRenderer]) -> Written:
    with translation.override("en"):  # and not in the language of who happens to ask first
        body = renderer().render(_schema(), renderer_context={})
    return Written(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


@cache
def _schema() -> Any:
    return SchemaGenerator().get_schema(request=None, public=True)


class Docs(SpectacularSwaggerSplitView):
    """Swagger UI from our own files, without a line of script in the page."""

    throttle_classes = ()
    renderer_classes = (TemplateHTMLRenderer, Script)
    template_name = "api/docs.html"
