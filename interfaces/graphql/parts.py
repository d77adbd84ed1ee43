"""What GraphQL shows of rooms and what is said: today's part, and the original's where it is on."""

from django.conf import settings

from interfaces.graphql import rooms as room
from interfaces.original import graphql
from interfaces.original import graphql_rooms as rooms

QUERIES = (room.Query, *((graphql.Query, rooms.Query) if settings.ORIGINAL_CLIENT else ()))
MUTATIONS = (graphql.Mutation,) if settings.ORIGINAL_CLIENT else ()
