from django.db import models


class Message(models.Model):
    room = models.CharField(max_length=64)
    body = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["room", "id"], name="message_room")]

    def __str__(self) -> str:
        return f"{self.room} {self.pk}"


class Member(models.Model):
    room = models.CharField(max_length=64)
    person = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["room", "person"], name="member_once")]

    def __str__(self) -> str:
        return f"{self.person} in {self.room}"
