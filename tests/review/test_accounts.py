"""Who may enter, and as whom a command acts."""

from __future__ import annotations

import pytest

from review import accounts
from review.access import RIGHTS, AccessError, may, require
from review.models import Account, AuditRow, Role

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def test_a_new_account_has_a_random_first_password_that_must_change() -> None:
    first, second = accounts.add_user("ann", "radiologist"), accounts.add_user("bob", "lead")
    assert first != second
    ann = Account.objects.get(username="ann")
    assert ann.check_password(first)
    assert ann.password.startswith("argon2")
    assert ann.must_change_password
    assert ann.roles == {"radiologist"}
    row = AuditRow.objects.get(subject=ann.actor)
    assert (row.action, row.actor) == ("account.changed", "system")
    assert "ann" not in str(row.detail)


@pytest.mark.parametrize(
    ("name", "role", "os_user", "told"),
    [
        ("ann", "radiologist", "", "already"),
        ("bob", "surgeon", "", "the roles are"),
        ("bob smith", "lead", "", "letters"),
        ("", "lead", "", "letters"),
        ("bob", "lead", "ann-os", "mapped"),
    ],
)
def test_an_account_that_cannot_be_is_refused(name: str, role: str, os_user: str, told: str) -> None:
    accounts.add_user("ann", "radiologist", "ann-os")
    with pytest.raises(AccessError, match=told):
        accounts.add_user(name, role, os_user)
    assert Account.objects.count() == 1


def test_a_command_acts_as_the_account_named_or_mapped() -> None:
    accounts.add_user("ann", "radiologist", "ann-os")
    accounts.add_user("bob", "lead")
    assert accounts.account_for(None, "ann-os").username == "ann"
    assert accounts.account_for("bob", "ann-os").username == "bob"
    with pytest.raises(AccessError, match="--as NAME"):
        accounts.account_for(None, "root")
    with pytest.raises(AccessError, match="no account 'eve'"):
        accounts.account_for("eve", "ann-os")


def test_accounts_without_a_mapping_are_nobody_s() -> None:
    accounts.add_user("bob", "lead")
    with pytest.raises(AccessError):
        accounts.account_for(None, "")


def test_a_closed_account_acts_no_more() -> None:
    accounts.add_user("ann", "radiologist", "ann-os")
    Account.objects.update(is_active=False)
    with pytest.raises(AccessError, match="was closed"):
        accounts.account_for(None, "ann-os")


def test_an_admin_is_known_while_active() -> None:
    accounts.add_user("bob", "lead")
    assert not accounts.has_admin()
    accounts.add_user("ann", "admin")
    assert accounts.has_admin()
    Account.objects.update(is_active=False)
    assert not accounts.has_admin()


def test_the_sample_account_sees_sample_sources_only_and_cannot_log_in() -> None:
    for _ in range(2):
        accounts.ensure_sample("me", ["samples"])
    sample = accounts.account_for(None, "me")
    assert (sample.sources, sample.has_usable_password()) == (["samples"], False)
    assert all(may(sample, right) for right in ("queue", "explain", "runs", "rejected"))


def test_the_sample_account_takes_nobody_s_place() -> None:
    accounts.add_user("ann", "radiologist", "me")
    accounts.ensure_sample("me", ["samples"])
    assert accounts.account_for(None, "me").username == "ann"
    assert Account.objects.count() == 1


@pytest.mark.parametrize("role", Role.values)
def test_each_right_is_given_by_the_table_alone(role: str) -> None:
    accounts.add_user("ann", role)
    ann = Account.objects.get()
    for right, roles in RIGHTS.items():
        assert may(ann, right) == (role in roles)
        if role not in roles:
            with pytest.raises(AccessError, match="that takes the role"):
                require(ann, right)


def test_an_account_without_a_role_may_nothing() -> None:
    nobody = Account.objects.create_user("nobody")
    root = Account.objects.create_superuser("root")
    assert not any(may(account, right) for right in RIGHTS for account in (nobody, root))


def test_an_auditor_changes_nothing_and_an_operator_sees_no_report() -> None:
    assert not [right for right in ("decide", "run", "accounts") if Role.AUDITOR in RIGHTS[right]]
    assert not [right for right in ("queue", "case", "explain", "decide") if Role.OPERATOR in RIGHTS[right]]
