"""All routes on one page. Sockets: interfaces/routing.py."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.i18n import JavaScriptCatalog

from interfaces.api import docs, errors
from interfaces.graphql.views import GraphQL

urlpatterns = [
    path("", include("interfaces.web.room_urls")),
    path("", include("interfaces.original.urls")),
    path("accounts/", include("interfaces.web.account_urls")),
    path("admin/", admin.site.urls),
    path("graphql/", GraphQL.as_view(), name="graphql"),
    path("jsi18n/", JavaScriptCatalog.as_view(), name="jsi18n"),
    path("api/v1/", include("interfaces.api.urls")),
    path("api/schema/", docs.SchemaView.as_view(), name="schema"),
    path("api/docs/", docs.Docs.as_view(), name="docs"),
    re_path("^api/", errors.not_found),  # after all else that begins so
]
