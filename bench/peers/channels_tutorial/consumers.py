import json
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from .models import Member, Message

MISSED_MAX = 200  # messages


class Chat(AsyncWebsocketConsumer):
    async def connect(self):
        self.room = self.scope["url_route"]["kwargs"]["room"]
        self.person = int(parse_qs(self.scope["query_string"]).get(b"person", [1])[0])
        self.group = f"chat_{self.room}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data):
        frame = json.loads(text_data)
        if "after" in frame:
            await self.catch_up(frame["after"])
        else:
            await self.post(frame["message"])

    async def post(self, body):
        if settings.PERSIST:
            await Message.objects.acreate(room=self.room, body=body)
        event = {"type": "chat.message", "message": body}
        await self.channel_layer.group_send(self.group, event)

    async def chat_message(self, event):
        await self.send(text_data=json.dumps({"message": event["message"]}))

    async def catch_up(self, after):
        if not await Member.objects.filter(room=self.room, person=self.person).aexists():
            await self.send(text_data=json.dumps({"error": "not a member"}))
            return
        later = Message.objects.filter(room=self.room, pk__gt=after).order_by("pk")
        async for message in later[:MISSED_MAX]:
            await self.send(text_data=json.dumps({"message": message.body, "id": message.pk}))
