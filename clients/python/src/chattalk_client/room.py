"""A room that I am in: to hear what is said there, and to say something."""

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID, uuid4

from chattalk_client.events import Page, RoomEvent
from chattalk_client.hints import Hint, Presence
from chattalk_client.outbox import Outbox
from chattalk_client.shapes import About, Person, Receipt
from chattalk_client.visit import Visit


class Room:
    """`ChatTalk.enter` makes it."""

    def __init__(self, visit: Visit, outbox: Outbox) -> None:
        self._visit, self._outbox = visit, outbox

    @property
    def id(self) -> int:
        return self._visit.room_id

    @property
    def about(self) -> About:
        """Title, capacity and so on, as they are now."""
        return self._visit.about

    @property
    def ended(self) -> str | None:
        """None while I am in; then why not: "left", "removed", "not_member" (by any door, on any
        device) or "exited"."""
        return self._visit.ended

    # --- to hear --------------------------------------------------------------------------------

    def events(self) -> AsyncIterator[RoomEvent]:
        """Every line of the log after the one where I entered: in order, each once, without a hole,
        over every break. Ends when my seat is gone (see `ended`). Where the site has lost lines,
        by a failover of its database, a `Lost` says which, and the log goes on from there.

        Raises Ended, SignedOut, Failed, Closed: why the client is over. Refused: "not_member",
        where lines are missing that I may read no more. RuntimeError: somebody else iterates over
        this room at the same time.
        """
        return self._visit.events

    def hints(self) -> AsyncIterator[Hint]:
        """Presence, typing, `about`, and my reading elsewhere; the newest 64, if you are slow.
        Raises what `events` raises."""
        return self._visit.hints

    @property
    def presence(self) -> Presence:
        """Who is here, and how many."""
        return self._visit.presence

    @property
    def count(self) -> int:
        """How many people are here."""
        return self._visit.presence.count

    @property
    def here(self) -> tuple[Person, ...]:
        """The people who are here; of more than 200, those that are known of."""
        return self._visit.presence.here

    @property
    def head(self) -> int:
        """The last `seq` of the room, as far as I was told."""
        return self._visit.feed.head

    @property
    def last(self) -> int:
        """The `seq` of the event that was given out last; keep it to enter again `after` it."""
        return self._visit.feed.last or 0

    @property
    def at(self) -> datetime | None:
        """When that was written; to be kept with it."""
        return self._visit.feed.at

    @property
    def read_seq(self) -> int:
        """Up to here I have read, as far as I was told."""
        return self._visit.read_seq

    async def history(
        self, *, before: int | None = None, after: int | None = None, limit: int = 50
    ) -> Page:
        """A page of the log: the newest lines, the last before a `seq`, or the first after one; at
        most 100.

        Raises Refused, Unreachable, SignedOut, Closed.
        """
        return await self._visit.page(before=before, after=after, limit=limit)

    # --- to say ---------------------------------------------------------------------------------

    async def send(
        self, text: str, *, cid: UUID | str | None = None, patient: bool = False
    ) -> Receipt:
        """Say something; answered when it is stored, however often the line breaks before.

        It is sent again by the same `cid` until there is an answer. Cancelled, it may have been
        stored or not: send it again by a `cid` of your own, and it is stored once.

        patient  too fast is no refusal: wait as long as the site says, and send it then

        Raises Refused; and why the client is over, if it is.
        """
        name = str(UUID(str(cid))) if cid else str(uuid4())
        frame = {"type": "send", "room": self.id, "cid": name, "body": text}
        return Receipt.of(await self._outbox.send(frame, is_patient=patient))

    async def typing(self) -> None:
        """Tell the others that I am. The site passes it on at most every 3 s."""
        await self._visit.say_hint("typing")

    async def read(self, seq: int) -> None:
        """I have read up to there. My position never goes back; after a break it is told again."""
        await self._visit.read(seq)

    async def exit(self) -> None:
        """Hear no more of it. My seat stays; `ChatTalk.leave` gives that up."""
        await self._visit.exit()
