"""A STOMP session: what a connection may ask, in which order, and how it is answered.

What breaks the protocol ends the connection with an ERROR, as STOMP has it. What is understood but
refused should not cost it: who subscribes to /user/queue/errors is told there, who speaks the
original's wire is told in the room; only for others it is an ERROR, too (docs/stomp.md).
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4, uuid5

import msgspec
from django.utils import translation
from django.utils.translation import gettext as _
from msgspec import Struct

from accounts.models import User
from messaging import wire
from messaging.stomp import house, shape
from messaging.stomp.destinations import Deed, Topic, place, room_id
from messaging.stomp.frames import HEARTBEAT, VERSIONS, Bad, Frame, Parser, encode
from messaging.stomp.sender import Enter, Leave, Sender
from messaging.stomp.subscribers import KINDS, Asked, Subscriber, Told

SERVER = "ChatTalk"
BEATS_MS = 1_000, 5_000  # the least between two of ours, and what we would like of a client
SILENT_SECONDS = 60.0  # more than two beats of a client may last: a hidden page's timers sleep
WAITING_MAX = 4  # subscriptions of one connection that wait for a seat
NAMES = UUID("7d1b5e0a-3c1f-5f0e-9a55-0f7f3b8a6c11")  # of client ids that are no UUID

BROKEN, SIGNED_OUT, DONE = 1002, 4001, 1000


class Door(NamedTuple):
    """How a session reaches its connection."""

    send: Callable[[str], None]  # a frame's text
    close: Callable[[int, str], None]  # after what was sent; the code, and why
    signed_in: Callable[[User, Any, str], Sender]  # registers, and makes the one who acts
    identify: Callable[[Frame], Awaitable[tuple[User, Any]]]  # raises NotSignedIn


class Body(Struct):
    chatId: str | int = ""  # noqa: N815  (the original's name)
    message: str = ""


_body = msgspec.json.Decoder(Body)
_SEQ = msgspec.json.Decoder(wire.Seq)


class Session:
    def __init__(self, door: Door, is_original: bool, only: Collection[Topic] = tuple(Topic)):
        self.door = door
        self.is_original = is_original
        self.topics = only
        self.parser = Parser()
        self.sender: Sender | None = None
        self.language = ""
        self.subscribers: dict[str, Subscriber] = {}
        self.errors: str | None = None  # the id of the subscription to /user/queue/errors
        self.refused: dict[
            str, str
        ] = {}  # original: subscriptions that got nothing, by destination
        self.is_over = self.is_clean = False
        self._told = Told(self._message, self._live, self._not_subscribed, self._ended)

    @property
    def version(self) -> str:
        return self.parser.version

    async def take(self, data: bytes) -> None:
        """Whatever the client sent."""
        for number, frame in enumerate(self.parser.feed(data)):
            if self.is_over:
                return
            if number and self.sender is not None:  # the first was counted with its message
                await self.sender.heard()
            with translation.override(self.language or None):
                if isinstance(frame, Bad):
                    self.fail("bad_frame", _("This is not STOMP: %(why)s.") % {"why": frame.why})
                else:
                    await self._handle(frame)
        for subscriber in list(self.subscribers.values()):
            await subscriber.heard_from()

    async def over(self, at: datetime) -> None:
        """The connection has ended; the client was last there then."""
        self.is_over = True
        for subscriber in self.subscribers.values():
            await subscriber.leave(at, is_clean=self.is_clean)
        self.subscribers.clear()
        if self.sender is not None:
            self.sender.gone(at)

    def cut_off(self, at: datetime) -> None:
        """Nothing more goes to this client, from now on."""
        self.is_over = True
        for subscriber in self.subscribers.values():
            subscriber.gone(at)
        if self.sender is not None:
            self.sender.gone(at)

    # --- what it is told ------------------------------------------------------------------------

    def send(self, command: str, headers: dict[str, str], body: str = "") -> None:
        self.door.send(encode(command, headers, body, self.version))

    def fail(self, code: str, why: str, receipt: str | None = None, close: int = BROKEN) -> None:
        """ERROR, and the end."""
        headers = {"message": why, "code": code, "content-type": "text/plain"}
        self.send("ERROR", headers | ({"receipt-id": receipt} if receipt else {}), why)
        self.is_over = True
        self.door.close(close, code)

    def receipt(self, receipt: str | None, **headers: Any) -> None:
        if receipt:
            named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
            self.send("RECEIPT", {"receipt-id": receipt} | named)

    def refuse(self, nack: dict[str, Any], destination: str = "") -> None:
        """An operation was understood and is not done."""
        code, why, receipt = nack["code"], nack["detail"], nack.get("ref")
        if self.errors is not None:
            self._tell_error(nack)
        elif told := self._subscription_to(destination):
            self._tell_in_room(told, destination, why)
        else:
            self.fail(code, why, receipt, DONE)

    def _tell_error(self, nack: dict[str, Any]) -> None:
        headers = {
            "subscription": str(self.errors),
            "destination": Topic.ERRORS,
            "message-id": uuid4().hex,
            "code": nack["code"],
            "content-type": "text/plain",
        }
        known = {
            "receipt-id": "ref",
            "client-id": "cid",
            "room": "room",
            "retry-after": "retry_after",
        }
        headers |= {name: str(nack[key]) for name, key in known.items() if nack.get(key)}
        self.send("MESSAGE", headers, nack["detail"])

    def _subscription_to(self, destination: str) -> str | None:
        if not self.is_original:
            return None
        alive = (
            one.asked.id
            for one in self.subscribers.values()
            if one.asked.destination == destination
        )
        return next(alive, None) or self.refused.get(destination)

    def _tell_in_room(self, subscription: str, destination: str, why: str) -> None:
        assert self.sender is not None
        if destination.startswith(Topic.PARTICIPANTS):
            body = "[]"
        else:
            chat_id = destination.removeprefix(Topic.CHAT)
            body = shape.told(chat_id, why, self.sender.node.hub.now())
        self._send_message(subscription, destination, {"message-id": uuid4().hex}, body)

    def _send_message(
        self, subscription: str, destination: str, headers: dict[str, str], body: str
    ) -> None:
        first = {"subscription": subscription, "destination": destination}
        self.send("MESSAGE", first | headers | {"content-type": "application/json"}, body)

    # --- what it asks ---------------------------------------------------------------------------

    async def _handle(self, frame: Frame) -> None:
        receipt = frame.headers.get("receipt")
        if frame.command in ("CONNECT", "STOMP"):
            await self._connect(frame)
        elif self.sender is None:
            self.fail("not_connected", _("CONNECT first."), receipt)
        elif do := COMMANDS.get(frame.command):
            await do(self, frame, receipt)
        else:
            self.fail("bad_frame", _("No such command."), receipt)

    async def _connect(self, frame: Frame) -> None:
        if self.sender is not None:
            self.fail("bad_frame", _("You are connected already."))
            return
        accepted = frame.headers.get("accept-version", "1.0").split(",")
        known = [version for version in VERSIONS if version in map(str.strip, accepted)]
        beats = _beats(frame.headers.get("heart-beat", "0,0"))
        if not known:
            headers = {"version": ",".join(VERSIONS), "content-type": "text/plain"}
            why = _("This server speaks STOMP %(versions)s.") % {"versions": ", ".join(VERSIONS)}
            self.send("ERROR", headers | {"message": why, "code": "bad_version"}, why)
            self.is_over = True
            self.door.close(BROKEN, "bad_version")
        elif beats is None:
            self.fail("bad_frame", _("heart-beat is two numbers of milliseconds."))
        else:
            await self._sign_in(frame, known[-1], beats)

    async def _sign_in(self, frame: Frame, version: str, beats: tuple[int, int]) -> None:
        try:
            user, proof = await self.door.identify(frame)
        except PermissionError:
            self.fail("not_signed_in", _("Sign in first."), close=SIGNED_OUT)
            return
        self.parser.version = version
        self.sender = self.door.signed_in(user, proof, frame.command)
        self.sender.told = self._answered
        self.language = self.sender.language
        house.current().emails.keep({user.pk: user.email})
        self.send("CONNECTED", {
            "version": version,
            "heart-beat": f"{BEATS_MS[0]},{BEATS_MS[1]}",
            "session": uuid4().hex,
            "server": SERVER,
            "user-name": user.email,
        })  # fmt: skip
        self._keep_beating(*beats)

    def _keep_beating(self, can_ms: int, wants_ms: int) -> None:
        assert self.sender is not None
        if wants_ms:
            self.sender.start(self._beat(max(wants_ms, BEATS_MS[0]) / 1000))
        if can_ms:
            self.sender.start(self._listen(2 * max(can_ms, BEATS_MS[1]) / 1000 + SILENT_SECONDS))

    async def _beat(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            self.door.send(HEARTBEAT)

    async def _listen(self, seconds: float) -> None:
        """Cut who is silent for longer."""
        assert self.sender is not None
        left = seconds
        while left > 0:
            await asyncio.sleep(left)
            silent = self.sender.node.hub.now() - self.sender.last_heard
            left = seconds - silent.total_seconds()
        self.fail("silent", _("Nothing was heard of you for too long."), close=DONE)

    async def _subscribe(self, frame: Frame, receipt: str | None) -> None:
        destination = frame.headers.get("destination", "")
        sub_id = frame.headers.get("id") or (destination if self.version == "1.0" else "")
        found = place(destination)
        if not sub_id or not destination:
            self.fail("bad_frame", _("SUBSCRIBE needs an id and a destination."), receipt)
        elif sub_id in self.subscribers or sub_id == self.errors:
            self.fail("bad_frame", _("This subscription id is in use."), receipt)
        elif found is None or found.topic not in self.topics or (
            found.room is None and found.topic is not Topic.ERRORS
        ):  # fmt: skip
            self._remember_refused(sub_id, destination)
            self.refuse(_nothing_there(receipt), destination)
        elif found.topic is Topic.ERRORS:
            self.errors = sub_id
            self.receipt(receipt)
        else:
            after = _seq(frame.headers.get("after"))
            acknowledges = frame.headers.get("ack", "auto") != "auto"
            asked = Asked(sub_id, destination, found, after, receipt, acknowledges)
            await self._open(asked)

    async def _open(self, asked: Asked) -> None:
        assert self.sender is not None
        if len(self.subscribers) >= wire.SUBSCRIPTIONS_MAX:
            self._too_many(asked)
            return
        kind = KINDS[asked.place.topic]
        subscriber = kind(self.sender.user, self.language, asked, self._told, self.is_original)
        self.subscribers[asked.id] = subscriber
        await subscriber.begin()
        if sum(one.is_waiting for one in self.subscribers.values()) > WAITING_MAX:
            del self.subscribers[asked.id]
            subscriber.gone(self.sender.node.hub.now())
            self._too_many(asked)

    def _too_many(self, asked: Asked) -> None:
        nack = {"code": "too_many", "detail": _("Too many subscriptions."), "ref": asked.receipt}
        self.refuse(nack, asked.destination)

    async def _unsubscribe(self, frame: Frame, receipt: str | None) -> None:
        assert self.sender is not None
        sub_id = frame.headers.get("id") or frame.headers.get("destination", "")
        if subscriber := self.subscribers.pop(sub_id, None):
            await subscriber.leave(self.sender.node.hub.now(), is_clean=True)
        elif sub_id == self.errors:
            self.errors = None
        self.receipt(receipt)

    async def _send(self, frame: Frame, receipt: str | None) -> None:
        assert self.sender is not None
        destination = frame.headers.get("destination", "")
        if "transaction" in frame.headers:
            self.fail("bad_frame", _("Transactions are not spoken here."), receipt)
            return
        try:
            deed, body = Deed(destination), _read(frame.body)
        except ValueError:
            self.refuse(_nothing_there(receipt), "")
            return
        room = room_id(body.chatId)
        if room is None:
            self.refuse(_nothing_there(receipt), f"{Topic.CHAT}{body.chatId}")
        elif deed is Deed.ENTER:
            await self.sender.handle(Enter(room=room, ref=receipt))
        elif deed is Deed.LEAVE:
            await self.sender.handle(Leave(room=room, ref=receipt))
        else:
            cid = _client_id(frame.headers.get("client-id"), self.sender.user.id)
            await self.sender.handle(wire.Send(room=room, cid=cid, body=body.message, ref=receipt))

    async def _ack(self, frame: Frame, receipt: str | None) -> None:
        """Read up to there."""
        assert self.sender is not None
        named = frame.headers.get("id") or frame.headers.get("message-id", "")
        room, _dash, text = named.partition("-")
        seq = _seq(text)
        if room_id(room) is None or seq is None:
            self.refuse(_nothing_there(receipt))
        else:
            await self.sender.handle(wire.Read(room=int(room), seq=seq, ref=receipt))

    async def _nack(self, frame: Frame, receipt: str | None) -> None:
        """Not read: nothing moves."""
        self.receipt(receipt)

    async def _disconnect(self, frame: Frame, receipt: str | None) -> None:
        self.receipt(receipt)
        self.is_over = self.is_clean = True
        self.door.close(DONE, "bye")

    # --- what becomes of it ---------------------------------------------------------------------

    def _answered(self, answer: dict[str, Any]) -> None:
        receipt = answer.get("ref")
        match answer["type"]:
            case "ack":
                self.receipt(receipt, client_id=answer["cid"], seq=answer["seq"])
            case "nack":
                self.refuse(answer, f"{Topic.CHAT}{answer.get('room', '')}")
            case "done":
                self.receipt(receipt)

    def _message(self, one: Subscriber, headers: dict[str, str], body: str) -> None:
        if one.asked.acknowledges:
            headers = {**headers, "ack": headers["message-id"]}
        self._send_message(one.asked.id, one.asked.destination, headers, body)

    def _live(self, one: Subscriber, answer: dict[str, Any]) -> None:
        recovered = "true" if answer["recovered"] else "false"
        self.receipt(
            one.asked.receipt, recovered=recovered, after=answer["after"], head=answer["head"]
        )

    def _not_subscribed(self, one: Subscriber, nack: dict[str, Any]) -> None:
        self._forget(one)
        self._remember_refused(one.asked.id, one.asked.destination)
        self.refuse(nack | {"ref": one.asked.receipt}, one.asked.destination)

    def _ended(self, one: Subscriber, code: str) -> None:
        self._forget(one)
        if self.errors is not None:
            with translation.override(self.language):
                why = _("You are not a member of this room.")
            self._tell_error({"code": code, "detail": why, "room": one.room_id})

    def _forget(self, one: Subscriber) -> None:
        if self.subscribers.get(one.asked.id) is one:
            del self.subscribers[one.asked.id]
        one.gone(one.node.hub.now())

    def _remember_refused(self, sub_id: str, destination: str) -> None:
        if self.is_original and len(self.refused) < WAITING_MAX:
            self.refused[destination] = sub_id


COMMANDS = {
    "SUBSCRIBE": Session._subscribe,
    "UNSUBSCRIBE": Session._unsubscribe,
    "SEND": Session._send,
    "ACK": Session._ack,
    "NACK": Session._nack,
    "DISCONNECT": Session._disconnect,
}


def _beats(text: str) -> tuple[int, int] | None:
    first, comma, second = text.partition(",")
    if not comma or not all(
        one.strip().isascii() and one.strip().isdigit() for one in (first, second)
    ):
        return None
    return min(int(first[:9]), 10**8), min(int(second[:9]), 10**8)


def _seq(text: str | None) -> int | None:
    try:
        return _SEQ.decode(text) if text else None
    except (msgspec.DecodeError, UnicodeError):
        return None


def _read(body: bytes) -> Body:
    """Raises ValueError."""
    try:
        return _body.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise ValueError from None


def _client_id(text: str | None, user_id: int) -> UUID:
    """The message's id. Any text is one, and is its sender's own."""
    if not text:
        return uuid4()
    try:
        return UUID(text)
    except ValueError:
        return uuid5(NAMES, f"{user_id}:{text}")


def _nothing_there(receipt: str | None) -> dict[str, Any]:
    why = _("There is nothing at this destination, or the body is not what it takes.")
    return {"code": "bad_frame", "detail": why, "ref": receipt}
