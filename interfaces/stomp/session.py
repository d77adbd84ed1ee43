"""A STOMP session: what a connection may ask, in which order, and what becomes of it."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.utils import translation
from django.utils.translation import gettext as _

from core import connection_limits
from core.postgresql.reads import Unavailable
from core.problems import REFUSALS
from interfaces.stomp import heartbeats, parsing
from interfaces.stomp.chat import Chat
from interfaces.stomp.commands import Enter, Leave, Sender
from interfaces.stomp.destinations import SendDestination, Topic, place, room_id
from interfaces.stomp.frames import VERSIONS, Bad, Frame, Parser
from interfaces.stomp.participants import Participants
from interfaces.stomp.replies import Replies, Transport
from interfaces.stomp.subscriptions import Callbacks, SubscribeCommand, Subscriber
from messaging.live import frames
from messaging.live.close_codes import CloseCode

SERVER = "ChatTalk"
KINDS: dict[Topic, type[Subscriber]] = {Topic.CHAT: Chat, Topic.PARTICIPANTS: Participants}


class Session:
    """Other doors whose wire is STOMP, too, open subscriptions and tell refusals in their own way:
    by `_make`, `_refuse_subscription`, `_say` and `_all_done`, and by replies of their own."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.parser = Parser()
        self.replies = Replies(transport.send, transport.close)
        self.sender: Sender | None = None
        self.language = ""
        self.subscribers: dict[str, Subscriber] = {}
        self.is_clean = False  # the client has said goodbye
        self._told = Callbacks(self._message, self._live, self._not_subscribed, self._ended)

    @property
    def _acting(self) -> Sender:
        assert self.sender is not None, "connected"
        return self.sender

    def _now(self) -> datetime:
        return self._acting.node.hub.now()

    async def take(self, data: bytes) -> None:
        """Whatever the client sent."""
        for number, frame in enumerate(self.parser.feed(data)):
            if self.replies.is_over:
                return
            if number and self.sender is not None:  # the first was counted with its message
                await self.sender.heard()
            with translation.override(self.language or None):
                await self._handle(frame)
        await self._all_done()

    async def _all_done(self) -> None:
        """All that came at once was done."""

    def fail(self) -> None:
        """Something of ours failed; the client comes back and resumes."""
        with translation.override(self.language or None):
            why = _("Something went wrong here. It is written down.")
            self.replies.fail("error", why, close=CloseCode.FAULT)

    async def over(self, at: datetime) -> None:
        """The connection has ended; the client was last there then."""
        self.replies.is_over = True
        for subscriber in self.subscribers.values():
            await subscriber.leave(at, is_clean=self.is_clean)
        self.subscribers.clear()
        if self.sender is not None:
            self.sender.gone(at)

    def cut_off(self, at: datetime) -> None:
        """Nothing more goes to this client, from now on."""
        self.replies.is_over = True
        for subscriber in self.subscribers.values():
            subscriber.gone(at)
        if self.sender is not None:
            self.sender.gone(at)

    # --- what it asks ---------------------------------------------------------------------------

    async def _handle(self, frame: Frame | Bad) -> None:
        if isinstance(frame, Bad):
            self.replies.fail("bad_frame", _("This is not STOMP: %(why)s.") % {"why": frame.why})
            return
        receipt = frame.headers.get("receipt")
        if frame.command in ("CONNECT", "STOMP"):
            await self._connect(frame)
        elif self.sender is None:
            self.replies.fail("not_connected", _("CONNECT first."), receipt)
        elif do := COMMANDS.get(frame.command):
            await do(self, frame, receipt)
        else:
            self.replies.fail("bad_frame", _("No such command."), receipt)

    async def _connect(self, frame: Frame) -> None:
        accepted = frame.headers.get("accept-version", "1.0").split(",")
        known = [version for version in VERSIONS if version in map(str.strip, accepted)]
        their_beats = parsing.heart_beat(frame.headers.get("heart-beat", "0,0"))
        if self.sender is not None:
            self.replies.fail("bad_frame", _("You are connected already."))
        elif not known:
            why = _("This server speaks STOMP %(versions)s.") % {"versions": ", ".join(VERSIONS)}
            self.replies.fail("bad_version", why, version=",".join(VERSIONS))
        elif their_beats is None:
            self.replies.fail("bad_frame", _("heart-beat is two numbers of milliseconds."))
        else:
            await self._sign_in(frame, known[-1], their_beats)

    async def _sign_in(self, frame: Frame, version: str, their_beats: tuple[int, int]) -> None:
        try:
            user, proof = await self.transport.identify(frame)
        except PermissionError:
            self.replies.fail("not_signed_in", _("Sign in first."), close=CloseCode.SIGNED_OUT)
            return
        except Unavailable:
            why = _("The server can't answer right now. Try again in a moment.")
            self.replies.fail("unavailable", why, close=CloseCode.BUSY)
            return
        try:
            self.sender = self.transport.signed_in(user, proof, frame.command)
        except connection_limits.TooMany:
            self.replies.fail("too_many", _("You have too many connections."), close=CloseCode.BUSY)
            return
        self.parser.version = self.replies.version = version
        self.sender.told = self._answered
        self.language = self.sender.language
        self.replies.say("CONNECTED", {
            "version": version,
            "heart-beat": heartbeats.offer(),
            "session": uuid4().hex,
            "server": SERVER,
            "user-name": user.email,
        })  # fmt: skip
        heartbeats.keep(self.sender, *their_beats, self.transport.send, self._silent)

    def _silent(self) -> None:
        self.replies.fail(
            "silent", _("Nothing was heard of you for too long."), close=CloseCode.DONE
        )

    async def _subscribe(self, frame: Frame, receipt: str | None) -> None:
        destination = frame.headers.get("destination", "")
        sub_id = frame.headers.get("id") or (destination if self.replies.version == "1.0" else "")
        found = place(destination)
        if not sub_id or not destination:
            why = _("SUBSCRIBE needs an id and a destination.")
            self.replies.fail("bad_frame", why, receipt)
        elif sub_id in self.subscribers or sub_id == self.replies.errors:
            self.replies.fail("bad_frame", _("This subscription id is in use."), receipt)
        elif found is None or not found.is_whole:
            self._refuse_subscription(sub_id, destination, parsing.nothing_there(receipt))
        elif found.topic is Topic.ERRORS:
            self.replies.errors = sub_id
            self.replies.receipt(receipt)
        else:
            after = parsing.seq(frame.headers.get("after"))
            at = parsing.moment(frame.headers.get("at"))
            acknowledges = frame.headers.get("ack", "auto") != "auto"
            await self._open(
                SubscribeCommand(sub_id, destination, found, after, receipt, acknowledges, at)
            )

    async def _open(self, command: SubscribeCommand) -> None:
        if len(self.subscribers) >= frames.SUBSCRIPTIONS_MAX:
            self._too_many(command)
            return
        subscriber = self.subscribers[command.id] = self._make(command)
        await subscriber.open()

    def _make(self, command: SubscribeCommand) -> Subscriber:
        kind = KINDS[command.place.topic]
        return kind(self._acting.account, self.language, command, self._told)

    def _too_many(self, command: SubscribeCommand) -> None:
        REFUSALS.add("nack", "too_many")
        nack = {"code": "too_many", "detail": _("Too many subscriptions."), "ref": command.receipt}
        self.replies.refuse(nack, command.destination)

    async def _unsubscribe(self, frame: Frame, receipt: str | None) -> None:
        sub_id = frame.headers.get("id") or frame.headers.get("destination", "")
        if subscriber := self.subscribers.pop(sub_id, None):
            await subscriber.leave(self._now(), is_clean=True)
        elif sub_id == self.replies.errors:
            self.replies.errors = None
        self.replies.receipt(receipt)

    async def _send(self, frame: Frame, receipt: str | None) -> None:
        if "transaction" in frame.headers:
            self.replies.fail("bad_frame", _("Transactions are not spoken here."), receipt)
            return
        try:
            destination = SendDestination(frame.headers.get("destination", ""))
            body = parsing.body(frame.body)
        except ValueError:
            self.replies.refuse(parsing.nothing_there(receipt))
            return
        if (room := room_id(body.chatId)) is None:
            self.replies.refuse(parsing.nothing_there(receipt), f"{Topic.CHAT}{body.chatId}")
        elif destination is SendDestination.ENTER:
            await self._acting.handle(Enter(room=room, ref=receipt))
        elif destination is SendDestination.LEAVE:
            await self._acting.handle(Leave(room=room, ref=receipt))
        else:
            cid = parsing.client_id(frame.headers.get("client-id"), self._acting.user.id)
            await self._say(frames.Send(room=room, cid=cid, body=body.message, ref=receipt))

    async def _say(self, message: frames.Send) -> None:
        await self._acting.handle(message)

    async def _ack(self, frame: Frame, receipt: str | None) -> None:
        """Read up to there."""
        named = frame.headers.get("id") or frame.headers.get("message-id", "")
        room, _dash, text = named.partition("-")
        seq = parsing.seq(text)
        if room_id(room) is None or seq is None:
            self.replies.refuse(parsing.nothing_there(receipt))
        else:
            await self._acting.handle(frames.Read(room=int(room), seq=seq, ref=receipt))

    async def _nack(self, frame: Frame, receipt: str | None) -> None:
        """Not read: nothing moves."""
        self.replies.receipt(receipt)

    async def _disconnect(self, frame: Frame, receipt: str | None) -> None:
        self.replies.receipt(receipt)
        self.is_clean = True
        for subscriber in self.subscribers.values():
            subscriber.farewell()
        self.replies.end(CloseCode.DONE, "bye")

    # --- what becomes of it ---------------------------------------------------------------------

    def _answered(self, answer: dict[str, Any]) -> None:
        receipt = answer.get("ref")
        match answer["type"]:
            case "ack":
                self.replies.receipt(receipt, client_id=answer["cid"], seq=answer["seq"])
            case "nack":
                self.replies.refuse(answer, f"{Topic.CHAT}{answer.get('room', '')}")
            case "done":
                self.replies.receipt(receipt)

    def _message(self, one: Subscriber, headers: dict[str, str], body: str) -> None:
        if one.command.acknowledges:
            headers = {**headers, "ack": headers["message-id"]}
        self.replies.message(one.command.id, one.command.destination, headers, body)

    def _live(self, one: Subscriber, answer: dict[str, Any]) -> None:
        recovered = "true" if answer["recovered"] else "false"
        after, head = answer["after"], answer["head"]
        self.replies.receipt(one.command.receipt, recovered=recovered, after=after, head=head)

    def _not_subscribed(self, one: Subscriber, nack: dict[str, Any]) -> None:
        self._forget(one)
        told = nack | {"ref": one.command.receipt}
        self._refuse_subscription(one.command.id, one.command.destination, told)

    def _refuse_subscription(self, sub_id: str, destination: str, nack: dict[str, Any]) -> None:
        self.replies.refuse(nack, destination)

    def _ended(self, one: Subscriber, code: str) -> None:
        self._forget(one)
        if self.replies.errors is not None:
            with translation.override(self.language):
                why = _("You are not a member of this room.")
            self.replies.tell_error({"code": code, "detail": why, "room": one.room_id})

    def _forget(self, one: Subscriber) -> None:
        if self.subscribers.get(one.command.id) is one:
            del self.subscribers[one.command.id]
        one.gone(one.node.hub.now())


COMMANDS = {
    "SUBSCRIBE": Session._subscribe,
    "UNSUBSCRIBE": Session._unsubscribe,
    "SEND": Session._send,
    "ACK": Session._ack,
    "NACK": Session._nack,
    "DISCONNECT": Session._disconnect,
}
