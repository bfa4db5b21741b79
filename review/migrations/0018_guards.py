"""From here on the database itself refuses to change or delete what stands for ever."""

from django.db import migrations


def put_up(apps, schema_editor):
    from review import guards

    guards.put_up()


def take_down(apps, schema_editor):
    from review import guards

    guards.take_down()


class Migration(migrations.Migration):
    dependencies = (("review", "0017_audit_lists"),)
    operations = (migrations.RunPython(put_up, take_down),)
