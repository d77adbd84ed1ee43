"""All that can be asked for at /graphql/: the fields of each module in GRAPHQL_PARTS, joined."""

from importlib import import_module

import graphene
from django.conf import settings

PARTS = [import_module(name) for name in settings.GRAPHQL_PARTS]
QUERIES = [part.QUERY for part in PARTS if hasattr(part, "QUERY")]
MUTATIONS = [part.MUTATION for part in PARTS if hasattr(part, "MUTATION")]


class Query(*QUERIES, graphene.ObjectType):  # type: ignore[misc]  # which depend on a setting
    """What can be read."""


class Mutation(*MUTATIONS, graphene.ObjectType):  # type: ignore[misc]
    """What can be done."""


schema = graphene.Schema(query=Query, mutation=Mutation if MUTATIONS else None)
