"""A STOMP session of the original's page: it subscribes before it enters, and is told refusals in
the room."""

from typing import Any
from uuid import UUID

from interfaces.original import visits
from interfaces.original.chat import PageChat
from interfaces.original.replies import PageReplies
from interfaces.original.subscriptions import Page, PageParticipants, PageSubscriber
from interfaces.stomp.destinations import Topic
from interfaces.stomp.replies import Transport
from interfaces.stomp.session import Session
from interfaces.stomp.subscriptions import SubscribeCommand
from messaging.live import frames

KINDS: dict[Topic, type[PageSubscriber]] = {
    Topic.CHAT: PageChat,
    Topic.PARTICIPANTS: PageParticipants,
}
WAITING_MAX = 4  # subscriptions of one connection that wait for a seat


class PageSession(Session):
    device: UUID  # the sign-in, known from CONNECT on

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self._opened_at = visits.now()
        self._refused: dict[str, str] = {}  # what brought nothing: destination, id
        self.replies = PageReplies(transport, self._in_room, self._now)

    @property
    def _subscriptions(self) -> list[PageSubscriber]:
        return [one for one in self.subscribers.values() if isinstance(one, PageSubscriber)]

    async def _all_done(self) -> None:
        for subscriber in self._subscriptions:
            await subscriber.heard_from()

    async def _open(self, command: SubscribeCommand) -> None:
        await super()._open(command)
        waiting = sum(one.is_waiting for one in self._subscriptions)
        if waiting > WAITING_MAX and (newest := self.subscribers.get(command.id)):
            self._forget(newest)
            self._too_many(command)

    def _make(self, command: SubscribeCommand) -> PageSubscriber:
        page = Page(self.device, self._opened_at)
        kind = KINDS[command.place.topic]
        return kind(self._acting.account, self.language, command, self._told, page)

    async def _say(self, message: frames.Send) -> None:
        for subscriber in self._subscriptions:
            subscriber.heard_in(message.room)
        await super()._say(message)

    def _refuse_subscription(self, sub_id: str, destination: str, nack: dict[str, Any]) -> None:
        if len(self._refused) < WAITING_MAX:
            self._refused[destination] = sub_id
        super()._refuse_subscription(sub_id, destination, nack)

    def _in_room(self, destination: str) -> str | None:
        """The subscription by which the page can be told of a refusal."""
        taken = {one.command.destination: one.command.id for one in self.subscribers.values()}
        return (self._refused | taken).get(destination)
