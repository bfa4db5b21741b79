"""What each person sets for the worklist: columns, and filters kept under a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from review import audit
from review.caseload import RefusedError, views
from review.models import Account, AuditRow, SavedView

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]


@pytest.fixture
def account(person: Make) -> Account:
    made: Account = person()
    return made


@pytest.fixture
def client(account: Account) -> Client:
    client = Client()
    client.force_login(account)
    return client


def test_a_view_keeps_the_filters_of_an_address(account: Account) -> None:
    view = views.save_view(account, "  my   morning ", "tier=stat&level=T6&page=2")
    assert (view.name, view.query) == ("my morning", "tier=stat&level=T6")


def test_the_same_name_again_takes_the_new_filters(account: Account) -> None:
    first = views.save_view(account, "mine", "tier=stat")
    second = views.save_view(account, "mine", "tier=soon")
    assert first.pk == second.pk
    assert [view.query for view in views.views(account)] == ["tier=soon"]


@pytest.mark.parametrize(
    ("name", "query", "told"),
    [
        ("", "tier=stat", "Give the view a name"),
        (" \0 ", "tier=stat", "Give the view a name"),
        ("x" * 61, "tier=stat", "61 characters"),
        ("a", "", "no filter to save"),
        ("a", "page=3", "no filter to save"),
        ("a", "tier=red", "expected stat"),
        ("a", "search=1", "A search cannot be saved"),
        ("a", "nonsense", "no filter to save"),
        ("a", "nonsense=1", "no filter 'nonsense'"),
        ("a", "&".join(f"level={region}{n}" for region in "CTLS" for n in range(1, 6)) * 9, "expected"),
    ],
)
def test_what_cannot_be_kept_is_refused(account: Account, name: str, query: str, told: str) -> None:
    with pytest.raises(RefusedError, match=told):
        views.save_view(account, name, query)
    assert not SavedView.objects.exists()
    assert not AuditRow.objects.filter(action="account.changed", actor=account.actor).exists()


def test_a_person_has_thirty_views_and_may_still_change_them(account: Account) -> None:
    for number in range(30):
        views.save_view(account, f"view {number}", "tier=stat")
    with pytest.raises(RefusedError, match="30 saved views"):
        views.save_view(account, "one more", "tier=stat")
    assert views.save_view(account, "view 3", "tier=soon").query == "tier=soon"


def test_a_view_is_renamed_to_a_free_name_only(account: Account) -> None:
    view = views.save_view(account, "a", "tier=stat")
    views.save_view(account, "b", "tier=soon")
    assert views.rename_view(account, view.pk, "c").name == "c"
    with pytest.raises(RefusedError, match="another view called 'b'"):
        views.rename_view(account, view.pk, "b")
    assert [view.name for view in views.views(account)] == ["b", "c"]


def test_nobody_sees_or_changes_the_views_of_others(account: Account, person: Make) -> None:
    view = views.save_view(person(), "theirs", "tier=stat")
    assert list(views.views(account)) == []
    for act in (
        lambda: views.delete_view(account, view.pk),
        lambda: views.rename_view(account, view.pk, "x"),
    ):
        with pytest.raises(RefusedError, match="no such saved view"):
            act()
    assert SavedView.objects.get().name == "theirs"


def test_views_on_the_page_are_saved_opened_renamed_and_deleted(client: Client, account: Account) -> None:
    saved = client.post("/worklist/views/", {"name": "<b>stat</b>", "query": "tier=stat"}, follow=True)
    page = saved.content.decode()
    assert '<a href="/worklist/?tier=stat">&lt;b&gt;stat&lt;/b&gt;</a>' in page
    view = SavedView.objects.get()
    client.post(f"/worklist/views/{view.pk}/", {"act": "rename", "name": "first"})
    assert SavedView.objects.get().name == "first"
    assert (
        "no such saved view"
        in client.post("/worklist/views/999/", {"name": "x"}, follow=True).content.decode()
    )
    client.post(f"/worklist/views/{view.pk}/", {"act": "delete"})
    assert not SavedView.objects.exists()


def test_a_view_of_what_is_no_longer_offered_says_so(client: Client, account: Account) -> None:
    SavedView.objects.create(account=account, name="old", query="source=gone")
    response = client.get("/worklist/?source=gone")
    assert "no case that came so far has this source" in response.content.decode()


def test_columns_are_chosen_and_those_that_matter_stay(client: Client, account: Account) -> None:
    def headings() -> list[str]:
        account.refresh_from_db()
        return list(views.columns(account).values())

    assert headings() == ["Priority", "Waiting", "Case", "Patient", "Study", "Why", "Status", "Claimed by"]
    client.post("/worklist/columns/", {"column": ["source", "status"]})
    assert headings() == ["Priority", "Waiting", "Case", "Why", "Status", "Source"]
    client.post("/worklist/columns/")
    assert headings() == ["Priority", "Waiting", "Case", "Why"]


def test_an_unknown_column_is_told_and_changes_nothing(client: Client, account: Account) -> None:
    response = client.post("/worklist/columns/", {"column": ["source", "password"]}, follow=True)
    assert "There is no column 'password'" in response.content.decode().replace("&#x27;", "'")
    account.refresh_from_db()
    assert account.columns == []


def test_what_a_person_sets_is_audited_without_names(account: Account) -> None:
    view = views.save_view(account, "Mrs Smith", "tier=stat")
    views.choose_columns(account, ["status"])
    views.delete_view(account, view.pk)
    details = [row.detail for row in AuditRow.objects.filter(actor=account.actor).order_by("number")]
    assert details == [
        {"view": view.pk},
        {"columns": ["priority", "waiting", "case", "why", "status"]},
        {"view": view.pk},
    ]
    assert audit.verify()["ok"]
