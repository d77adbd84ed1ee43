"""The OpenAPI document and the page that shows it, for everyone."""

from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.renderers import TemplateHTMLRenderer


class Script(TemplateHTMLRenderer):
    """A template that is a script."""

    media_type = "application/javascript"
    format = "js"


class Schema(SpectacularAPIView):
    throttle_classes = ()


class Docs(SpectacularSwaggerSplitView):
    """Swagger UI from our own files, without a line of script in the page."""

    throttle_classes = ()
    renderer_classes = (TemplateHTMLRenderer, Script)
    template_name = "api/docs.html"
