"""People, as everyone who may know of them sees them: by name. Their e-mail is their own."""

import graphene


class PersonType(graphene.ObjectType):
    """Someone, as others see them."""

    class Meta:
        name = "Person"

    id = graphene.ID(required=True, description="Their number, the same at every door.")
    name = graphene.String(required=True)

    def resolve_name(person, info):
        return getattr(person, "display_name", None) or person.name
