"""The original's page as its server sees it: its requests, in the order in which it sends them."""

import json
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts.models import User
from messaging import services
from messaging.log.event import Person

PASSWORD = "a long and quiet evening"
PHONE = "010-1234-5678"


class Page:
    """One browser with its cookies."""

    def __init__(self, name: str = "bob", **options: Any) -> None:
        self.email = f"{name}@example.com"
        self.client = Client(**options)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        if body is None:
            return self.client.generic("POST", f"/api/{path}", headers=headers)
        data = json.dumps(body)
        return self.client.post(f"/api/{path}", data, "application/json", headers=headers)

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(f"/api/{path}", headers=headers)

    def put(self, path: str, **headers: str) -> Any:
        return self.client.generic("PUT", f"/api/{path}", headers=headers)

    def sign_up(self, **changes: Any) -> Any:
        account = {"email": self.email, "password": PASSWORD, "phone": PHONE, "role": "USER"}
        return self.post("users/signup", account | changes)

    def sign_in(self, password: str = PASSWORD) -> Any:
        return self.post("users/login", {"email": self.email, "password": password})

    def come_in(self) -> "Page":
        assert self.sign_up().status_code == 200
        assert self.sign_in().status_code == 200
        return self

    @property
    def token(self) -> str:
        return self.client.cookies["Authorization"].value.removeprefix("Bearer%20")

    @property
    def person(self) -> User:
        return User.objects.get(email=self.email)

    def says(self, room_id: str, text: str) -> None:
        """By no door of its own."""
        me = self.person
        services.post(int(room_id), Person(me.pk, me.display_name), text)

    def missed(self, room_id: str) -> list[str]:
        """What GET read says, without who came and went."""
        answer = self.get(f"open-chats/read/{room_id}")
        assert answer.status_code == 200
        return [line["message"] for line in answer.json() if line["type"] == "MESSAGE"]

    def opens(self, title: str = "Tea", seats: int = 10) -> Any:
        return self.post("open-chats/create", {"title": title, "maxPersonnel": seats})


def token_of(user: Any) -> str:
    """An access token, without a password."""
    from accounts import tokens
    from accounts.models import Device

    until = timezone.now() + timedelta(hours=1)
    mark = user.password_mark
    device = Device.objects.create(user=user, password_mark=mark, expires_at=until)
    return tokens.access(device)
