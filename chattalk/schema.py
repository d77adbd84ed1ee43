"""All that can be asked for at /graphql/, app by app."""

import graphene

import rooms.schema


class Query(rooms.schema.Query, graphene.ObjectType):
    """What can be read."""


schema = graphene.Schema(query=Query)
