"""A message as a tutorial has it. Imported only where Django is ready."""

from django.db import models


class Message(models.Model):
    room = models.CharField(max_length=80)
    sender = models.CharField(max_length=254)
    body = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "bench"
        managed = False
        db_table = "bench_message"

    def __str__(self) -> str:
        return self.body
