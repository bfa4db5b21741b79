import json

from django.db import migrations, models

from review.caseload.marks import marks

SOME = 1000  # cases in memory at once


def know_old_cases(apps, schema_editor):
    """Give the cases of before what the worklist now asks for."""
    Case, CaseMark = apps.get_model("review", "Case"), apps.get_model("review", "CaseMark")
    Event, Decision = apps.get_model("review", "CaseEvent"), apps.get_model("review", "Decision")
    cases = Case.objects.select_related("reading__version").order_by("id")
    last = 0
    while some := list(cases.filter(pk__gt=last)[:SOME]):
        last = some[-1].pk
        claims = Event.objects.filter(case__in=some, kind="claimed").values_list("case")
        claimed = dict(claims.annotate(models.Min("at")))
        decided = dict(Decision.objects.filter(case__in=some).values_list("case").annotate(models.Max("at")))
        again = Event.objects.filter(case__in=some, kind__in=("raised", "waits_again", "reopened"))
        since = dict(again.values_list("case").annotate(models.Max("at")))
        found = []
        for case in some:
            case.modality = case.reading.version.modality
            case.waiting_since = since.get(case.pk, case.first_arrival)
            case.first_claimed_at = claimed.get(case.pk)
            case.decided_at = decided.get(case.pk) if case.state in ("confirmed", "dismissed") else None
            if case.state != "withdrawn":
                found += [
                    CaseMark(case=case, kind=str(kind), value=value[:60])
                    for kind, value in sorted(marks(json.loads(case.reading.data)))
                ]
        Case.objects.bulk_update(some, ["modality", "waiting_since", "first_claimed_at", "decided_at"], 100)
        CaseMark.objects.bulk_create(found)


class Migration(migrations.Migration):

    dependencies = [
        ("review", "0002_worklist"),
    ]

    operations = [
        migrations.RunPython(know_old_cases, migrations.RunPython.noop),
    ]
