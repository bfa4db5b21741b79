from django.db import migrations, models


class Migration(migrations.Migration):
    """The audit is listed by time and by act, runs by time: each has its index."""

    dependencies = (("review", "0016_keeping"),)

    operations = (
        migrations.AddIndex(
            model_name="auditrow", index=models.Index(fields=["at", "number"], name="audit_at")
        ),
        migrations.AddIndex(
            model_name="auditrow", index=models.Index(fields=["action", "number"], name="audit_action")
        ),
        migrations.AddIndex(model_name="run", index=models.Index(fields=["started_at"], name="run_started")),
    )
