"""One person at each door but the page's and that of on_socket.py: they say, and `heard` is what
others and they have said, in the order it came."""

import json
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from tests.doors.clients import PASSWORD, Rest, Wire, sign_up, until

NUL = "\0"


class Talker:
    """`email` and `rest` (a REST client with their token) is how anyone can be reached."""

    def __init__(self, url: str, name: str) -> None:
        self.url, self.name = url, name
        self.wires: list[Wire] = []
        self.email, self.rest = sign_up(url, name)
        self.id = self.rest("GET", "/api/v1/me/").json["id"]

    def open(self, path: str, **options: Any) -> Wire:
        wire = Wire(self.url, path, **options)
        self.wires.append(wire)
        return wire

    def go(self) -> None:
        for wire in self.wires:
            wire.close()


class Member(Talker):
    """Takes a seat by REST, before anything else."""

    def join(self, room: int) -> int:
        """The status."""
        return self.rest("PUT", f"/api/v1/rooms/{room}/membership/").status


class OnRest(Member):
    """No socket: asks for what came after the last line it knows."""

    def enter(self, room: int) -> None:
        assert self.join(room) in (200, 201)
        self.room = room
        self.events: list[dict[str, Any]] = []
        self._after = self.rest("GET", f"/api/v1/rooms/{room}/events/").json["head"]

    def say(self, body: str) -> None:
        draft = {"cid": str(uuid4()), "body": body}
        answer = self.rest("POST", f"/api/v1/rooms/{self.room}/events/", draft)
        assert answer.status == 201, answer.body

    def heard(self) -> list[str]:
        page = self.rest("GET", f"/api/v1/rooms/{self.room}/events/?after={self._after}&limit=100")
        assert page.status == 200, page.body
        self.events += page.json["results"]
        self._after = self.events[-1]["seq"] if self.events else self._after
        return [event["body"] for event in self.events if event["kind"] == "message"]

    def here(self) -> set[str]:
        page = self.rest("GET", f"/api/v1/rooms/{self.room}/participants/").json
        return {one["name"] for one in page["here"]}


class OnStomp(Talker):
    """STOMP 1.2 on a plain WebSocket."""

    path, headers = "/stomp", {"accept-version": "1.2", "host": "chat", "heart-beat": "0,0"}

    def connect(self) -> None:
        self.wire = self.open(self.path, subprotocols=["v12.stomp"])
        token = self.rest.headers["Authorization"]
        self.frame("CONNECT", self.headers | {"Authorization": token})
        until(lambda: self.frames("CONNECTED"), "not connected")

    def enter(self, room: int) -> None:
        self.room = room
        self.connect()
        self.frame("SEND", {"destination": "/send/chat/enter", "receipt": "in"}, chatId=str(room))
        until(lambda: self.receipts("in"), "no seat")
        self.frame("SUBSCRIBE", {"id": "c", "destination": f"/sub/chat/{room}", "receipt": "sub"})
        self.frame("SUBSCRIBE", {"id": "p", "destination": f"/sub/participant/{room}"})
        until(lambda: self.receipts("sub"), "not subscribed")

    def frame(self, command: str, headers: dict[str, str], **body: str) -> None:
        lines = [command, *(f"{name}:{value}" for name, value in headers.items())]
        text = "\n".join(lines) + "\n\n" + (json.dumps(body) if body else "") + NUL
        self.transmit(text)

    def transmit(self, text: str) -> None:
        self.wire.send(text)

    def received(self) -> list[str]:
        return "".join(list(self.wire.texts)).split(NUL)

    def frames(self, command: str) -> list[tuple[dict[str, str], str]]:
        found = []
        for text in self.received():
            head, _blank, body = text.lstrip("\n").partition("\n\n")
            name, *lines = head.split("\n")
            if name == command:
                found.append((dict(line.split(":", 1) for line in lines), body))
        return found

    def receipts(self, receipt: str) -> bool:
        return any(headers["receipt-id"] == receipt for headers, _ in self.frames("RECEIPT"))

    def say(self, body: str) -> None:
        receipt = uuid4().hex
        headers = {"destination": "/send/chat/message", "receipt": receipt}
        self.frame("SEND", headers, chatId=str(self.room), message=body)
        until(lambda: self.receipts(receipt), "no receipt")

    def messages(self, kind: str) -> list[Any]:
        """Bodies of one subscription's destination, in order."""
        destination = f"/sub/{kind}/{self.room}"
        return [
            json.loads(body)
            for headers, body in self.frames("MESSAGE")
            if headers["destination"] == destination
        ]

    def heard(self) -> list[str]:
        return [one["message"] for one in self.messages("chat") if one["type"] == "MESSAGE"]

    def here(self) -> set[str]:
        """Names. Oneself is listed by the e-mail, everybody else by a stand-in."""
        lists = self.messages("participant")
        return self._named(lists[-1]) if lists else set()

    def _named(self, listed: list[dict[str, Any]]) -> set[str]:
        here = [one["email"] for one in listed if one["isRead"]]
        return {
            self.name if one == self.email else one.rpartition("#")[0].capitalize() for one in here
        }

    def leave(self) -> None:
        headers = {"destination": "/send/chat/leave", "receipt": "out"}
        self.frame("SEND", headers, chatId=str(self.room))
        until(lambda: self.receipts("out"), "still seated")


