"""What GraphQL shows of rooms and what is said: today's part, and the original's."""

from messaging.schema import original, room


class Query(room.Query, original.Query):
    pass


class Mutation(original.Mutation):
    pass
