"""docs/policy.md as the matrix tests read it, and the people in its columns."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

PAGE = Path(__file__).resolve().parents[2] / "docs" / "policy.md"
ROLES = ("nobody", "outsider", "former", "removed", "member", "owner", "staff")


def table(door: str) -> dict[str, dict[str, str]]:
    """`{operation: {role: what they are answered}}` of the section with that heading."""
    section = re.split(rf"^## {re.escape(door)}\n", PAGE.read_text(), flags=re.M)[1]
    section = re.split(r"^## ", section, flags=re.M)[0]
    rows = [
        [cell.strip().strip("`") for cell in line.strip("|\n ").split("|")]
        for line in section.splitlines()
        if line.startswith("|")
    ]
    assert tuple(rows[0][1:]) == ROLES, rows[0]
    return {row[0]: dict(zip(ROLES, row[1:], strict=True)) for row in rows[2:]}


@dataclass
class Scene:
    """A room, the one who acts on it, and another member of it."""

    room: Any
    actor: Any  # None for nobody
    mate: Any


def scene(role: str) -> Scene:
    from messaging import services

    owner, mate = person("owner"), person("mate")
    room = services.open_room(owner, title="Tea", capacity=10)
    services.join(room.pk, mate)
    actor = owner if role == "owner" else None if role == "nobody" else person(role)
    if role in ("member", "former", "removed"):
        services.join(room.pk, actor)
    if role == "former":
        services.leave(room.pk, actor)
    if role == "removed":
        services.remove(room.pk, actor.pk, by=owner)
    if role == "staff":
        _appoint(actor)
    return Scene(room, actor, mate)


def person(name: str) -> Any:
    from accounts.models import User

    return User.objects.create_user(f"{name}-{uuid4().hex[:8]}@example.com", display_name=name)


def _appoint(user: Any) -> None:
    from django.contrib.auth.models import Permission

    user.is_staff = True
    user.save()
    user.user_permissions.add(Permission.objects.get(codename="change_room"))