class OnOriginal(OnStomp):
    """The original's REST and its STOMP in SockJS, with the token of its own sign-in."""

    path, headers = "/stomp/chat/123/abcdefgh/websocket", {"accept-version": "1.1,1.0"}

    def __init__(self, url: str, name: str) -> None:
        self.url, self.name = url, name
        self.wires = []
        self.email = f"{name.lower()}-{uuid4().hex[:8]}@example.com"
        nobody = Rest(url)
        account = {"email": self.email, "password": PASSWORD, "phone": "010-1234-5678"}
        assert nobody("POST", "/api/users/signup", account | {"role": "USER"}).status == 200
        answer = nobody("POST", "/api/users/login", {"email": self.email, "password": PASSWORD})
        assert answer.json["user"]["email"] == self.email
        cookie = answer.headers["Set-Cookie"].split(";")[0]
        self.token = cookie.removeprefix("Authorization=Bearer%20")
        self.rest = Rest(url, Cookie=f"Authorization={quote('Bearer ' + self.token)}")

    def enter(self, room: int) -> None:
        """In the order that was measured: GET read, then CONNECT, SUBSCRIBE and ENTER at once."""
        self.room = room
        assert self.rest("GET", f"/api/open-chats/read/{room}").json == []
        self.knock()
        cookie = {"Cookie": self.rest.headers["Cookie"], "Origin": self.url}
        path = "/stomp/participant/456/ijklmnop/websocket"
        self.people = self.open(path, additional_headers=cookie)
        connect = "\n".join(["CONNECT", "accept-version:1.1,1.0", "heart-beat:10000,10000", "", ""])
        self.people.send(json.dumps([connect + NUL]))
        subscribe = f"SUBSCRIBE\nid:sub-0\ndestination:/sub/participant/{room}\n\n"
        self.people.send(json.dumps([subscribe + NUL]))
        until(lambda: self.name in self.here(), "not in the list")

    def knock(self) -> None:
        self.wire = self.open(self.path)
        beats = {"heart-beat": "10000,10000", "Authorization": f"Bearer {self.token}"}
        self.frame("CONNECT", self.headers | beats)
        until(lambda: self.frames("CONNECTED"), "not connected")
        self.frame("SUBSCRIBE", {"id": "sub-0", "destination": f"/sub/chat/{self.room}"})
        self.frame("SEND", {"destination": "/send/chat/enter"}, chatId=str(self.room))

    def transmit(self, text: str) -> None:
        self.wire.send(json.dumps([text]))

    def received(self) -> list[str]:
        return _unwrapped(self.wire)

    def say(self, body: str) -> None:
        """It knows that it was heard when it hears itself."""
        self.frame(
            "SEND", {"destination": "/send/chat/message"}, chatId=str(self.room), message=body
        )
        until(lambda: body in self.heard(), "not heard")

    def heard(self) -> list[str]:
        said = [one for one in self.messages("chat") if one["type"] == "MESSAGE"]
        return [one["message"] for one in said if one["username"] != "ChatTalk"]

    def here(self) -> set[str]:
        lists = [text.partition("\n\n")[2] for text in _unwrapped(self.people) if "MESSAGE" in text]
        return self._named(json.loads(lists[-1])) if lists else set()


def _unwrapped(wire: Wire) -> list[str]:
    """What was in the SockJS frames, cut at the ends of STOMP's."""
    packed = [json.loads(text[1:]) for text in list(wire.texts) if text.startswith("a")]
    return "".join(part for parts in packed for part in parts).split(NUL)
