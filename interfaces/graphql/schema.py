"""All that can be asked for at /graphql/, app by app."""

import graphene

from interfaces.graphql.parts import MUTATIONS, QUERIES


class Query(*QUERIES, graphene.ObjectType):  # type: ignore[misc]  # which depend on a setting
    """What can be read."""


class Mutation(*MUTATIONS, graphene.ObjectType):  # type: ignore[misc]
    """What can be done."""


schema = graphene.Schema(query=Query, mutation=Mutation if MUTATIONS else None)
