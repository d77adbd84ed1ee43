"""All routes on one page. Sockets: messaging/routing.py."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.i18n import JavaScriptCatalog

from chattalk.api import pages, problems
from chattalk.graphql.views import GraphQL

urlpatterns = [
    path("", include("messaging.urls")),
    path("", include("messaging.stomp.urls")),
    path("accounts/", include("accounts.urls")),
    path("admin/", admin.site.urls),
    path("graphql/", GraphQL.as_view(), name="graphql"),
    path("jsi18n/", JavaScriptCatalog.as_view(), name="jsi18n"),
    path("api/v1/", include("chattalk.api.routes")),
    path("api/schema/", pages.Schema.as_view(), name="schema"),
    path("api/docs/", pages.Docs.as_view(), name="docs"),
    re_path("^api/", problems.not_found),  # after all else that begins so
]
