import json

from django.db import migrations, models

from review.evidence import AFFIRMED


def offer_what_is_there(apps, schema_editor):
    """Offer in the filters what the cases of before have."""
    Case, Choice = apps.get_model("review", "Case"), apps.get_model("review", "Choice")
    found = {}
    rows = Case.objects.order_by("id").values_list("source", "modality", "reading__data")
    for source, modality, data in rows.iterator(chunk_size=1000):
        content = json.loads(data)
        found["source", source] = source
        if modality:
            found["modality", modality] = modality
        for finding in (*content["findings"], *content["context_findings"]):
            if finding["certainty"] in AFFIRMED:
                found["concept", finding["concept"][:60]] = finding["name"]
    Choice.objects.bulk_create(
        [Choice(kind=kind, value=value, name=name) for (kind, value), name in sorted(found.items())]
    )


class Migration(migrations.Migration):

    dependencies = [
        ('review', '0006_acts'),
    ]

    operations = [
        migrations.CreateModel(
            name='Choice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('concept', 'Concept'), ('modality', 'Modality'), ('source', 'Source')], max_length=8)),
                ('value', models.TextField()),
                ('name', models.TextField()),
            ],
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(fields=['tier', 'first_arrival', 'id'], name='case_order'),
        ),
        migrations.AddConstraint(
            model_name='choice',
            constraint=models.UniqueConstraint(fields=('kind', 'value'), name='choice_once'),
        ),
        migrations.RunPython(offer_what_is_there, migrations.RunPython.noop),
    ]
