"""What is said in a room, told to one subscription."""

from interfaces.stomp import bodies
from interfaces.stomp.subscriptions import Subscriber
from messaging.live.entries import Entry


class Chat(Subscriber):
    """Each line of the room's log, as a MESSAGE."""

    def _line(self, entry: Entry) -> None:
        room_id, seq = entry.event.room, entry.seq
        headers = {"message-id": f"{room_id}-{seq}", "seq": str(seq)}
        self.told.message(self, headers, bodies.line_body(entry, self.account, self.language))
