"""The rules that reports were read with, each kept once under the address of its content."""

from __future__ import annotations

import json
import zlib

from django.db import transaction
from django.utils import timezone

from review import audit
from review.digests import applied_digest, canonical, rules_version
from review.models import Account, RuleSet
from review.records import Rules

AS_SHIPPED = "as shipped"  # why the first rules of an installation are live


def keep_rules(rules: Rules) -> None:
    """Keep rules that a run reads with; kept before, nothing happens.

    Those that an installation begins with are live by that: nobody could have let them go live before.

    Raises
    ------
    ValueError
        When the rules are not what their version says.
    """
    if RuleSet.objects.filter(pk=rules.version).exists():
        return
    if rules_version(rules.files, rules.program, rules.libraries) != rules.version:
        raise ValueError(f"rules {rules.version} have another content than their version says")
    with transaction.atomic():
        is_first = not RuleSet.objects.exists()
        files = zlib.compress(canonical(dict(rules.files)).encode())
        kept = RuleSet(
            version=rules.version,
            first_used=timezone.now(),
            code_version=rules.code_version,
            program=dict(rules.program),
            libraries=dict(rules.libraries),
            files=files,
        )
        # Of two runs that begin at once, one keeps them.
        RuleSet.objects.bulk_create([kept], ignore_conflicts=True)
        if is_first:
            apply_rules(rules.version, None, AS_SHIPPED)


def apply_rules(version: str, account: Account | None, reason: str, run: int | None = None) -> None:
    """Record that rules go live, late in the transaction of that act.

    Parameters
    ----------
    account
        Who let them; None where an installation begins with them.
    run
        The reread with which they do.
    """
    rules = RuleSet.objects.select_for_update().get(pk=version)
    rules.applied_at, rules.applied_by, rules.reason = timezone.now(), account, reason
    rules.save(update_fields=["applied_at", "applied_by", "reason"])
    audit.record(
        audit.Action.RULES_APPLIED,
        actor=account.actor if account else audit.SYSTEM,
        subject=f"run:{run}" if run else audit.SYSTEM,
        rules_version=version,
        digest=applied_digest(rules),
    )


def kept_rules(version: str) -> Rules | None:
    """Return the rules of a version; None when they are not kept, as those of old readings are not."""
    kept = RuleSet.objects.filter(pk=version).first()
    if kept is None:
        return None
    return Rules(
        version=kept.version,
        files=files_of(kept),
        program=kept.program,
        libraries=kept.libraries,
        code_version=kept.code_version,
    )


def files_of(kept: RuleSet) -> dict[str, str]:
    """Return the text of each rule file by name."""
    return dict(json.loads(zlib.decompress(bytes(kept.files))))
