"""A person's or an act's rows of some days are found by index; outcomes have labels in plain words."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("review", "0020_uptime"),)
    operations = (
        migrations.RemoveIndex(model_name="auditrow", name="audit_actor"),
        migrations.RemoveIndex(model_name="auditrow", name="audit_action"),
        migrations.AddIndex(
            model_name="auditrow",
            index=models.Index(fields=["actor", "at", "number"], name="audit_actor_at"),
        ),
        migrations.AddIndex(
            model_name="auditrow",
            index=models.Index(fields=["action", "at", "number"], name="audit_action_at"),
        ),
        migrations.AlterField(  # of labels only: nothing changes in the database
            model_name="input",
            name="outcome",
            field=models.CharField(
                choices=[
                    ("queued", "queued"),
                    ("routine", "routine"),
                    ("unreadable_text", "unreadable text"),
                    ("duplicate", "duplicate"),
                    ("superseded", "superseded"),
                    ("rejected", "rejected"),
                ],
                max_length=15,
            ),
        ),
    )
