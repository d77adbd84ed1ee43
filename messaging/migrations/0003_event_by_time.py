import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    """Beside the writers, who must not wait; so it may take longer than a statement of theirs."""

    atomic = False

    dependencies = [
        ('messaging', '0002_kinds_open_and_owner'),
    ]

    operations = [
        migrations.RunSQL('SET statement_timeout = 0; SET lock_timeout = 0', 'SELECT 1'),
        AddIndexConcurrently(
            model_name='event',
            index=django.contrib.postgres.indexes.BrinIndex(autosummarize=True, fields=['created_at'], name='event_by_time', pages_per_range=32),
        ),
        migrations.RunSQL('RESET statement_timeout; RESET lock_timeout', 'SELECT 1'),
    ]
