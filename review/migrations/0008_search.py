from django.db import migrations

# An external-content table keeps the words only, not the texts a second time. Its triggers follow every
# way in which a text comes, goes or is erased. Whoever changes the table of versions later: Django makes it
# anew on SQLite, without triggers, so they must be made again.
SQLITE = (
    "CREATE VIRTUAL TABLE review_words USING fts5("
    "text, content='review_reportversion', content_rowid='id', tokenize='unicode61 remove_diacritics 0')",
    "INSERT INTO review_words(review_words) VALUES ('rebuild')",
    "CREATE TRIGGER review_words_insert AFTER INSERT ON review_reportversion BEGIN "
    "INSERT INTO review_words(rowid, text) VALUES (new.id, new.text); END",
    "CREATE TRIGGER review_words_delete AFTER DELETE ON review_reportversion BEGIN "
    "INSERT INTO review_words(review_words, rowid, text) VALUES ('delete', old.id, old.text); END",
    "CREATE TRIGGER review_words_update AFTER UPDATE OF id, text ON review_reportversion BEGIN "
    "INSERT INTO review_words(review_words, rowid, text) VALUES ('delete', old.id, old.text); "
    "INSERT INTO review_words(rowid, text) VALUES (new.id, new.text); END",
)
SQLITE_BACK = (
    "DROP TRIGGER review_words_update",
    "DROP TRIGGER review_words_delete",
    "DROP TRIGGER review_words_insert",
    "DROP TABLE review_words",
)
# The expression must stay that of review.caseload.search, else the index is not used. Marks become spaces
# first: PostgreSQL's parser would take "L4/L5" for the name of a file and "T6-T8" for one word.
# A tsvector holds 1 MB and refuses more, and no report may be refused: so the first 100,000 characters count.
MARKS = """!"#$%&''()*+,-./:;<=>?@[\\]^_`{|}~–—‘’“”…•·°±×≤≥"""
POSTGRESQL = (
    "CREATE INDEX review_words ON review_reportversion USING gin (to_tsvector('simple'::regconfig, "
    f"translate(left(text, 100000), '{MARKS}', '{' ' * (len(MARKS) - 1)}')))",
)


def build(apps, schema_editor):
    """Make the index of words, of the texts that are there too."""
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement, params=None)


def drop(apps, schema_editor):
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    for statement in SQLITE_BACK if is_sqlite else ("DROP INDEX review_words",):
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):

    dependencies = [
        ("review", "0007_choices"),
    ]

    operations = [
        migrations.RunPython(build, drop),
    ]
