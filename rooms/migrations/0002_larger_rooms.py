import django.core.validators
from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    """NOT VALID, since nobody may write while the rooms there are would be looked at: 0003 does."""

    dependencies = [
        ('rooms', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='room',
            name='room_capacity_in_bounds',
        ),
        migrations.AlterField(
            model_name='room',
            name='capacity',
            field=models.PositiveIntegerField(default=50, help_text='How many people may be members at the same time, 1 to 10,000.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10000)], verbose_name='seats'),
        ),
        AddConstraintNotValid(
            model_name='room',
            constraint=models.CheckConstraint(condition=models.Q(('capacity__gte', 1), ('capacity__lte', 10000)), name='room_capacity_in_bounds'),
        ),
    ]
