"""Admin pages on which staff do one thing to one object, after they were told what it does.

An admin with `steps` shows its objects and never saves them: what changes them is the service of
a step, which decides who may and writes the audit trail.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.models import User
from core.text import composed

MANY_MAX = 200  # objects in one action

Text = str | Promise


def _no_fields(target: Any, by: User, data: Any = None) -> forms.Form:
    return forms.Form(data)


def _always(*_: Any) -> bool:
    return True


@dataclass(frozen=True)
class Step:
    name: str  # in the address and the name of the route
    label: Text  # on its button
    explains: Text  # what will come of it
    do: Callable[..., Any]  # (object, by, **fields) → what to tell, or the whole response
    form: Callable[..., forms.BaseForm] = _no_fields  # (object, by, data)
    offered: Callable[[Any, User], bool] = _always  # whether its button is shown
    many: Text = ""  # its label as an action on the list
    takes_person: bool = False  # its address names a person of the object, too
    is_destructive: bool = False


@dataclass(frozen=True)
class Panel:
    """More to see below an object's fields."""

    template: str
    context: dict[str, Any]


class StepsAdmin(admin.ModelAdmin):
    steps: Sequence[Step] = ()
    change_form_template = "admin/look.html"

    class Media:
        css = {"all": ["css/admin.css"]}

    def panels(self, request: HttpRequest, target: Any) -> list[Panel]:
        return []

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # what was said keeps its room and its sender

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return super().get_search_results(request, queryset, composed(search_term))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        return flatten_fieldsets(self.get_fieldsets(request, obj)) if obj else ()

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        title = {"title": self.opts.verbose_name.capitalize()}
        return super().change_view(request, object_id, form_url, title | (extra_context or {}))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if (target := kwargs.get("obj")) is not None:
            may = self.has_change_permission(request, target)
            context["steps"] = [
                (step, reverse(self._route(step), args=[target.pk]))
                for step in self.steps
                if may and not step.takes_person and step.offered(target, request.user)
            ]
            context["may_change"] = may
            context["panels"] = self.panels(request, target)
        return super().render_change_form(request, context, *args, **kwargs)

    # --- one thing to one object ----------------------------------------------------------------

    def _route(self, step: Step) -> str:
        return f"admin:{self.opts.app_label}_{self.opts.model_name}_{step.name}"

    def get_urls(self) -> list[Any]:
        return [self._path(step) for step in self.steps] + super().get_urls()

    def _path(self, step: Step) -> Any:
        person = "<number:person_id>/" if step.takes_person else ""
        view = require_http_methods(["GET", "HEAD", "POST"])(partial(self._step, step))
        name = self._route(step).removeprefix("admin:")
        address = f"<number:object_id>/{step.name}/{person}"
        return path(address, self.admin_site.admin_view(view), name=name)

    def _step(
        self, step: Step, request: HttpRequest, object_id: int, person_id: int | None = None
    ) -> HttpResponseBase:
        target = self.get_object(request, str(object_id))
        if not self.has_change_permission(request, target):
            raise PermissionDenied
        if target is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, str(object_id))
        person = get_object_or_404(User, pk=person_id) if step.takes_person else None
        posted = request.POST if request.method == "POST" else None
        form = step.form(target, request.user, posted)
        # A form without fields is bound by an empty post, too.
        if posted is not None and form.is_valid():
            named = {"person": person} if person else {}
            try:
                done = step.do(target, request.user, **form.cleaned_data, **named)
            except ValidationError as refusal:
                form.add_error(None, refusal)
            else:
                return self._done(request, target, done)
        return self._ask(request, step, "admin/step.html", target=target, person=person, form=form)

    def _done(self, request: HttpRequest, target: Any, done: Any) -> HttpResponseBase:
        if isinstance(done, HttpResponseBase):
            return done
        self.message_user(request, done)
        route = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return redirect(route, target.pk)

    def _ask(self, request: HttpRequest, step: Step, template: str, **context: Any) -> HttpResponse:
        context |= {"step": step, "title": step.label, "opts": self.opts, "media": self.media}
        context |= self.admin_site.each_context(request)
        if "form" in context:
            context["media"] += context["form"].media
        request.current_app = self.admin_site.name
        return TemplateResponse(request, template, context)

    # --- the same thing to many -----------------------------------------------------------------

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        if not self.has_change_permission(request):
            return {}
        return {
            step.name: (_action(step), step.name, str(step.many))
            for step in self.steps
            if step.many
        }

    def do_to_many(self, step: Step, request: HttpRequest, chosen: Any) -> HttpResponse | None:
        targets = list(chosen[: MANY_MAX + 1])
        if len(targets) > MANY_MAX:
            text = _("Choose at most %(most)s at once.") % {"most": MANY_MAX}
            self.message_user(request, text, messages.ERROR)
            return None
        if step.is_destructive and "confirmed" not in request.POST:
            return self._ask(request, step, "admin/steps.html", targets=targets)
        done = sum(self._do_one(step, request, target) for target in targets)
        text = ngettext("%(count)s done.", "%(count)s done.", done) % {"count": done}
        self.message_user(request, text)
        return None

    def _do_one(self, step: Step, request: HttpRequest, target: Any) -> bool:
        try:
            step.do(target, request.user)
        except (ValidationError, PermissionDenied) as refusal:
            said = refusal.messages[0] if isinstance(refusal, ValidationError) else str(refusal)
            self.message_user(request, f"{target}: {said}", messages.ERROR)
            return False
        return True


def _action(step: Step) -> Callable[..., HttpResponse | None]:
    def act(shown_by: StepsAdmin, request: HttpRequest, chosen: Any) -> HttpResponse | None:
        return shown_by.do_to_many(step, request, chosen)

    return act
