"""The command `spinetriage check`: what the configuration holds, and what in it looks like a slip."""

from __future__ import annotations

from typing import Any

from flows import display, places
from nlp.evaluation.lists import faults, superfluous
from nlp.vocabulary import current
from review import alert_settings, site

LONGEST_LIST = 10  # warnings of one kind printed for people

NOBODY = (
    "nobody is told of alerts: set up [email] or [webhook] in config/alerts.toml, or ask "
    "`spinetriage alerts` from cron or a monitor"
)


def facts() -> dict[str, Any]:
    """Load every file of the configuration, and tell what was found.

    Raises
    ------
    ConfigError, SourceError, SiteError
        When a file cannot be used.
    """
    vocabulary = current()
    rules = vocabulary.rules
    _, sources = places.configured()
    chosen = alert_settings.load_alerts()
    told_by = [name for name in ("email", "webhook") if getattr(chosen, name).enabled] + list(chosen.own)
    used = [source for source in sources if source.enabled]
    return {
        "rules_version": rules.version,
        "counts": {
            "concepts": len(rules.concepts),
            "forms": sum(len(c.forms) + len(c.dictation) + len(c.abbreviations) for c in rules.concepts),
            "forms_with_those_made_by_rule": len(vocabulary.terms.payloads),
            "cues": sum(len(cue.phrases) for cue in rules.cues),
            "traps": sum(len(trap.forms) for trap in rules.traps),
        },
        "site": site.load_site().name,
        "waiting_minutes": site.load_deadlines().waiting,
        "alerts_told_by": told_by,
        "sources": {source.name: str(source.folder) for source in used},
        "missing_folders": [source.name for source in used if not source.folder.is_dir()],
        "warnings": {
            "contradictions": faults(rules),
            "needless_forms": superfluous(rules),
            "alerts": [] if told_by else [NOBODY],
        },
    }


def show(found: dict[str, Any]) -> None:
    """Print the facts for people, the warnings last."""
    warnings = found["warnings"]
    display.facts({name: value for name, value in found.items() if value and name != "warnings"})
    for name, told in warnings.items():
        for line in told[:LONGEST_LIST]:
            display.complain(f"warning: {line}")
        if (more := len(told) - LONGEST_LIST) > 0:
            display.complain(f"warning: … and {more} more {name.replace('_', ' ')}; --json lists them all")
    if not found["missing_folders"]:
        display.console.print("The configuration is in order.")
