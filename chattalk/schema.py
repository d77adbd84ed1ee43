"""All that can be asked for at /graphql/, app by app."""

import graphene

import messaging.schema
import rooms.schema


class Query(messaging.schema.Query, rooms.schema.Query, graphene.ObjectType):
    """What can be read."""


class Mutation(messaging.schema.Mutation, graphene.ObjectType):
    """What can be done."""


schema = graphene.Schema(query=Query, mutation=Mutation)
