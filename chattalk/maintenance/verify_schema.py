"""Whether the database keeps every constraint and index that the models count on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, models
from django.db.models import F

from chattalk.maintenance import verify_sql
from chattalk.maintenance.report import Findings
from chattalk.maintenance.verify_sql import Constraint, Index


@dataclass(frozen=True)
class Wanted:
    """Something that must be in the database: by name, or whatever its name by its columns."""

    table: str
    kind: str  # as in Constraint, or i for an index
    name: str = ""
    columns: tuple[str, ...] = ()
    of: str = ""
    unique: bool = False

    def __str__(self) -> str:
        kinds = {"c": "check", "f": "foreign key", "i": "unique index" if self.unique else "index"}
        return f"{self.table}: {kinds[self.kind]} {self.name or ', '.join(self.columns)}"

    def is_met_by(self, one: Any) -> bool:
        if one.table != self.table or (self.name and one.name != self.name):
            return False
        if isinstance(one, Index):
            enough = one.columns[: len(self.columns)] == list(self.columns)
            exact = one.columns == list(self.columns) and (bool(self.name) or not one.partial)
            return self.kind == "i" and (
                one.unique and (exact or not self.columns) if self.unique else enough
            )
        alike = not self.columns or one.columns == list(self.columns)
        return bool(one.kind == self.kind and alike and one.of == self.of)


def check(findings: Findings) -> None:
    constraints, indexes = verify_sql.catalogue()
    there: dict[str, list[Constraint | Index]] = {}
    every: list[Constraint | Index] = [*constraints, *indexes]
    for one in every:
        there.setdefault(one.table, []).append(one)
    for wanted in _wanted():
        findings.saw("constraints and indexes", 1)
        meeting = [one for one in there.get(wanted.table, []) if wanted.is_met_by(one)]
        if not meeting:
            findings.add("schema_missing", str(wanted))
        elif not any(one.valid for one in meeting):
            findings.add("schema_invalid", str(wanted))


def _wanted() -> Iterator[Wanted]:
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            yield from _of_model(model)
            for field in model._meta.local_concrete_fields:
                yield from _of_field(model._meta.db_table, field)


def _of_model(model: type[models.Model]) -> Iterator[Wanted]:
    meta = model._meta
    for constraint in meta.constraints:
        if isinstance(constraint, models.UniqueConstraint):
            columns = _columns(model, constraint)
            yield Wanted(meta.db_table, "i", constraint.name, columns, unique=True)
        else:
            yield Wanted(meta.db_table, "c", constraint.name)
    for index in meta.indexes:
        yield Wanted(meta.db_table, "i", index.name)
    for names in meta.unique_together:
        columns = tuple(str(meta.get_field(name).column) for name in names)  # type: ignore[union-attr]
        yield Wanted(meta.db_table, "i", columns=columns, unique=True)


def _columns(model: type[models.Model], constraint: models.UniqueConstraint) -> tuple[str, ...]:
    """None where it is over more than plain columns: then its name has to do."""
    names = list(constraint.fields)
    for expression in constraint.expressions:
        if not isinstance(expression, F):
            return ()
        names.append(expression.name)  # type: ignore[attr-defined]  # the stubs lack it
    return tuple(str(model._meta.get_field(name).column) for name in names)  # type: ignore[union-attr]


def _of_field(table: str, field: Any) -> Iterator[Wanted]:
    columns = (field.column,)
    if field.unique:  # a primary key, too
        yield Wanted(table, "i", columns=columns, unique=True)
    elif field.db_index:
        yield Wanted(table, "i", columns=columns)
    if field.db_parameters(connection)["check"]:
        yield Wanted(table, "c", columns=columns)
    if field.remote_field and field.db_constraint:
        yield Wanted(table, "f", columns=columns, of=field.related_model._meta.db_table)
