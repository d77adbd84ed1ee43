"""Bodies of the account's part of the REST API. They check shape; the services judge."""

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from accounts.models import DISPLAY_NAME_MAX, User
from accounts.passwords import PASSWORD_MAX
from interfaces.api.fields import Text

LANGUAGES = User._meta.get_field("language").choices


class PersonShape(serializers.Serializer):
    """What everyone may know of a person."""

    id = serializers.IntegerField()
    name = serializers.CharField(source="display_name")


@extend_schema_serializer(component_name="Me")
class MeShape(serializers.ModelSerializer):
    """What only you are told of yourself."""

    class Meta:
        model = User
        fields = ["id", "email", "display_name", "phone", "language"]
        read_only_fields = fields


class PasswordField(Text):
    def __init__(self, **options: object) -> None:
        super().__init__(
            max_length=PASSWORD_MAX,
            trim_whitespace=False,
            write_only=True,
            style={"input_type": "password"},
            **options,
        )


class NewAccount(serializers.Serializer):
    email = serializers.EmailField(max_length=254)
    password = PasswordField()
    display_name = Text(max_length=DISPLAY_NAME_MAX)
    language = serializers.ChoiceField(choices=LANGUAGES, required=False)


class ProfileChanges(serializers.Serializer):
    display_name = Text(max_length=DISPLAY_NAME_MAX, required=False)
    phone = Text(max_length=20, required=False, allow_blank=True)
    language = serializers.ChoiceField(
        choices=LANGUAGES,
        required=False,
        allow_blank=True,
        help_text="Of what you read here; empty: as the request asks.",
    )


class NewPassword(serializers.Serializer):
    current = PasswordField()
    new = PasswordField()
