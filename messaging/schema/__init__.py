"""What GraphQL shows of rooms and what is said: today's part, and the original's where it is on."""

from django.conf import settings

from messaging.schema import original, room
from rooms import schema as rooms

QUERIES = (room.Query, *((original.Query, rooms.Query) if settings.ORIGINAL_CLIENT else ()))
MUTATIONS = (original.Mutation,) if settings.ORIGINAL_CLIENT else ()
