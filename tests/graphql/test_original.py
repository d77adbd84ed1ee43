"""The original's queries and mutations, in its names and shapes."""

from tests.graphql.conftest import Asker

ROOM = """query ($id: ID!) {
  getChatRoomById(id: $id) { id title openUsername personnel maxPersonnel createdAt }
}"""


def test_a_member_is_shown_the_room(room, bob):
    found = Asker(bob)(ROOM, id=room.pk).data["getChatRoomById"]
    assert found.pop("createdAt") == room.created_at.replace(tzinfo=None).isoformat()
    assert found == {
        "id": str(room.pk),
        "title": "Tea",
        "openUsername": "alice@example.com",
        "personnel": 2,
        "maxPersonnel": 10,
    }


def test_an_outsider_is_told_the_same_of_a_room_that_is_there_and_one_that_is_not(room, charlie):
    charlies = Asker(charlie)
    there, not_there = charlies(ROOM, id=room.pk), charlies(ROOM, id=room.pk + 999)
    assert there.status == 200
    assert there.body == not_there.body
    assert there.body["data"] == {"getChatRoomById": None}
    assert there.code == "not_member"
