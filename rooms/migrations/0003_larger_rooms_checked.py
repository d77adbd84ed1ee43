from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    """Beside the writers. Where 0002 was applied before it said NOT VALID, there is nothing to do."""

    dependencies = [
        ('rooms', '0002_larger_rooms'),
    ]

    operations = [
        ValidateConstraint(model_name='room', name='room_capacity_in_bounds'),
    ]
