"""All that can be asked for at /graphql/: what each module in GRAPHQL_PARTS adds, joined.

Each may have a QUERY, a MUTATION, and TEXTS: the names of fields that hold a message's text, of
which an answer has a limited number (limits.py).
"""

from importlib import import_module

import graphene
from django.conf import settings

PARTS = [import_module(name) for name in settings.GRAPHQL_PARTS]
QUERIES = [part.QUERY for part in PARTS if hasattr(part, "QUERY")]
TEXTS = frozenset[str]().union(*(getattr(part, "TEXTS", ()) for part in PARTS))
MUTATIONS = [part.MUTATION for part in PARTS if hasattr(part, "MUTATION")]


class Query(*QUERIES, graphene.ObjectType):  # type: ignore[misc]  # which depend on a setting
    """What can be read."""


class Mutation(*MUTATIONS, graphene.ObjectType):  # type: ignore[misc]
    """What can be done."""


schema = graphene.Schema(query=Query, mutation=Mutation if MUTATIONS else None)
