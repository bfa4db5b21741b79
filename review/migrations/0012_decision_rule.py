from django.db import migrations, models


def copy_rules(apps, schema_editor):
    """Give the decisions of before the rule of the reading that was decided upon."""
    Decision, Reading = apps.get_model("review", "Decision"), apps.get_model("review", "Reading")
    of_reading = Reading.objects.filter(pk=models.OuterRef("reading")).values("decided_by")
    Decision.objects.update(rule=models.Subquery(of_reading))


class Migration(migrations.Migration):

    dependencies = [
        ('review', '0011_claimed'),
    ]

    operations = [
        migrations.AddField(
            model_name='decision',
            name='rule',
            field=models.CharField(blank=True, default='', max_length=80),
            preserve_default=False,
        ),
        migrations.RunPython(copy_rules, migrations.RunPython.noop),
    ]
