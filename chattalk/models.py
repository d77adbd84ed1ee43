"""What the site keeps of itself."""

from django.db import models


class MinuteFigure(models.Model):
    """A figure of one minute, of all workers together. Rows are written by
    chattalk/status/minutes.py only."""

    minute = models.DateTimeField()
    name = models.CharField(max_length=120)  # of the metric, and the values of its labels
    value = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint("minute", "name", name="minute_figure_once")]

    def __str__(self) -> str:
        return f"{self.minute} {self.name} {self.value}"
