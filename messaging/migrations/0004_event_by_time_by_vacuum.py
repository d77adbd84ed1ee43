import django.contrib.postgres.indexes
from django.db import migrations


class Migration(migrations.Migration):
    """The index on time is brought up to date by autovacuum, often, and not by requests of each
    insert: PostgreSQL keeps 256 of these in a minute and writes a line for each one more.

    Both only change a setting: nothing is read or built anew.
    """

    dependencies = [
        ('messaging', '0003_event_by_time'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex(model_name='event', name='event_by_time'),
                migrations.AddIndex(
                    model_name='event',
                    index=django.contrib.postgres.indexes.BrinIndex(fields=['created_at'], name='event_by_time', pages_per_range=32),
                ),
            ],
            database_operations=[
                migrations.RunSQL(
                    'ALTER INDEX event_by_time RESET (autosummarize)',
                    'ALTER INDEX event_by_time SET (autosummarize = on)',
                ),
                migrations.RunSQL(
                    'ALTER TABLE messaging_event SET (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000)',
                    'ALTER TABLE messaging_event RESET (autovacuum_vacuum_insert_scale_factor, autovacuum_vacuum_insert_threshold)',
                ),
            ],
        ),
    ]
